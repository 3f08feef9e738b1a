// Each oracle that reads the trace, with a trace that breaks its rule beside the nearest that does
// not.  What the stage finds by other means (deaf, leak, spin, unrecovered) is not judged here.
#include "harness/stage/oracle.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/epoll.h>

#include <cerrno>

#include "harness/tests/written_trace.h"

using namespace hark;
using shim::Call;

namespace doctest {
template <>
struct StringMaker<Broke> {
    static String convert(const Broke& broke) {
        std::string all;
        for (const Oracle each : broke) all += std::string(row_of(each).name) + " ";
        return all.c_str();
    }
};
}  // namespace doctest

namespace {

constexpr int listener = 7;
constexpr int epoll = 3;
constexpr int fd = 9;

Written watch(int operation, std::int64_t of, std::int32_t error = 0, int marks = 0) {
    return {.call = Call::epoll_ctl,
            .arguments = {epoll, operation, of, 0},
            .result = error == 0 ? 0 : -1,
            .error = error,
            .marks = marks};
}

Written mutex(Call call, std::int64_t which, std::int32_t thread = 1, std::int64_t result = 0) {
    return {.call = call, .arguments = {which}, .result = result, .thread = thread};
}

}  // namespace

TEST_CASE("the table of oracles is in the order of their names") {
    for (const OracleRow& each : oracle_table) CHECK(&row_of(each.oracle) == &each);
    CHECK(std::is_sorted(std::begin(oracle_table), std::end(oracle_table),
                         [](const OracleRow& a, const OracleRow& b) { return a.name < b.name; }));
}

TEST_CASE("nothing is found in a trace without calls") { CHECK(WrittenTrace().broken().empty()); }

TEST_CASE("doubled: a connection is delivered once") {
    WrittenTrace trace;
    trace.accepts(listener, fd).tell(Told::accepted, listener, fd);
    CHECK(trace.broken().empty());
    trace.tell(Told::accepted, listener, fd);
    REQUIRE(trace.broken() == Broke{Oracle::doubled});
    CHECK(trace.findings()[0].record == 3);
}

TEST_CASE("doubled: a number that was closed and given again is another connection") {
    WrittenTrace trace;
    for (int i = 0; i < 2; ++i) {
        trace.accepts(listener, fd).tell(Told::accepted, listener, fd).closes(fd);
    }
    CHECK(trace.broken().empty());
    // As it is when its new owner closed it unseen.
    trace.accepts(listener, fd).tell(Told::accepted, listener, fd);
    trace.accepts(listener, fd).tell(Told::accepted, listener, fd);
    CHECK(trace.broken().empty());
}

TEST_CASE("lost: a duplicate is the same connection") {
    constexpr int copy = 12;
    const auto duplicate = [](WrittenTrace& trace) -> WrittenTrace& {
        return trace.accepts(listener, fd)
            .call({.call = Call::fcntl, .arguments = {fd, F_DUPFD_CLOEXEC, 0}, .result = copy});
    };
    WrittenTrace handed_over;
    duplicate(handed_over).tell(Told::accepted, listener, copy).closes(fd).closes(copy);
    CHECK(handed_over.broken().empty());
    WrittenTrace closed;
    duplicate(closed).closes(fd).closes(copy);
    CHECK(closed.broken() == Broke{Oracle::lost});
    WrittenTrace told_of_both;
    duplicate(told_of_both).tell(Told::accepted, listener, copy).tell(Told::accepted, listener, fd);
    CHECK(told_of_both.broken() == Broke{Oracle::doubled});
}

TEST_CASE("lost: what was accepted is delivered before it is closed, or at the end") {
    CHECK(WrittenTrace().accepts(listener, fd).broken() == Broke{Oracle::lost});
    CHECK(WrittenTrace().accepts(listener, fd).closes(fd).broken() == Broke{Oracle::lost});
    WrittenTrace late;
    late.accepts(listener, fd).closes(fd).tell(Told::accepted, listener, fd);
    CHECK(late.broken() == Broke{Oracle::lost});
    WrittenTrace well;
    well.accepts(listener, fd).tell(Told::accepted, listener, fd).closes(fd);
    CHECK(well.broken().empty());
}

TEST_CASE("lost: what a rule only said was accepted is nobody's connection") {
    CHECK(WrittenTrace()
              .call({.call = Call::accept4,
                     .arguments = {listener},
                     .result = fd,
                     .marks = shim::mark_injected | shim::mark_pretended})
              .broken()
              .empty());
    // Nor is one whose address was asked for, and has no length.
    CHECK(WrittenTrace()
              .call({.call = Call::accept4,
                     .arguments = {listener, 0x1000},
                     .result = fd,
                     .marks = shim::mark_injected})
              .broken()
              .empty());
    // A flag that a rule dropped leaves a socket that is real.
    CHECK(WrittenTrace()
              .call({.call = Call::accept4,
                     .arguments = {listener},
                     .result = fd,
                     .marks = shim::mark_injected})
              .broken() == Broke{Oracle::lost});
}

TEST_CASE("foreign: a descriptor of someone else's is not closed") {
    CHECK(WrittenTrace().closes(5, shim::mark_foreign_close).broken() == Broke{Oracle::foreign});
    CHECK(WrittenTrace().closes(5).broken().empty());
}

TEST_CASE("stale: a descriptor that it has closed is not used") {
    const Written use{.call = Call::listen,
                      .arguments = {fd, 128},
                      .result = -1,
                      .error = EBADF,
                      .marks = shim::mark_stale_fd};
    CHECK(WrittenTrace().closes(fd).call(use).broken() == Broke{Oracle::stale});
    CHECK(WrittenTrace().call(use).broken().empty());  // the caller's mistake
    CHECK(WrittenTrace()
              .closes(fd)
              .call({.call = Call::socket, .result = fd})
              .call(use)
              .broken()
              .empty());
    CHECK(WrittenTrace()
              .closes(fd)
              .call(watch(EPOLL_CTL_DEL, fd, EBADF, shim::mark_stale_fd))
              .broken() == Broke{Oracle::stale});
    Written injected = use;
    injected.marks |= shim::mark_injected;
    CHECK(WrittenTrace().closes(fd).call(injected).broken().empty());
}

TEST_CASE("registration: a freed listener's socket is no longer watched") {
    WrittenTrace kept;
    kept.call(watch(EPOLL_CTL_ADD, listener)).tell(Told::freeing, listener).closes(epoll);
    CHECK(kept.broken() == Broke{Oracle::registration});
    WrittenTrace removed;
    removed.call(watch(EPOLL_CTL_ADD, listener)).tell(Told::freeing, listener);
    removed.call(watch(EPOLL_CTL_DEL, listener)).closes(epoll);
    CHECK(removed.broken().empty());
    WrittenTrace closed;  // the kernel forgets it with the socket
    closed.call(watch(EPOLL_CTL_ADD, listener)).tell(Told::freeing, listener);
    closed.closes(listener).closes(epoll);
    CHECK(closed.broken().empty());
    WrittenTrace alive;
    alive.call(watch(EPOLL_CTL_ADD, listener)).closes(epoll);
    CHECK(alive.broken().empty());
}

TEST_CASE("registration: who asked and was refused by a rule has done what could be done") {
    WrittenTrace refused;
    refused.call(watch(EPOLL_CTL_ADD, listener)).tell(Told::freeing, listener);
    refused.call(watch(EPOLL_CTL_DEL, listener, ENOMEM, shim::mark_injected)).closes(epoll);
    CHECK(refused.broken().empty());
    WrittenTrace never_added;
    never_added.call(watch(EPOLL_CTL_ADD, listener, ENOSPC, shim::mark_injected));
    never_added.tell(Told::freeing, listener).closes(epoll);
    CHECK(never_added.broken().empty());
}

TEST_CASE("lock: what was taken is given back, as often as it was taken") {
    WrittenTrace held;
    held.call(mutex(Call::pthread_mutex_lock, 1));
    CHECK(held.broken() == Broke{Oracle::lock});
    held.call(mutex(Call::pthread_mutex_unlock, 1));
    CHECK(held.broken().empty());

    WrittenTrace recursive;
    recursive.call(mutex(Call::pthread_mutex_lock, 1)).call(mutex(Call::pthread_mutex_lock, 1));
    recursive.call(mutex(Call::pthread_mutex_unlock, 1));
    CHECK(recursive.broken() == Broke{Oracle::lock});
    recursive.call(mutex(Call::pthread_mutex_unlock, 1));
    CHECK(recursive.broken().empty());
}

TEST_CASE("lock: only its own thread gives a lock back, and only a lock that was got is held") {
    WrittenTrace other;
    other.call(mutex(Call::pthread_mutex_lock, 1, 1)).call(mutex(Call::pthread_mutex_unlock, 1, 2));
    CHECK(other.broken() == Broke{Oracle::lock, Oracle::lock});  // by the other, and by the one not
    WrittenTrace refused;
    refused.call(mutex(Call::pthread_mutex_trylock, 1, 1, EBUSY));
    CHECK(refused.broken().empty());
}

TEST_CASE(
    "lock: none is given back twice, and none that was taken before anyone looked is missed") {
    WrittenTrace twice;
    twice.call(mutex(Call::pthread_mutex_lock, 1)).call(mutex(Call::pthread_mutex_unlock, 1));
    CHECK(twice.broken().empty());
    twice.call(mutex(Call::pthread_mutex_unlock, 1));
    CHECK(twice.broken() == Broke{Oracle::lock});
    WrittenTrace by_rule;
    by_rule.call(mutex(Call::pthread_mutex_lock, 1)).call(mutex(Call::pthread_mutex_unlock, 1));
    Written injected = mutex(Call::pthread_mutex_lock, 1, 1, EAGAIN);
    injected.marks = shim::mark_injected;
    CHECK(by_rule.call(injected).call(mutex(Call::pthread_mutex_unlock, 1)).broken().empty());
    WrittenTrace before;
    before.call(mutex(Call::pthread_mutex_unlock, 1));
    CHECK(before.broken().empty());
    WrittenTrace refused;
    refused.call(mutex(Call::pthread_mutex_lock, 1)).call(mutex(Call::pthread_mutex_unlock, 1));
    refused.call(mutex(Call::pthread_mutex_unlock, 1, 1, EPERM));
    CHECK(refused.broken().empty());
}

TEST_CASE("lock: none is destroyed while it is held") {
    WrittenTrace trace;
    trace.call(mutex(Call::pthread_mutex_lock, 1)).call(mutex(Call::pthread_mutex_destroy, 1));
    REQUIRE(trace.broken() == Broke{Oracle::lock});
    CHECK(trace.findings()[0].what.find("call 1 took") != std::string::npos);
    WrittenTrace orderly;
    orderly.call(mutex(Call::pthread_mutex_lock, 1)).call(mutex(Call::pthread_mutex_unlock, 1));
    orderly.call(mutex(Call::pthread_mutex_destroy, 1));
    CHECK(orderly.broken().empty());
}

TEST_CASE("a trace that is longer than the ring gives what its marks say and no more") {
    WrittenTrace trace;
    trace.call(mutex(Call::pthread_mutex_lock, 1));
    for (std::size_t i = 0; i < shim::record_room; ++i) {
        trace.call({.call = Call::getsockname, .arguments = {listener}});
    }
    CHECK(trace.broken().empty());
    trace.closes(5, shim::mark_foreign_close);
    CHECK(trace.broken() == Broke{Oracle::foreign});
}
