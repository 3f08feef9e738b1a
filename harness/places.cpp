#include "harness/places.h"

#include <algorithm>
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

fs::path subjects() { return found(fs::path(HARK_LIBDIR) / "hark/subjects", "folder of subjects"); }

}  // namespace

fs::path program() { return fs::read_symlink("/proc/self/exe"); }

fs::path shim() { return found(fs::path(HARK_LIBDIR) / "hark/socket_shim.so", "shim"); }

fs::path scripts() { return found("share/hark/scripts", "folder of scripts"); }

fs::path reports() { return found("share/hark/reports", "folder of report templates"); }

fs::path echo_server() {
    return found(fs::path(HARK_LIBDIR) / "hark/hark-echo-server", "echo server");
}

std::vector<std::string> adapters() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(subjects())) {
        if (entry.path().extension() == ".so") names.push_back(entry.path().stem().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::optional<fs::path> adapter(const std::string& name) {
    const fs::path file = subjects() / (name + ".so");
    if (name.find('/') != std::string::npos || !fs::exists(file)) return std::nullopt;
    return file;
}

std::optional<fs::path> expectations(const std::string& name) {
    const fs::path file = subjects() / (name + ".expected.toml");
    if (!fs::exists(file)) return std::nullopt;
    return file;
}

}  // namespace hark::places
