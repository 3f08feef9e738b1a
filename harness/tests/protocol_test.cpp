// What driver and zygote say to each other, and the memory a cell answers through.
#include "harness/cell/protocol.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "harness/cell/mailbox.h"
#include "harness/fd.h"
#include "harness/must.h"

using namespace hark;

namespace {

struct Ends {
    Ends() {
        int both[2];
        must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both), "socketpair");
        near.reset(both[0]);
        far.reset(both[1]);
    }
    void say(std::string_view text) const {
        must(::send(far.get(), text.data(), text.size(), MSG_NOSIGNAL), "send");
    }
    Fd near;
    Fd far;
};

// Runs it in a child, as a cell would, and waits for the child's end.
template <typename Action>
void in_a_child(Action action) {
    const pid_t child = must(::fork(), "fork");
    if (child == 0) {
        action();
        ::_exit(0);
    }
    int status = 0;
    must(::waitpid(child, &status, 0), "waitpid");
    REQUIRE(status == 0);
}

}  // namespace

TEST_CASE("lines come whole, however they were cut on the way") {
    const Ends ends;
    LineReader reader(ends.near.get());
    std::string line;
    CHECK_FALSE(reader.next(line));
    ends.say("fir");
    REQUIRE(reader.fill());
    CHECK_FALSE(reader.next(line));
    ends.say("st\n\nthi");
    REQUIRE(reader.fill());
    REQUIRE(reader.next(line));
    CHECK(line == "first");
    REQUIRE(reader.next(line));
    CHECK(line.empty());
    CHECK_FALSE(reader.next(line));
    ends.say("rd\n");
    REQUIRE(reader.fill());
    REQUIRE(reader.next(line));
    CHECK(line == "third");
}

TEST_CASE("half a line is none when the other end goes") {
    Ends ends;
    LineReader reader(ends.near.get());
    std::string line;
    ends.say("whole\nhalf");
    ends.far.reset();
    REQUIRE(reader.fill());
    REQUIRE(reader.next(line));
    CHECK(line == "whole");
    CHECK_FALSE(reader.fill());
    CHECK_FALSE(reader.next(line));
}

TEST_CASE("a line to nobody is told, and kills nobody") {
    Ends ends;
    ends.far.reset();
    CHECK_FALSE(send_line(ends.near.get(), "hello"));
}

TEST_CASE("a line that is longer than the socket holds arrives whole") {
    Ends ends;
    const std::string sent(4'000'000, 'x');
    const pid_t child = must(::fork(), "fork");
    if (child == 0) ::_exit(send_line(ends.far.get(), sent) ? 0 : 1);
    ends.far.reset();
    LineReader reader(ends.near.get());
    std::string line;
    while (!reader.next(line) && reader.fill()) continue;
    CHECK(line == sent);
    int status = -1;
    must(::waitpid(child, &status, 0), "waitpid");
    CHECK(status == 0);
}

TEST_CASE("a job is the same after the journey") {
    const Job job{.number = 3,
                  .case_number = 5,
                  .variant_number = 7,
                  .plans = {{"accept:error=EMFILE"}, {}},
                  .timeout_ms = 11,
                  .whole_trace = true,
                  .mode = Mode::sweep};
    const auto read = nlohmann::json::parse(nlohmann::json(job).dump()).get<Job>();
    CHECK(read.number == 3);
    CHECK(read.case_number == 5);
    CHECK(read.variant_number == 7);
    CHECK(read.plans == job.plans);
    CHECK(read.timeout_ms == 11);
    CHECK(read.whole_trace);
    CHECK(read.mode == Mode::sweep);
}

TEST_CASE("what a child puts into the mailbox is there after its death") {
    Mailbox mailbox;
    mailbox.clear(42);
    CHECK(mailbox.get().empty());
    in_a_child([&] { mailbox.put("{\"verdict\":\"pass\"}"); });
    CHECK(mailbox.get() == "{\"verdict\":\"pass\"}");
    mailbox.clear(43);
    CHECK(mailbox.get().empty());
}

TEST_CASE("an outcome from an earlier run is no outcome of this one") {
    Mailbox mailbox;
    mailbox.clear(1);
    // As a child of the earlier run that is still alive would: with the number of that run.
    in_a_child([&] {
        mailbox.clear(1);
        mailbox.put("{\"verdict\":\"pass\"}");
    });
    CHECK(mailbox.get() == "{\"verdict\":\"pass\"}");
    mailbox.clear(2);
    in_a_child([&] {
        mailbox.clear(1);
        mailbox.put("{\"verdict\":\"pass\"}");
    });
    CHECK(mailbox.get().empty());
}

TEST_CASE("an outcome that was written over is none") {
    Mailbox mailbox;
    mailbox.clear(42);
    mailbox.put("{\"verdict\":\"fail\"}");
    // The page begins with the sum and the size; the text is behind the crash site.
    auto* at = reinterpret_cast<char*>(&mailbox.crash()) + sizeof(CrashSite);
    REQUIRE(std::memcmp(at, "{\"verdict\"", 10) == 0);
    std::memcpy(at, "{\"verdict\":\"pass\"}", 18);
    CHECK(mailbox.get().empty());
}

TEST_CASE("an outcome that is longer than the mailbox is cut, not written beyond it") {
    Mailbox mailbox;
    mailbox.clear(42);
    mailbox.put(std::string(Mailbox::room + 10, 'x'));
    CHECK(mailbox.get() == std::string(Mailbox::room, 'x'));
}
