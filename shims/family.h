// The part of the ledger by which the processes of a whole program share it: a server, its workers,
// and whatever it starts.
//
// A *tally* is how often a rule matched and fired for one listening socket in one process.  The
// socket is known by the inode that the kernel gave it, which is the same in whoever inherits it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace shim {

// What a rule counts by itself when it asks whether an invocation is the first, the second and so
// on.  Calls that are made on no listening socket count as if they were all made on one.
enum class Per : std::uint8_t {
    family,    // everything, whoever calls on whatever
    listener,  // each listening socket, whoever calls: "once" stays once when workers are forked
    process,   // each listening socket in each process
};

// Which sockets a rule means, by what they are bound to.
enum class Domain : std::uint8_t { any, inet, inet4, inet6, unix_domain };

inline constexpr std::size_t tally_room = 1 << 10;

struct Tally {
    std::atomic<std::uint64_t> key{0};  // zero: the place is free
    std::atomic<std::uint32_t> seen{0};
    std::atomic<std::uint32_t> fired{0};
};

// A tally of all processes has the process zero, one of no listening socket the inode zero.
struct TallyKey {
    std::uint32_t rule;  // from zero
    std::uint32_t inode;
    std::int32_t process;

    [[nodiscard]] constexpr std::uint64_t packed() const {
        // A process has 22 bits at most (proc(5), pid_max), and a rule 5.
        return std::uint64_t{inode} << 32 |
               std::uint64_t{static_cast<std::uint32_t>(process)} << 6 | (rule + 1);
    }
    [[nodiscard]] static constexpr TallyKey of(std::uint64_t packed) {
        return {static_cast<std::uint32_t>(packed & 63) - 1,
                static_cast<std::uint32_t>(packed >> 32),
                static_cast<std::int32_t>(packed >> 6 & 0x3ff'ffff)};
    }
};

struct Family {
    // Not zero: several processes write here.  Each keeps its own table of descriptors, which its
    // children inherit as they do the descriptors; allocations are not followed.
    std::atomic<std::uint32_t> is_one{0};
    std::atomic<std::int32_t> only{0};  // not zero: the one process whose calls count
    std::uint64_t unwatched[2] = {};    // a set of calls, as Rule::calls, that go straight through
    // What an accept of the shim's carries in the register of its sixth argument, which the kernel
    // does not look at, so that a filter beside it knows those that came by; zero: none does.
    std::uint64_t accept_mark = 0;

    // Calls that came past the shim, as the supervisor saw them, and the last who made one.
    std::atomic<std::uint32_t> escaped{0};
    std::atomic<std::int32_t> escaped_process{0};
    std::atomic<std::uint64_t> last_asked{0};  // the kernel's number of the last notification read
    std::atomic<std::int32_t> uring_process{0};   // asked for an io_uring
    std::atomic<std::int32_t> closed_process{0};  // whose descriptors may not be looked at
    std::atomic<std::uint32_t> tallies_lost{0};   // for want of room
    Tally tallies[tally_room];
};

// The tally of this key, entered if there is none; null if there is no room.
inline Tally* tally_of(Family& family, const TallyKey& asked) {
    const std::uint64_t key = asked.packed();
    const std::uint64_t hash = key * 0x9e37'79b9'7f4a'7c15 >> 40;
    constexpr std::size_t window = 64;
    for (std::size_t step = 0; step < window; ++step) {
        Tally& place = family.tallies[(hash + step) & (tally_room - 1)];
        std::uint64_t held = place.key.load(std::memory_order_acquire);
        if (held == 0 && place.key.compare_exchange_strong(held, key)) return &place;
        if (held == key) return &place;
    }
    family.tallies_lost.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
}

}  // namespace shim
