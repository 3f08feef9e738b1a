#include "harness/cli/xml_output.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "harness/cli/python_package.h"
#include "harness/exit_status.h"
#include "harness/must.h"

namespace hark::cli {

XmlOutput::XmlOutput(std::string& out) {
    const char* file = std::getenv("XML_OUTPUT_FILE");
    if (file == nullptr || *file == '\0') return;
    file_ = file;
    if (!out.empty()) return;
    std::string folder = std::filesystem::temp_directory_path() / "hark-results-XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr) throw Broken("mkdtemp " + folder, Errno::last());
    folder_ = folder;
    out = folder_;
}

XmlOutput::~XmlOutput() {
    if (folder_.empty()) return;
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

int XmlOutput::write(const std::vector<std::string>& results, int exit_status) const {
    if (file_.empty()) return exit_status;
    std::vector<std::string> words{"--format", "junit", "--output", file_};
    std::copy_if(results.begin(), results.end(), std::back_inserter(words),
                 [](const std::string& each) { return !each.empty(); });
    const int status = words.size() == 4 ? int{exit_nothing} : run_python_package("report", words);
    if (status == exit_as_expected) {
        std::cerr << "hark: " << file_ << ": JUnit's XML, by XML_OUTPUT_FILE\n";
        return exit_status;
    }
    if (status == exit_nothing) return exit_status;
    std::cerr << "hark: " << file_ << " was not written (XML_OUTPUT_FILE)\n";
    return std::max(exit_status, int{exit_broken});
}

}  // namespace hark::cli
