// What /proc tells of processes: who is whose child, what they hold open, how long they ran.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hark::probe {

// Nothing where it can't be read: what it told of has ended.
[[nodiscard]] std::string content_of(const std::filesystem::path& file);
// Its last so many bytes, from the beginning of a line if there is one.
[[nodiscard]] std::string end_of(const std::filesystem::path& file, std::size_t room);
[[nodiscard]] std::uint64_t lines_in(const std::filesystem::path& file);

struct Process {
    pid_t id = 0;
    std::string name;
    char state = '?';
    pid_t parent = 0;
    std::uint64_t ticks = 0;  // of the processor, its own and those of the children it waited for
    unsigned threads = 1;
    std::uint64_t started = 0;  // ticks since boot: with the id, which process it is

    [[nodiscard]] bool has_ended() const { return state == 'Z' || state == 'X'; }
};

// A line of /proc/PID/stat.
[[nodiscard]] std::optional<Process> process_in(std::string_view stat);

// Everything that descends from a process, without itself and without what has ended.
[[nodiscard]] std::vector<Process> descendants_of(pid_t root);
// Likewise, with what has ended and waits for its parent.
[[nodiscard]] std::vector<Process> all_descendants_of(pid_t root);

// What a process has open: descriptors, and what /proc calls that which is behind them.
[[nodiscard]] std::map<int, std::string> descriptors_of(pid_t process);
// The flags of an open descriptor as fcntl and open know them, O_CLOEXEC among them.
[[nodiscard]] std::optional<int> flags_of(pid_t process, int descriptor);
[[nodiscard]] std::optional<int> flags_in(std::string_view fdinfo);

// The descriptor by which a process has a socket open, if it has.
[[nodiscard]] std::optional<int> descriptor_of_socket(pid_t process, std::uint64_t inode);

// Seconds of a tick.
[[nodiscard]] double seconds_of(std::uint64_t ticks);

}  // namespace hark::probe
