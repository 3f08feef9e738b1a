#include "harness/places.h"

#include <cstdlib>
#include <fstream>
#include <set>
#include <system_error>

#include "harness/must.h"

namespace hark::places {

namespace fs = std::filesystem;

namespace {

// The build folder is laid out like a prefix, with the program at its top; an installed program is
// in a folder beside lib and share.  HARK_LIBDIR is CMAKE_INSTALL_LIBDIR.
std::vector<fs::path> prefixes() {
    const fs::path folder = program().parent_path();
    return {folder, folder.parent_path()};
}

fs::path found(const fs::path& below, const char* what) {
    for (const auto& prefix : prefixes()) {
        if (fs::exists(prefix / below)) return fs::canonical(prefix / below);
    }
    throw Broken(std::string("the installation is incomplete: no ") + what + " (" + below.string() +
                 ") beside " + program().string());
}

// Where adapters are looked for, first place first.
std::vector<fs::path> subjects() {
    std::vector<fs::path> folders = {
        found(fs::path(HARK_LIBDIR) / "hark/subjects", "folder of subjects")};
    const char* further = std::getenv("HARK_SUBJECTS");
    if (further != nullptr && *further != '\0') {
        if (!fs::is_directory(further)) {
            throw Broken(std::string("HARK_SUBJECTS names no folder: ") + further);
        }
        folders.push_back(fs::canonical(further));
    }
    return folders;
}

std::optional<fs::path> in_subjects(const std::string& file) {
    if (file.find('/') != std::string::npos) return std::nullopt;
    for (const auto& folder : subjects()) {
        if (fs::exists(folder / file)) return folder / file;
    }
    return std::nullopt;
}

}  // namespace

fs::path program() { return fs::read_symlink("/proc/self/exe"); }

fs::path shim() { return found(fs::path(HARK_LIBDIR) / "hark/socket_shim.so", "shim"); }

fs::path scripts() { return found("share/hark/scripts", "folder of scripts"); }

fs::path reports() { return found("share/hark/reports", "folder of report templates"); }

fs::path echo_server() {
    return found(fs::path(HARK_LIBDIR) / "hark/hark-echo-server", "echo server");
}

fs::path servers() { return found("share/hark/servers", "folder of servers"); }

fs::path programs() { return found(fs::path(HARK_LIBDIR) / "hark", "folder of programs"); }

fs::path mutants() {
    fs::path folder = program().parent_path() / HARK_LIBDIR / "hark/mutants";
    if (fs::exists(folder)) return folder;
    throw Broken("mutants are not installed: they are in the folder that Hark was built in");
}

std::vector<std::string> adapters() {
    std::set<std::string> names;
    for (const auto& folder : subjects()) {
        for (const auto& entry : fs::directory_iterator(folder)) {
            if (entry.path().extension() == ".so") names.insert(entry.path().stem().string());
        }
    }
    return {names.begin(), names.end()};
}

std::map<std::string, std::string> missing_adapters() {
    std::map<std::string, std::string> reasons;
    for (const auto& folder : subjects()) {
        for (const auto& entry : fs::directory_iterator(folder)) {
            const std::string name = entry.path().stem().string();
            if (entry.path().extension() != ".missing" || adapter(name)) continue;
            std::ifstream file(entry.path());
            std::getline(file, reasons[name]);
        }
    }
    return reasons;
}

std::optional<fs::path> adapter(const std::string& name) { return in_subjects(name + ".so"); }

bool is_own(const fs::path& adapter) { return adapter.parent_path() == subjects().front(); }

std::optional<fs::path> expectations(const std::string& name) {
    return in_subjects(name + ".expected.toml");
}

}  // namespace hark::places
