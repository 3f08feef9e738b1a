// The page that driver and shim share: rules in, trace and counts out.
//
// It is mapped, never sent, so it survives fork and a subject that was killed.  Everything in it is
// plain numbers: no pointer that only one side could follow, no lock that could outlive its holder.
// This header knows the tables and nothing else of Hark.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <iterator>

#include "shims/family.h"
#include "shims/schedule.h"

namespace shim {

enum class Call : std::uint16_t {
#define CALL(result, name, params, args, reports_by, captures, flags) name,
#define BY_HAND CALL
#include "shims/calls.def"
    count_
};

inline constexpr std::size_t call_count = static_cast<std::size_t>(Call::count_);

// What the trace keeps of the memory an argument points to, in Record::payload.
enum class Capture : std::uint8_t {
    nothing,
    address,       // the sockaddr, argument 1
    option_in,     // the option's value as it was given, argument 3
    option_out,    // the option's value as it came back
    epoll_event,   // the one epoll_event of epoll_ctl
    epoll_events,  // the first epoll_events that a wait gave
    pair,          // two descriptors
    pollfds,       // the first pollfds, after the call
    mutex_kind,    // an int, PTHREAD_MUTEX_NORMAL and so on: it decides what the lock may report
};

// What becomes of the connection when accept is made to fail (see shims/README.md).
enum class Class : std::uint8_t {
    sticky,     // nothing was dequeued: the connection stays in the queue
    consuming,  // the connection is gone: really accepted, reset and closed, then reported
    fatal,      // as sticky; the descriptor or the arguments are beyond repair
};

// What a descriptor is to the listener; a rule may ask for it.
enum class Role : std::uint8_t { none, other, socket, listener, accepted, epoll };

enum class Action : std::uint8_t {
    report,        // fail with Rule::error
    return_value,  // return Rule::value without making the call
    drop,          // clear the bits of Rule::value in the call's flags, then make it
    delay,         // wait Rule::value microseconds, then make it
    ready,         // make a wait that says of a listener what Rule::value, a Readiness, tells
    addrlen,       // make it, and tell Rule::value as the length of the peer's address
};

// What a wait is made to say of a listener that it watches.
enum class Readiness : std::uint8_t {
    spurious,  // readable, and nothing waits
    lost,      // nothing, and something waits
    error,     // EPOLLERR and EPOLLHUP
};

// One fault as numbers.  `first`, `last` and `step` count the invocations that match everything
// else, over all of the rule's calls together, from one.
struct Rule {
    std::uint64_t calls[2] = {};  // a set: bit n of the whole is the Call of that number
    Action action = Action::report;
    Class consequence = Class::sticky;
    Role role = Role::none;  // none: any descriptor
    std::uint8_t condition_count = 0;
    std::int32_t fd = -1;    // -1: any number
    std::int32_t error = 0;  // an errno value; always positive
    std::int64_t value = 0;
    struct Condition {
        std::int64_t argument = 0;  // which, from zero
        std::int64_t equals = 0;
    } conditions[2];
    std::uint32_t first = 1;
    std::uint32_t last = 1;
    std::uint32_t step = 1;
    Per per = Per::family;  // what `first`, `last` and `step` count
    // Of the sockets that the call is made on; a descriptor that is no socket is never meant then.
    Domain domain = Domain::any;
    std::uint16_t port = 0;    // as people write it; zero: any
    bool has_address = false;  // bound to this one; an IPv4 address is a mapped one
    unsigned char address[16] = {};
    std::atomic<std::uint32_t> is_off{0};  // neither counts nor acts
    std::atomic<std::uint32_t> seen{0};    // invocations that matched
    std::atomic<std::uint32_t> fired{0};   // and of these, the ones that were made to fail

    constexpr void add(Call call) {
        const auto bit = static_cast<unsigned>(call);
        calls[bit / 64] |= std::uint64_t{1} << (bit % 64);
    }
    [[nodiscard]] constexpr bool has(Call call) const {
        const auto bit = static_cast<unsigned>(call);
        return (calls[bit / 64] >> (bit % 64) & 1) != 0;
    }
    [[nodiscard]] constexpr bool covers(std::uint32_t nth) const {
        return first <= nth && nth <= last && (nth - first) % step == 0;
    }
};

static_assert(call_count <= 128, "Rule::calls is a set of 128");

// What is remarkable about a record.
enum Mark : std::uint16_t {
    mark_injected = 1,        // a rule decided the outcome
    mark_consumed = 2,        // and a connection was taken from the queue for it
    mark_unfinished = 4,      // entered and not, or not yet, returned
    mark_would_block = 8,     // would have blocked for ever; the process was ended here
    mark_note = 16,           // not a call: a line of text from the harness
    mark_foreign_close = 32,  // closed a descriptor that belongs to someone else
    mark_stale_fd = 64,       // used a descriptor that was not open
    mark_harness = 128,       // made by the harness itself, kept because it explains what follows
    mark_pretended = 256,     // a rule said that it succeeded, and the kernel was not asked
    mark_unseen = 512,        // let go on by the supervisor: what came of it nobody saw
};

// ISO C++ has no unnamed struct in a union; g++ and clang have.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"

// One call, or one note.  `number` is stored last, and is zero in a record that is being written.
struct Record {
    std::atomic<std::uint32_t> number;  // from one, in the order of entry
    Call call;
    std::uint16_t marks;
    std::int32_t thread;  // the kernel's thread id
    std::int32_t error;   // the errno that the call reported, zero if it succeeded
    std::int64_t result;
    std::uint64_t caller;  // return address
    union {
        struct {
            std::int64_t arguments[6];
            std::uint16_t rule;  // one more than the index of the rule that fired, or zero
            std::uint16_t payload_size;
            std::int32_t process;
            unsigned char payload[40];
        };
        char text[96];  // of a note, ended by a zero
    };
};

#pragma GCC diagnostic pop

static_assert(sizeof(Record) == 128, "two cache lines a record");

struct Range {
    std::uint64_t begin;
    std::uint64_t end;
};

// The life of one descriptor number.
struct Descriptor {
    std::atomic<Role> role{Role::none};       // none: not open, as far as the shim saw
    std::atomic<bool> of_subject{false};      // opened by the subject's code and not handed over
    std::atomic<std::uint32_t> opened_by{0};  // the record that opened it, zero if none was kept
    std::atomic<std::uint32_t> closed_by{0};
    // What epoll_ctl was last told of it, so that a wait can be made to say something of it.
    struct Watch {
        std::atomic<std::uint32_t> events{0};  // with what epoll always tells; zero: not watched
        std::atomic<std::int32_t> epoll{0};
        std::atomic<std::uint32_t> epoll_opened_by{0};  // its number may be another's by now
        std::atomic<std::uint64_t> data{0};
    } watch;
};

// One live allocation made by the subject's code.
struct Allocation {
    std::atomic<std::uint64_t> pointer{0};  // zero: the place is free; one: it was, keep probing
    std::uint64_t size;
    std::uint32_t made_by;  // the record
    std::uint32_t unused;
};

// Why the shim itself ended the process.
enum class End : std::uint32_t { none, would_block, busy, deadlock };

inline constexpr std::uint64_t ledger_magic = 0x48'61'72'6b'00'00'00'05;  // "Hark", layout 5
inline constexpr std::size_t rule_room = 16;
inline constexpr std::size_t range_room = 32;
inline constexpr std::size_t record_room = 1 << 14;
inline constexpr std::size_t descriptor_room = 4096;
inline constexpr std::size_t allocation_room = 1 << 13;
inline constexpr int exit_would_block = 86;  // the exit status that goes with End::would_block
inline constexpr int exit_busy = 87;         // and with End::busy
inline constexpr int exit_deadlock = 88;     // and with End::deadlock

// The coarse ones stop with those whose time they tell.
inline constexpr clockid_t stoppable_clocks[] = {CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW,
                                                 CLOCK_BOOTTIME, CLOCK_REALTIME};

struct Ledger {
    std::uint64_t magic;
    std::uint64_t size;  // sizeof(Ledger); with magic, what the shim checks before it trusts this

    std::atomic<std::uint32_t> recording;  // zero: every call goes straight through
    std::atomic<std::uint32_t> ends_on_block;
    std::atomic<std::uint32_t> most_calls;  // the process ends at this one; zero: no limit
    std::atomic<End> end;
    // Whose descriptors and allocations the tables below tell of, as its own getpid() says; zero:
    // everyone's.  A forked child has numbers and addresses of its own and would overwrite them.
    std::atomic<std::int32_t> process;

    // Nanoseconds by which clocks are ahead of what they would tell (clocks.def): every one, and on
    // top of that those that someone may set, who may also set them back; in `process` only.
    std::atomic<std::int64_t> clock_ahead;
    std::atomic<std::int64_t> wall_clock_ahead;
    // What each of stoppable_clocks told when it was stopped, in nanoseconds; zero: it runs.
    std::atomic<std::int64_t> clock_stopped_at[std::size(stoppable_clocks)];

    std::uint32_t rule_count;
    std::uint32_t range_count;  // zero: every caller counts as the subject
    Rule rules[rule_room];
    Range ranges[range_room];

    std::atomic<std::uint32_t> calls[call_count];  // made by the subject while recording
    std::atomic<std::uint32_t> record_count;       // ever made; the ring holds the last record_room
    std::atomic<std::uint32_t> allocation_count;   // live, of the subject
    std::atomic<std::uint32_t> allocations_lost;   // not followed, for want of room
    std::atomic<std::uint32_t> memory_refused;     // allocations that failed without a rule

    Schedule schedule;
    Family family;

    Descriptor descriptors[descriptor_room];
    Allocation allocations[allocation_room];
    Record records[record_room];
};

static_assert(std::atomic<std::uint32_t>::is_always_lock_free &&
                  std::atomic<std::uint64_t>::is_always_lock_free &&
                  std::atomic<Role>::is_always_lock_free,
              "a lock here could outlive the process that took it");

}  // namespace shim
