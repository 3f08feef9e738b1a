// What is too much is told by what the same server does in peace.
#include <doctest/doctest.h>

#include "harness/probe/peace.h"

using namespace hark::probe;

namespace {

Peace peace() {
    Peace one;
    one.busy = {.seconds = 1, .accepts = 2000, .waits = 2000, .processor = 0.4, .lines = 0};
    one.clients = 1000;
    return one;
}

std::string how(const Rates& rates, const Peace& in_peace, double came = 200) {
    const auto way = excess(rates, came, in_peace);
    return way ? way->how : "";
}

}  // namespace

TEST_CASE("who pauses spends next to nothing") {
    CHECK(how({.seconds = 1, .accepts = 10, .waits = 10, .processor = 0.01, .lines = 10},
              peace()) == "");
}

TEST_CASE("a spin is seen by the processor, whether accept is called or not") {
    const Rates spin{.seconds = 1, .accepts = 300'000, .waits = 300'000, .processor = 0.9};
    CHECK(how(spin, peace()) == "spin");
    CHECK(excess(spin, 200, peace())->seen.find("tried again") != std::string::npos);
    const Rates busy{.seconds = 1, .accepts = 0, .waits = 300'000, .processor = 0.9};
    CHECK(excess(busy, 200, peace())->seen.find("not even called") != std::string::npos);
}

TEST_CASE("on a busy machine the calls and wake-ups tell as well") {
    CHECK(how({.seconds = 1, .accepts = 30'000, .waits = 30'000, .processor = 0.06}, peace()) ==
          "spin");
    CHECK(how({.seconds = 1, .accepts = 0, .waits = 30'000, .processor = 0.06}, peace()) == "spin");
    CHECK(how({.seconds = 1, .accepts = 1'000, .waits = 1'000, .processor = 0.06}, peace()) == "");
}

TEST_CASE("who is busy in peace may be busy") {
    Peace restless = peace();
    restless.idle.processor = 0.9;
    restless.busy.processor = 1.0;
    CHECK(how({.seconds = 1, .processor = 0.91}, restless) == "");
}

TEST_CASE("a log is flooded by many lines for each client that came") {
    Rates rates{.seconds = 1, .processor = 0.01, .lines = 500};
    CHECK(how(rates, peace()) == "");
    rates.lines = 700;
    CHECK(how(rates, peace()) == "flood");
    Peace talkative = peace();
    talkative.busy.lines = 3000;  // three for each client
    CHECK(how(rates, talkative) == "");
}
