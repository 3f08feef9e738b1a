// Clocks that are set while a listener listens (policy linux_robust): by the shim, in the
// listener's own process, and by libfaketime, in a program.

#include <sys/mman.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>

#include "cases/delivery.h"
#include "cases/echo_program.h"
#include "harness/must.h"

using namespace hark;

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds an_hour{3600};

// The file from which libfaketime learns how far off the clock is to be.
class FakeTime {
  public:
    FakeTime() : file_(must(::memfd_create("hark-faketime", MFD_CLOEXEC), "memfd_create")) {
        set(std::chrono::seconds(0));
    }

    void set(std::chrono::seconds ahead) {
        const std::string text =
            (ahead < std::chrono::seconds(0) ? "" : "+") + std::to_string(ahead.count()) + "s\n";
        must(::ftruncate(file_.get(), 0), "ftruncate");
        must(::pwrite(file_.get(), text.data(), text.size(), 0), "pwrite");
    }

    // faketime(1): read anew at every call, steady clocks left alone.
    [[nodiscard]] std::vector<std::string> environment() const {
        return {"FAKETIME_TIMESTAMP_FILE=/proc/" + std::to_string(::getpid()) + "/fd/" +
                    std::to_string(file_.get()),
                "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"};
    }

  private:
    Fd file_;
};

// What a program says the time is, in seconds ahead of the true one.
long seconds_ahead(const FakeTime& fake) {
    std::vector<std::string> environment = fake.environment();
    environment.emplace_back("LD_PRELOAD=" FAKETIME_LIBRARY);
    Program date({"/bin/date", "+%s"}, environment);
    if (date.end(echo::patience) != 0) throw Broken("date did not tell the time: " + date.said());
    timespec now{};
    must(::clock_gettime(CLOCK_REALTIME, &now), "clock_gettime");
    return std::stol(date.said()) - now.tv_sec;
}

}  // namespace

CASE_FOR(ROB_8, while_it_listens, every_maker,
         "a wall clock that leaps ahead and back costs a listener no connection") {
    auto& listener = stage.make();
    std::size_t owed = 0;
    for (const auto ahead : {an_hour, -an_hour, std::chrono::seconds(0)}) {
        const auto& waiting = stage.connect(listener);
        stage.set_wall_clock(ahead);
        const auto& late = stage.connect(listener);
        owed += 2;
        stage.settle();
        CHECK(listener.delivered() == owed);
        CHECK(listener.delivered_to(waiting) == 1);
        CHECK(listener.delivered_to(late) == 1);
    }
}

CASE_FOR(ROB_8, while_it_pauses, every_maker,
         "a wall clock that leaps while a listener pauses neither ends nor lengthens the pause") {
    auto& listener = stage.make();
    std::size_t owed = 0;
    for (const auto ahead : {an_hour, -an_hour}) {
        (void)stage.connect(listener);
        stage.inject("accept,accept4:error=EMFILE:when=1");
        stage.loop().turn();
        stage.require_reached();
        stage.set_wall_clock(ahead);
        ++owed;
        CHECK(stage.settle_until([&] { return listener.delivered() == owed; }, 2000ms).has_value());
    }
}

CASE(ROB_8, under_libfaketime,
     "a program whose clock libfaketime sets ahead and back serves every client") {
    if (!std::filesystem::exists(FAKETIME_LIBRARY))
        stage.unsupported("libfaketime is not installed");
    FakeTime fake;
    const auto port = echo::free_port(stage);
    auto server = echo::start(stage, port, FAKETIME_LIBRARY, fake.environment());
    auto& first = echo::connect_to(stage, server, echo::at("127.0.0.1", port));
    REQUIRE(first.is_connected());
    REQUIRE(echo::echo_of(first, "in time") == "in time");

    for (const auto ahead : {an_hour, -an_hour}) {
        fake.set(ahead);
        // The clock is set indeed, for whoever asks.
        const long off = seconds_ahead(fake) - ahead.count();
        REQUIRE(-5 < off);
        REQUIRE(off < 5);
        CHECK(echo::echo_of(first, "still there") == "still there");
        auto& late = stage.connect(echo::at("127.0.0.1", port));
        CHECK(echo::echo_of(late, "come late") == "come late");
    }
}
