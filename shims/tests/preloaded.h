// The test program runs under the shim itself, and reads and writes the ledger that it obeys.
//
// main() starts the program a second time with the shim preloaded.  A test sets rules on the page,
// then makes its calls inside recorded(); the rest of the time nothing is recorded, so that the
// test framework's own calls neither count nor fail.
#pragma once

#include <cerrno>
#include <cstdint>
#include <initializer_list>
#include <type_traits>
#include <vector>

#include "shims/ledger.h"

namespace preloaded {

// The ledger of this process, mapped a second time.
shim::Ledger& page();

// Empties the whole of it.
void clear();

// Empties the ledger, then writes its first rule, which reports `error`.
shim::Rule& only_rule(std::initializer_list<shim::Call> calls, int error);

// Writes one rule more.
shim::Rule& next_rule(std::initializer_list<shim::Call> calls, int error);

template <typename Result>
struct Outcome {
    Result result;
    int error;
};

// Makes the call with recording on.
template <typename Function>
auto recorded(Function function) {
    using Result = decltype(function());
    page().recording = 1;
    errno = 0;
    if constexpr (std::is_void_v<Result>) {
        function();
        page().recording = 0;
    } else {
        Result result = function();
        const int error = errno;
        // Or the compiler leaves out a realloc whose memory is only freed.
        __asm__ volatile("" : "+r"(result));
        page().recording = 0;
        return Outcome<Result>{result, error};
    }
}

// The record of this number, which must still be in the ring.
const shim::Record& record(std::uint32_t number);

// The records of one call in order, among the last record_room.
std::vector<const shim::Record*> records_of(shim::Call call);

// Runs `body` in a forked child that ends with what it returns, and gives the status of waitpid(2).
template <typename Body>
int status_of_child(Body body);

int wait_for(int process);
int fork_or_die();
[[noreturn]] void end_child(int status);

template <typename Body>
int status_of_child(Body body) {
    const int child = fork_or_die();
    if (child == 0) end_child(body());
    return wait_for(child);
}

}  // namespace preloaded
