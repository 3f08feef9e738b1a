// A file with a given content, in a folder that goes with it.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "harness/must.h"

namespace hark {

class ScratchFile {
  public:
    explicit ScratchFile(std::string_view content, const std::string& name = "file") {
        std::string folder = std::filesystem::temp_directory_path() / "hark-test-XXXXXX";
        if (::mkdtemp(folder.data()) == nullptr) throw Broken("mkdtemp", Errno::last());
        folder_ = folder;
        path_ = folder + "/" + name;
        std::ofstream(path_, std::ios::binary) << content;
    }
    ~ScratchFile() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    ScratchFile(const ScratchFile&) = delete;
    ScratchFile& operator=(const ScratchFile&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] const std::string& folder() const { return folder_; }

  private:
    std::string folder_;
    std::string path_;
};

}  // namespace hark
