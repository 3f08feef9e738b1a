// What the shim's object file offers and needs, read with binutils.
#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <set>
#include <sstream>
#include <string>

namespace {

std::string output_of(const std::string& command) {
    FILE* const pipe = popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::string said;
    std::array<char, 4096> bytes{};
    while (const std::size_t got = fread(bytes.data(), 1, bytes.size(), pipe)) {
        said.append(bytes.data(), got);
    }
    REQUIRE(pclose(pipe) == 0);
    return said;
}

// The last word of each line, without its version.
std::set<std::string> symbols(const std::string& option) {
    std::istringstream lines(output_of("nm --dynamic " + option + " " SHIM_PATH));
    std::set<std::string> found;
    for (std::string line; std::getline(lines, line);) {
        const std::string name = line.substr(line.rfind(' ') + 1);
        found.insert(name.substr(0, name.find('@')));
    }
    return found;
}

TEST_CASE("it exports exactly the rows of its tables, syscall, and the two doors of a schedule") {
    const std::set<std::string> rows{
#define CALL(result, name, params, args, reports_by, captures, flags) #name,
#define BY_HAND CALL
#include "shims/calls.def"
#define CLOCK(result, name, params, args) #name,
#include "shims/clocks.def"
#define OPERATOR(symbol, params, args, written) #symbol,
#include "shims/operators.def"
        "syscall",  // any call, and so no row
        "hark_schedule_enter",
        "hark_schedule_leave",
        "hark_schedule_point",
    };
    CHECK(symbols("--defined-only") == rows);
}

TEST_CASE("it needs libc and nothing else") {
    const std::string needed = output_of("readelf --dynamic " SHIM_PATH " | grep NEEDED");
    CHECK(needed.find("[libc.so.6]") != std::string::npos);
    CHECK(needed.find("NEEDED") == needed.rfind("NEEDED"));
}

TEST_CASE("of libc it calls only what is safe anywhere") {
    const std::set<std::string> safe{"__errno_location",
                                     "__environ",
                                     "environ",
                                     "abort",
                                     "dlopen",
                                     "dlsym",
                                     "memcpy",
                                     "memmove",
                                     "memset",
                                     "strlen",
                                     "__cxa_finalize",
                                     "__gmon_start__",
                                     "_ITM_deregisterTMCloneTable",
                                     "_ITM_registerTMCloneTable",
                                     "__tsan_acquire",  // weak: ThreadSanitizer's, where it is
                                     "__tsan_release",
                                     "_Unwind_Backtrace",  // weak: whose stacks are kept
                                     "_Unwind_GetIP",
                                     "__pthread_register_cancel",  // of a thread that is begun
                                     "__pthread_unregister_cancel",
                                     "__pthread_unwind_next",
                                     "__sigsetjmp"};
    for (const std::string& name : symbols("--undefined-only")) {
        CAPTURE(name);
        CHECK(safe.count(name) == 1);
    }
}

}  // namespace
