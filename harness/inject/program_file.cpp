#include "harness/inject/program_file.h"

#include <elf.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

namespace hark {

namespace fs = std::filesystem;

namespace {

// Tables of a file that may be cut short, or not be what it says.
class Elf {
  public:
    explicit Elf(const fs::path& path) : file_(path, std::ios::binary) {
        is_whole_ = read(0, head_) && std::memcmp(head_.e_ident, ELFMAG, SELFMAG) == 0;
    }

    [[nodiscard]] bool is_elf() const { return is_whole_; }
    [[nodiscard]] bool is_of_64_bits() const { return head_.e_ident[EI_CLASS] == ELFCLASS64; }

    [[nodiscard]] bool has_interpreter() {
        for (std::size_t i = 0; i < head_.e_phnum; ++i) {
            Elf64_Phdr part{};
            if (read(head_.e_phoff + i * sizeof part, part) && part.p_type == PT_INTERP)
                return true;
        }
        return false;
    }

    // The linker of Go leaves a section of this name, stripped or not.
    [[nodiscard]] bool has_section(const std::string& wanted) {
        Elf64_Shdr names{};
        if (!read(head_.e_shoff + std::uint64_t{head_.e_shstrndx} * sizeof names, names))
            return false;
        for (std::size_t i = 0; i < head_.e_shnum; ++i) {
            Elf64_Shdr section{};
            std::vector<char> name(wanted.size() + 1);
            if (!read(head_.e_shoff + i * sizeof section, section)) return false;
            if (!read_bytes(names.sh_offset + section.sh_name, name.data(), name.size())) continue;
            if (name.back() == '\0' && wanted == name.data()) return true;
        }
        return false;
    }

  private:
    bool read_bytes(std::uint64_t at, char* to, std::size_t size) {
        file_.clear();
        file_.seekg(static_cast<std::streamoff>(at));
        return static_cast<bool>(file_.read(to, static_cast<std::streamsize>(size)));
    }
    template <typename Part>
    bool read(std::uint64_t at, Part& part) {
        return read_bytes(at, reinterpret_cast<char*>(&part), sizeof part);
    }

    std::ifstream file_;
    Elf64_Ehdr head_{};
    bool is_whole_ = false;
};

// ld.so(8), secure-execution mode.
bool is_privileged(const fs::path& program) {
    struct stat what {};
    if (::stat(program.c_str(), &what) != 0) return false;
    if ((what.st_mode & S_ISUID) != 0 && what.st_uid != ::geteuid()) return true;
    if ((what.st_mode & S_ISGID) != 0 && what.st_gid != ::getegid()) return true;
    return ::getxattr(program.c_str(), "security.capability", nullptr, 0) > 0;
}

// execve(2): the first line is #! and the interpreter's path.
std::optional<fs::path> interpreter_of(const fs::path& program) {
    std::ifstream file(program);
    std::string line;
    if (!std::getline(file, line) || !line.starts_with("#!")) return std::nullopt;
    std::istringstream words(line.substr(2));
    std::string interpreter;
    words >> interpreter;
    return interpreter;
}

}  // namespace

std::optional<fs::path> found_by_path(const std::string& command) {
    if (command.find('/') != std::string::npos) return command;
    const char* path = std::getenv("PATH");
    std::istringstream folders(path != nullptr ? path : "/bin:/usr/bin");
    for (std::string folder; std::getline(folders, folder, ':');) {
        const fs::path candidate = fs::path(folder.empty() ? "." : folder) / command;
        std::error_code gone;
        if (::access(candidate.c_str(), X_OK) == 0 && !fs::is_directory(candidate, gone)) {
            return candidate;
        }
    }
    return std::nullopt;
}

std::string why_not_preloaded(const fs::path& program) {
    if (const auto interpreter = interpreter_of(program)) return why_not_preloaded(*interpreter);
    if (is_privileged(program)) return "a privileged program";
    Elf elf(program);
    if (!elf.is_elf()) return "";
    if (!elf.is_of_64_bits()) return "a program of 32 bits";
    if (!elf.has_interpreter()) return "a static program";
    return elf.has_section(".go.buildinfo") ? "written in Go, which goes past libc" : "";
}

}  // namespace hark
