// From the end of a process to a verdict: no end but an orderly one, with an outcome, is a pass.
#include <doctest/doctest.h>
#include <signal.h>

#include <memory>
#include <string>

#include "harness/cell/ending.h"
#include "harness/cell/ledger_file.h"

using namespace hark;
using nlohmann::json;

namespace {

// As wait(2) has them.
int exited(int status) { return status << 8; }

struct Cell {
    Ending ending;
    std::string outcome =
        json{{"verdict", "pass"}, {"how", ""}, {"seen", ""}, {"message", ""}, {"expected", ""}}
            .dump();
    CrashSite crash;
    std::unique_ptr<shim::Ledger> ledger = std::make_unique<shim::Ledger>();

    [[nodiscard]] json row(bool judged = true) const {
        return conclude(ending, outcome, crash, *ledger, judged);
    }
    [[nodiscard]] std::string how() const {
        const json concluded = row();
        CHECK(concluded["verdict"] == "fail");
        return concluded["how"];
    }
};

}  // namespace

TEST_CASE("an orderly end with an outcome is what the outcome says") {
    CHECK(Cell{}.row()["verdict"] == "pass");
}

TEST_CASE("an end without an outcome is never a pass") {
    Cell cell;
    for (const char* none : {"", "{", "[]", "\"pass\""}) {
        cell.outcome = none;
        CHECK(cell.how() == "exit");
    }
}

TEST_CASE("an outcome does not outweigh the end") {
    Cell cell;
    cell.ending.status = exited(1);
    CHECK(cell.how() == "exit");
    cell.ending.status = SIGSEGV;
    CHECK(cell.how() == "crash");
    cell.ending.status = SIGXCPU;
    CHECK(cell.how() == "hang");
    cell.ending = {.status = SIGKILL, .timed_out = true};
    CHECK(cell.how() == "hang");
    cell.ending = {.status = SIGKILL, .deadlocked = true};
    CHECK(cell.row()["seen"].get<std::string>().starts_with("deadlock"));
}

TEST_CASE("a wait for a connection that never comes is a hang") {
    Cell cell;
    cell.ending.status = exited(shim::exit_would_block);
    cell.ledger->end.store(shim::End::would_block);
    CHECK(cell.how() == "hang");
}

TEST_CASE("calls without end are a hang") {
    Cell cell;
    cell.ending.status = exited(shim::exit_busy);
    cell.ledger->end.store(shim::End::busy);
    CHECK(cell.how() == "hang");
    CHECK(cell.row()["seen"].get<std::string>().find("call after call") != std::string::npos);
}

TEST_CASE("whoever was refused memory and died of it ran out of it") {
    Cell cell;
    cell.ending.status = SIGABRT;
    cell.ledger->memory_refused.store(1);
    CHECK(cell.how() == "memory");
}

TEST_CASE("what was left running is a leak of whoever passed") {
    Cell cell;
    cell.ending.orphans = true;
    CHECK(cell.how() == "leak");
}

TEST_CASE("a flood is a failure of whoever passed, a word is not") {
    Cell cell;
    cell.ending.printed = 4096;
    CHECK(cell.row()["verdict"] == "pass");
    cell.ending.printed = std::uint64_t{32} << 20;
    CHECK(cell.how() == "flood");
}

TEST_CASE("a signal to somebody else is told from any other end by SIGSYS") {
    Cell cell;
    cell.ending.status = SIGSYS;
    CHECK(cell.row()["seen"].get<std::string>().ends_with("a process that is not its own"));
    cell.crash.signal.store(SIGSYS);  // one that a handler saw was raised by the subject itself
    CHECK_FALSE(cell.row()["seen"].get<std::string>().ends_with("that is not its own"));
}

TEST_CASE("a ledger that was made anew is no pass") {
    Cell cell;
    cell.ending.scribbled = true;
    CHECK(cell.how() == "wrong");
}

TEST_CASE("where nothing is judged, a bad end is a fact") {
    Cell cell;
    cell.ending.status = SIGSEGV;
    const json row = cell.row(false);
    CHECK(row["verdict"] == "recorded");
    CHECK(row["recorded"]["the run ended by"].get<std::string>().find("SIGSEGV") !=
          std::string::npos);
}

TEST_CASE("a ledger that was written over leads nobody outside of it") {
    Cell cell;
    cell.outcome = "";
    std::memset(static_cast<void*>(cell.ledger.get()), 0xff, sizeof(shim::Ledger));
    CHECK(cell.row()["verdict"] == "fail");
}
