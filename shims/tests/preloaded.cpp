#define DOCTEST_CONFIG_IMPLEMENT
#include "shims/tests/preloaded.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

#include "shims/tests/memory_file.h"

namespace preloaded {
namespace {

shim::Ledger* mapped_page = nullptr;

// The descriptor's number passes the exec in a variable of its own.
constexpr char descriptor_variable[] = "SHIM_TEST_LEDGER_FD";

void start_again_under_the_shim(char** arguments) {
    const MemoryFile file = make_ledger();
    setenv(descriptor_variable, std::to_string(file.fd).c_str(), 1);
    setenv("HARK_LEDGER", path_of(file).c_str(), 1);
    setenv("LD_PRELOAD", SHIM_PATH, 1);
    // A sanitizer's runtime wants to be first; the shim has to be (README.md).  And a test asks for
    // more memory than there is.
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0:allocator_may_return_null=1", 0);
    setenv("TSAN_OPTIONS", "allocator_may_return_null=1", 0);
    execv("/proc/self/exe", arguments);
    std::perror("exec of the test program under the shim");
    std::exit(2);
}

// The dynamic linker only warns of a library that it cannot preload.
void require_shim() {
    recorded([] { return listen(-1, 1); });
    if (page().record_count == 1) return;
    std::fputs("the shim is not in this process: " SHIM_PATH "\n", stderr);
    std::exit(2);
}

}  // namespace

shim::Ledger& page() { return *mapped_page; }

void clear() {
    shim::Ledger& all = page();
    const std::size_t used = std::min<std::size_t>(all.record_count, shim::record_room);
    std::fill_n(reinterpret_cast<unsigned char*>(all.records), used * sizeof(shim::Record),
                static_cast<unsigned char>(0));
    // Everything before the records is numbers, for which zero is empty.
    constexpr auto start = offsetof(shim::Ledger, recording);
    std::fill_n(reinterpret_cast<unsigned char*>(&all) + start,
                offsetof(shim::Ledger, records) - start, static_cast<unsigned char>(0));
}

shim::Rule& next_rule(std::initializer_list<shim::Call> calls, int error) {
    shim::Rule& rule = *new (&page().rules[page().rule_count++]) shim::Rule;
    for (const shim::Call call : calls) rule.add(call);
    rule.error = error;
    return rule;
}

shim::Rule& only_rule(std::initializer_list<shim::Call> calls, int error) {
    clear();
    return next_rule(calls, error);
}

const shim::Record& record(std::uint32_t number) {
    const shim::Record& found = page().records[(number - 1) % shim::record_room];
    REQUIRE(found.number == number);
    return found;
}

std::vector<const shim::Record*> records_of(shim::Call call) {
    const std::uint32_t last = page().record_count;
    const auto room = static_cast<std::uint32_t>(shim::record_room);
    std::vector<const shim::Record*> found;
    for (std::uint32_t number = last > room ? last - room + 1 : 1; number <= last; ++number) {
        if (record(number).call == call) found.push_back(&record(number));
    }
    return found;
}

int wait_for(int process) {
    int status = 0;
    REQUIRE(waitpid(process, &status, 0) == process);
    return status;
}

int fork_or_die() {
    const int child = fork();
    REQUIRE(child >= 0);
    return child;
}

void end_child(int status) { _exit(status); }

}  // namespace preloaded

int main(int argument_count, char** arguments) {
    const char* const fd = std::getenv(preloaded::descriptor_variable);
    if (fd == nullptr) preloaded::start_again_under_the_shim(arguments);
    preloaded::mapped_page = map_ledger({std::atoi(fd)});
    preloaded::require_shim();
    doctest::Context context(argument_count, arguments);
    context.setOption("no-intro", true);
    return context.run();
}
