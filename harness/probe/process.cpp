#include "harness/probe/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <set>
#include <system_error>

#include "harness/fd.h"

namespace hark::probe {

namespace fs = std::filesystem;

namespace {

// The names of a folder that are numbers, which is all that is asked of /proc.
std::vector<int> numbers_in(const std::string& folder) {
    std::vector<int> numbers;
    DIR* open = ::opendir(folder.c_str());
    if (open == nullptr) return numbers;
    while (const dirent* entry = ::readdir(open)) {
        const std::string_view name(entry->d_name);
        int number = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
        if (error == std::errc{} && end == name.data() + name.size()) numbers.push_back(number);
    }
    (void)::closedir(open);
    return numbers;
}

template <typename Use>
void read_pieces(const Fd& open, Use use) {
    std::array<char, 65536> piece{};
    while (open.is_open()) {
        const auto size = ::read(open.get(), piece.data(), piece.size());
        if (size <= 0) return;
        use(std::string_view(piece.data(), static_cast<std::size_t>(size)));
    }
}

std::string folder_of(pid_t process) { return "/proc/" + std::to_string(process); }

}  // namespace

std::string content_of(const fs::path& file) {
    std::string text;
    read_pieces(Fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC)),
                [&](std::string_view piece) { text += piece; });
    return text;
}

std::string end_of(const fs::path& file, std::size_t room) {
    Fd open(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    const off_t size = ::lseek(open.get(), 0, SEEK_END);
    const bool is_cut = size > static_cast<off_t>(room);
    (void)::lseek(open.get(), is_cut ? size - static_cast<off_t>(room) : 0, SEEK_SET);
    std::string text;
    read_pieces(open, [&](std::string_view piece) { text += piece; });
    const auto line = text.find('\n');
    return is_cut && line + 1 < text.size() ? text.substr(line + 1) : text;
}

std::uint64_t lines_in(const fs::path& file) {
    std::uint64_t lines = 0;
    read_pieces(Fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC)), [&](std::string_view piece) {
        lines += static_cast<std::uint64_t>(std::count(piece.begin(), piece.end(), '\n'));
    });
    return lines;
}

std::optional<Process> process_in(std::string_view stat) {
    // The name is in parentheses, and may have any character in it, parentheses too.
    const auto open = stat.find('(');
    const auto close = stat.rfind(')');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
        return std::nullopt;
    }
    Process process;
    process.name = stat.substr(open + 1, close - open - 1);
    const std::string head(stat.substr(0, open));
    const std::string rest(stat.substr(close + 1));
    unsigned long long own_user = 0;
    unsigned long long own_system = 0;
    long long child_user = 0;
    long long child_system = 0;
    unsigned long long started = 0;
    const int read = std::sscanf(
        rest.c_str(),
        " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld %lld %*d %*d %u %*d %llu",
        &process.state, &process.parent, &own_user, &own_system, &child_user, &child_system,
        &process.threads, &started);
    if (read != 8 || std::sscanf(head.c_str(), "%d", &process.id) != 1) return std::nullopt;
    process.ticks = own_user + own_system + static_cast<std::uint64_t>(child_user) +
                    static_cast<std::uint64_t>(child_system);
    process.started = started;
    return process;
}

std::vector<Process> all_descendants_of(pid_t root) {
    std::vector<Process> all;
    for (const int number : numbers_in("/proc")) {
        if (auto one = process_in(content_of(folder_of(number) + "/stat"))) {
            all.push_back(std::move(*one));
        }
    }
    std::set<pid_t> family = {root};
    // A child may have a smaller number than its parent, so it takes as many rounds as generations.
    for (bool grew = true; grew;) {
        grew = false;
        for (const Process& each : all) {
            if (family.contains(each.parent)) grew |= family.insert(each.id).second;
        }
    }
    std::erase_if(
        all, [&](const Process& each) { return each.id == root || !family.contains(each.id); });
    return all;
}

std::vector<Process> descendants_of(pid_t root) {
    auto all = all_descendants_of(root);
    std::erase_if(all, [](const Process& each) { return each.has_ended(); });
    return all;
}

std::map<int, std::string> descriptors_of(pid_t process) {
    std::map<int, std::string> all;
    const std::string folder = folder_of(process) + "/fd";
    for (const int number : numbers_in(folder)) {
        std::error_code gone;
        const auto target = fs::read_symlink(folder + "/" + std::to_string(number), gone);
        if (!gone) all.emplace(number, target.string());
    }
    return all;
}

std::optional<int> flags_in(std::string_view fdinfo) {
    const auto at = fdinfo.find("flags:");
    if (at == std::string_view::npos) return std::nullopt;
    const std::string rest(fdinfo.substr(at + 6));
    unsigned flags = 0;
    if (std::sscanf(rest.c_str(), " %o", &flags) != 1) return std::nullopt;
    return static_cast<int>(flags);
}

std::optional<int> flags_of(pid_t process, int descriptor) {
    return flags_in(content_of(folder_of(process) + "/fdinfo/" + std::to_string(descriptor)));
}

std::optional<int> descriptor_of_socket(pid_t process, std::uint64_t inode) {
    const std::string wanted = "socket:[" + std::to_string(inode) + "]";
    for (const auto& [number, target] : descriptors_of(process)) {
        if (target == wanted) return number;
    }
    return std::nullopt;
}

double seconds_of(std::uint64_t ticks) {
    static const auto a_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
    return static_cast<double>(ticks) / a_second;
}

}  // namespace hark::probe
