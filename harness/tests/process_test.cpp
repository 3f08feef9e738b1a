// What /proc says, read: processes, descriptors, sockets.
#include "harness/probe/process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "harness/fd.h"
#include "harness/probe/listening.h"
#include "harness/tests/scratch_file.h"

using namespace hark;
using namespace hark::probe;

namespace {

// Two that listen, one that waits to be accepted, one that was, and the head of the table.
constexpr char table[] =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n"
    "   0: 0100007F:1B9E 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 "
    "4711 1 0000000000000000 100 0 0 10 0\n"
    "   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000    33        0 "
    "4712 1 0000000000000000 100 0 0 10 0\n"
    "   2: 0100007F:1B9E 0100007F:A000 01 00000000:00000000 00:00000000 00000000     0        0 0 "
    "1 0000000000000000 20 4 30 10 -1\n"
    "   3: 0100007F:1B9E 0100007F:A002 08 00000000:00000000 00:00000000 00000000     0        0 "
    "4713 1 0000000000000000 20 4 30 10 -1\n"
    "   4: 0100007F:A002 0100007F:1B9E 05 00000000:00000000 00:00000000 00000000     0        0 "
    "4714 1 0000000000000000 20 4 30 10 -1\n";

}  // namespace

TEST_CASE("sockets that listen are found in the kernel's table") {
    const auto found = listening_in(table, false);
    REQUIRE(found.size() == 2);
    CHECK(found[0].text() == "127.0.0.1:7070");
    CHECK(found[0].inode == 4711);
    CHECK(found[0].waiting == 3);
    CHECK(found[1].text() == "0.0.0.0:80");
    CHECK(listening_in("", false).empty());
    CHECK(listening_in("nonsense\n\n: : :\n", false).empty());
}

TEST_CASE("an IPv6 address is read as people write it") {
    const auto found = listening_in(
        "   0: 00000000000000000000000001000000:1B9E 00000000000000000000000000000000:0000 0A "
        "00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0\n",
        true);
    REQUIRE(found.size() == 1);
    CHECK(found[0].text() == "[::1]:7070");
}

TEST_CASE("who waits in the queue has not been accepted") {
    CHECK(accepted_in(table, 7070) == 1);
    CHECK(accepted_in(table, 80) == 0);
}

TEST_CASE("a process may have any name") {
    const auto one =
        process_in("42 (a) (b) R 1 42 42 0 -1 4194304 1 0 0 0 7 5 3 2 20 0 4 0 99 1 1 1 1 1 1 1 1");
    REQUIRE(one.has_value());
    CHECK(one->id == 42);
    CHECK(one->name == "a) (b");
    CHECK(one->parent == 1);
    CHECK(one->ticks == 17);
    CHECK(one->threads == 4);
    CHECK(one->started == 99);
    CHECK_FALSE(one->has_ended());
    for (const char* text : {"", "42", "42 (a", ") 42 (", "42 (a) R 1"}) {
        CHECK_FALSE(process_in(text).has_value());
    }
}

TEST_CASE("descendants are found through all generations, and what has ended is known") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(ends[1]);
        if (::fork() == 0) ::setsid();
        char none = 0;
        (void)!::read(ends[0], &none, 1);
        while (::wait(nullptr) > 0) continue;
        ::_exit(0);
    }
    ::close(ends[0]);
    // The grandchild is there once its parent waits for the pipe, which this waits for.
    std::size_t most = 0;
    for (int i = 0; i < 100'000 && most < 2; ++i) most = descendants_of(::getpid()).size();
    CHECK(most == 2);
    ::close(ends[1]);
    siginfo_t info{};
    REQUIRE(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) == 0);
    CHECK(descendants_of(::getpid()).empty());
    REQUIRE(all_descendants_of(::getpid()).size() == 1);
    CHECK(all_descendants_of(::getpid()).front().has_ended());
    REQUIRE(::waitpid(child, nullptr, 0) == child);
}

TEST_CASE("flags of a descriptor are as fcntl knows them") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    const Fd one(ends[0]);
    const Fd other(ends[1]);
    const auto flags = flags_of(::getpid(), one.get());
    REQUIRE(flags.has_value());
    CHECK((*flags & O_CLOEXEC) != 0);
    CHECK((*flags & O_NONBLOCK) != 0);
    CHECK(descriptors_of(::getpid()).at(one.get()).starts_with("pipe:["));
    CHECK_FALSE(flags_of(::getpid(), 12345).has_value());
    CHECK_FALSE(flags_in("pos:\t0\n").has_value());
}

TEST_CASE("the end of a log begins with a line") {
    const ScratchFile file("first\nsecond\nthird\n");
    CHECK(end_of(file.path(), 100) == "first\nsecond\nthird\n");
    CHECK(end_of(file.path(), 9) == "third\n");
    CHECK(lines_in(file.path()) == 3);
    CHECK(lines_in("/no/such/file") == 0);
    CHECK(end_of("/no/such/file", 9).empty());
}
