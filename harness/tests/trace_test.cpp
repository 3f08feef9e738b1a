// Lines and traces beyond the call itself: marks, callers, notes, the ring.
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "harness/trace/escape.h"
#include "harness/trace/line.h"
#include "harness/trace/lines.h"
#include "harness/trace/note.h"
#include "harness/trace/symbol.h"

using namespace hark;
using shim::Call;

namespace {

shim::Record& fill(shim::Record& record, std::uint32_t number, Call call) {
    record.call = call;
    record.marks = 0;
    record.thread = 100;
    record.error = 0;
    record.result = 0;
    record.caller = 0;
    std::memset(record.text, 0, sizeof record.text);
    record.number = number;
    return record;
}

shim::Record& add(shim::Ledger& ledger, Call call) {
    const std::uint32_t number = ++ledger.record_count;
    return fill(ledger.records[(number - 1) % shim::record_room], number, call);
}

std::string marked(Call call, int marks, int error = 0) {
    shim::Record record{};
    fill(record, 12, call);
    record.marks = static_cast<std::uint16_t>(marks);
    record.error = error;
    record.result = error != 0 ? -1 : 0;
    record.arguments[0] = 7;
    return trace::to_line(record, {});
}

std::vector<std::string> lines_of(const shim::Ledger& ledger, trace::Options options = {}) {
    return trace::to_lines(ledger, options, {}).lines;
}

std::string some_symbol(std::uint64_t address) { return address == 0x40 ? "on_\x1bread+0x1a" : ""; }

}  // namespace

TEST_CASE("what is remarkable about a call is said in words") {
    using namespace shim;
    CHECK(marked(Call::listen, mark_injected, EADDRINUSE) ==
          "   12 listen(7, 0) = -1 EADDRINUSE (Address already in use) (INJECTED)");
    CHECK(marked(Call::accept, mark_injected | mark_consumed, ECONNABORTED) ==
          "   12 accept(7, NULL, NULL) = -1 ECONNABORTED (Software caused connection abort) "
          "(INJECTED, connection consumed)");
    CHECK(marked(Call::close, mark_injected | mark_consumed, EINTR) ==
          "   12 close(7) = -1 EINTR (Interrupted system call) (INJECTED, descriptor closed)");
    CHECK(marked(Call::accept, mark_unfinished) == "   12 accept(7, NULL, NULL <unfinished ...>");
    CHECK(marked(Call::epoll_wait, mark_unfinished) ==
          "   12 epoll_wait(7, NULL, 0, 0 <unfinished ...>");
    CHECK(marked(Call::accept, mark_would_block) ==
          "   12 accept(7, NULL, NULL) = ? (would block for ever)");
    CHECK(marked(Call::accept, mark_unfinished | mark_would_block) ==
          "   12 accept(7, NULL, NULL) = ? (would block for ever)");
    CHECK(marked(Call::close, mark_foreign_close) ==
          "   12 close(7) = 0 (closed a descriptor of someone else's)");
    CHECK(marked(Call::close, mark_stale_fd, EBADF) ==
          "   12 close(7) = -1 EBADF (Bad file descriptor) (used a descriptor that was not open)");
    CHECK(marked(Call::close, mark_harness) == "   12 close(7) = 0 (by the harness)");
}

TEST_CASE("a line ends with its caller and begins with its thread, if asked") {
    shim::Record record{};
    fill(record, 123456, Call::listen).caller = 0x40;
    CHECK(trace::to_line(record, {some_symbol, false}) ==
          "123456 listen(0, 0) = 0  on_\\x1bread+0x1a");
    CHECK(trace::to_line(record, {{}, true}) == "123456 [tid 100] listen(0, 0) = 0");
    record.caller = 0;
    CHECK(trace::to_line(record, {some_symbol, true}) == "123456 [tid 100] listen(0, 0) = 0");
}

TEST_CASE("a record that the subject wrote over is no way out of the tables") {
    shim::Record record{};
    std::memset(static_cast<void*>(&record), 0xee, sizeof record);
    record.marks = 0;
    CHECK(trace::to_line(record, {}).ends_with(" (a record that was written over)"));
    record.call = Call::accept;
    CHECK(trace::to_line(record, {}).find("accept(") != std::string::npos);
    record.marks = shim::mark_note;
    CHECK(trace::to_line(record, {}).starts_with("# \\xee\\xee"));
}

TEST_CASE("what a subject wrote is printable") {
    CHECK(trace::escaped("a\tb\x7f\xc3\xa4\"\\") == "a\\x09b\\x7f\\xc3\\xa4\"\\");
    CHECK(trace::quoted(std::string_view("a\"b\\\n\0c", 7)) == "\"a\\\"b\\\\\\x0a\\x00c\"");
}

TEST_CASE("the trace goes from the oldest to the newest, notes among the calls") {
    const auto ledger = std::make_unique<shim::Ledger>();
    CHECK(lines_of(*ledger).empty());
    ledger->recording = 1;
    add_note(*ledger, {"peer 1 connects\n"});
    add(*ledger, Call::listen);
    add_note(*ledger, {std::string(200, 'x')});
    add(*ledger, Call::close);
    CHECK(lines_of(*ledger) ==
          std::vector<std::string>{"# peer 1 connects\\x0a", "    2 listen(0, 0) = 0",
                                   "# " + std::string(95, 'x'), "    4 close(0) = 0"});
}

TEST_CASE("allocations and locks that went well are left out unless asked for") {
    const auto ledger = std::make_unique<shim::Ledger>();
    add(*ledger, Call::malloc).result = 16;
    add(*ledger, Call::pthread_mutex_lock);
    add(*ledger, Call::pthread_create);
    add(*ledger, Call::malloc).error = ENOMEM;
    add(*ledger, Call::calloc).marks = shim::mark_injected;
    add(*ledger, Call::pthread_mutex_lock).marks = shim::mark_unfinished;

    const auto without = lines_of(*ledger);
    REQUIRE(without.size() == 4);
    CHECK(without[0].find("pthread_create(") != std::string::npos);
    CHECK(without[3].ends_with("<unfinished ...>"));
    CHECK(lines_of(*ledger, {.allocations = true}).size() == 5);
    CHECK(lines_of(*ledger, {.locks = true}).size() == 5);
    CHECK(lines_of(*ledger, {.allocations = true, .locks = true}).size() == 6);
}

TEST_CASE("threads are told apart only where there are several") {
    const auto ledger = std::make_unique<shim::Ledger>();
    add(*ledger, Call::listen);
    ledger->recording = 1;
    add_note(*ledger, {"of whatever thread"});
    add(*ledger, Call::listen);
    CHECK(lines_of(*ledger)[2] == "    3 listen(0, 0) = 0");
    add(*ledger, Call::listen).thread = 101;
    CHECK(lines_of(*ledger)[0] == "    1 [tid 100] listen(0, 0) = 0");
    CHECK(lines_of(*ledger)[3] == "    4 [tid 101] listen(0, 0) = 0");
}

TEST_CASE("the middle is cut where there is too much") {
    const auto ledger = std::make_unique<shim::Ledger>();
    for (int i = 0; i < 10; ++i) add(*ledger, Call::listen);
    struct {
        std::size_t most;
        std::size_t cut;
        std::size_t head;  // lines before the one that tells of the cut
    } const rows[] = {{0, 0, 10}, {11, 0, 10}, {10, 0, 10}, {9, 2, 4},
                      {4, 7, 2},  {2, 9, 1},   {1, 10, 0}};
    for (const auto& row : rows) {
        CAPTURE(row.most);
        const trace::Lines all = trace::to_lines(*ledger, {.most = row.most}, {});
        CHECK(all.cut == row.cut);
        if (row.cut == 0) {
            CHECK(all.lines.size() == 10);
            continue;
        }
        CHECK(all.lines.size() == row.most);
        CHECK(all.lines[row.head] == "# " + std::to_string(row.cut) + " lines are cut out here");
        if (row.most > 2) CHECK(all.lines.back().starts_with("   10 "));
    }
}

TEST_CASE("records that the ring lost or that were never finished are counted and passed over") {
    const auto ledger = std::make_unique<shim::Ledger>();
    for (std::size_t i = 0; i < shim::record_room + 3; ++i) add(*ledger, Call::listen);
    // Numbers were taken for two more, in whose places the round before still stands.
    ledger->record_count += 2;
    ledger->records[5].number = 0;                         // its thread was killed while it wrote
    ledger->records[7].number = ledger->record_count + 9;  // of the round after

    const trace::Lines all = trace::to_lines(*ledger, {}, {});
    CHECK(all.lost == 5 + 2 + 1 + 1);
    CHECK(all.lines.size() == shim::record_room - 4);
    CHECK(all.lines.front().starts_with("    7 "));
    CHECK(all.lines.back().starts_with("16387 "));
}

TEST_CASE("an address is a symbol, or a place in an object, or itself") {
    void* const function = dlsym(RTLD_DEFAULT, "getpid");
    REQUIRE(function != nullptr);
    const auto address = reinterpret_cast<std::uint64_t>(function);
    CHECK(trace::symbol_of(address + 4).ends_with("getpid+0x4"));

    // C++'s are given as they are written, of operators and templates too.
    const auto written = [](const char* symbol) {
        void* const at = dlsym(RTLD_DEFAULT, symbol);
        REQUIRE(at != nullptr);
        return trace::symbol_of(reinterpret_cast<std::uint64_t>(at) + 1);
    };
    CHECK(written("_ZSt9terminatev") == "std::terminate+0x1");
    CHECK(written("_ZNKSt9exception4whatEv") == "std::exception::what+0x1");
    CHECK(written("_ZStlsISt11char_traitsIcEERSt13basic_ostreamIcT_ES5_PKc") ==
          "std::operator<< <std::char_traits<char> >+0x1");
    CHECK(written("_ZNSolsEi") == "std::ostream::operator<<+0x1");

    const auto own = reinterpret_cast<std::uint64_t>(&some_symbol);
    CHECK(trace::symbol_of(own + 1).starts_with("hark_unit_test+0x"));

    CHECK(trace::symbol_of(0) == "0x0");
    CHECK(trace::symbol_of(0x10) == "0x10");
}
