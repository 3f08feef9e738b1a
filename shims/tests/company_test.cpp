// The shim in other programs: with sanitizers, libfaketime and another allocator beside it, and
// without a ledger that it could use.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "shims/tests/memory_file.h"
#include "shims/tests/preloaded.h"

namespace {

using shim::Call;

struct Guest {
    int status;
    std::string said;
};

// As execve(2) wants them.
std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
    std::vector<char*> pointers;
    for (const std::string& each : strings) pointers.push_back(const_cast<char*>(each.c_str()));
    pointers.push_back(nullptr);
    return pointers;
}

// Runs a command with exactly this environment and keeps what it wrote to both its outputs.
Guest run(const std::vector<std::string>& command, const std::vector<std::string>& environment) {
    int pair[2];
    REQUIRE(pipe(pair) == 0);
    const int child = preloaded::fork_or_die();
    if (child == 0) {
        dup2(pair[1], 1);
        dup2(pair[1], 2);
        close(pair[0]);
        close(pair[1]);
        execve(command[0].c_str(), pointers_to(command).data(), pointers_to(environment).data());
        _exit(127);
    }
    close(pair[1]);
    Guest guest{};
    char bytes[4096];
    for (ssize_t got; (got = read(pair[0], bytes, sizeof bytes)) > 0;) {
        guest.said.append(bytes, static_cast<std::size_t>(got));
    }
    close(pair[0]);
    guest.status = preloaded::wait_for(child);
    return guest;
}

// A ledger of the guest's own, with one rule: its first accept4 fails with EMFILE.
struct GuestLedger {
    MemoryFile file = make_ledger();
    shim::Ledger* page = map_ledger(file);

    GuestLedger() {
        shim::Rule& rule = *new (&page->rules[0]) shim::Rule;
        rule.add(Call::accept4);
        rule.error = EMFILE;
        page->rule_count = 1;
        page->recording = 1;
    }
    GuestLedger(const GuestLedger&) = delete;
    GuestLedger& operator=(const GuestLedger&) = delete;
    ~GuestLedger() {
        munmap(page, sizeof *page);
        close(file.fd);
    }
    [[nodiscard]] std::string variable() const { return "HARK_LEDGER=" + path_of(file); }
    [[nodiscard]] std::uint32_t calls(Call call) const {
        return page->calls[static_cast<std::size_t>(call)];
    }
};

// Whatever else is loaded, the rule fires, calls are seen, and the program goes on working.
Guest check_guest(const char* program, const std::string& preload,
                  const std::vector<std::string>& environment = {}) {
    const GuestLedger ledger;
    std::vector<std::string> all{"LD_PRELOAD=" + preload, ledger.variable()};
    all.insert(all.end(), environment.begin(), environment.end());
    Guest guest = run({program}, all);
    CAPTURE(guest.said);
    CHECK(guest.status == 0);
    CHECK(guest.said.find("accept4 = -1 EMFILE") != std::string::npos);
    CHECK(ledger.page->rules[0].fired == 1);
    CHECK(ledger.calls(Call::socket) == 1);
    CHECK(ledger.calls(Call::listen) == 1);
    CHECK(ledger.calls(Call::pthread_create) >= 1);
    return guest;
}

TEST_CASE("in a plain program") { check_guest(GUEST_PATH, SHIM_PATH); }

TEST_CASE("in a program without a C++ runtime that loads a library with one") {
    const GuestLedger ledger;
    const Guest guest =
        run({PLAIN_GUEST_PATH, PLUGIN_PATH}, {"LD_PRELOAD=" SHIM_PATH, ledger.variable()});
    CAPTURE(guest.said);
    CHECK(guest.status == 0);
    CHECK(ledger.calls(Call::malloc) >= 1);
}

#ifdef GUEST_ASAN_SHARED_PATH
TEST_CASE("in a program with a shared AddressSanitizer") {
    check_guest(GUEST_ASAN_SHARED_PATH, SHIM_PATH, {"ASAN_OPTIONS=verify_asan_link_order=0"});
    check_guest(GUEST_ASAN_SHARED_PATH, SHIM_PATH ":libasan.so.8",
                {"ASAN_OPTIONS=verify_asan_link_order=0"});
}

TEST_CASE("in a plain program with AddressSanitizer preloaded") {
    check_guest(GUEST_PATH, SHIM_PATH ":libasan.so.8", {"ASAN_OPTIONS=verify_asan_link_order=0"});
}

TEST_CASE("in a program with a static AddressSanitizer") {
    check_guest(GUEST_ASAN_STATIC_PATH, SHIM_PATH, {"ASAN_OPTIONS=verify_asan_link_order=0"});
}
#endif

TEST_CASE("with libfaketime on either side") {
    const std::string faketime = FAKETIME_PATH;
    const std::string shim = SHIM_PATH;
    for (const std::string& preload : {shim + ":" + faketime, faketime + ":" + shim}) {
        CAPTURE(preload);
        const Guest guest = check_guest(GUEST_PATH, preload, {"FAKETIME=2001-02-03 04:05:06"});
        CHECK(guest.said.find("year 2001") != std::string::npos);
    }
}

TEST_CASE("pointers go to the allocator that comes next") {
    const std::string other = OTHER_ALLOCATOR_PATH;
    const std::string shim = SHIM_PATH;
    check_guest(GUEST_PATH, shim + ":" + other);
}

TEST_CASE("a program that the guest starts is heard too") {
    const GuestLedger ledger;
    const Guest guest = run({"/bin/sh", "-c", GUEST_PATH "; exit $?"},
                            {"LD_PRELOAD=" SHIM_PATH, ledger.variable()});
    CHECK(guest.status == 0);
    CHECK(guest.said.find("accept4 = -1 EMFILE") != std::string::npos);
    CHECK(ledger.calls(Call::socket) == 1);
}

// Ends with one line that names the reason, before the program has done anything.
void check_refused(const std::vector<std::string>& environment, const std::string& reason) {
    const Guest guest = run({GUEST_PATH}, environment);
    CAPTURE(guest.said);
    CHECK(WIFSIGNALED(guest.status));
    CHECK(WTERMSIG(guest.status) == SIGABRT);
    CHECK(guest.said.starts_with("hark: the socket shim: "));
    CHECK(guest.said.find(reason) != std::string::npos);
    CHECK(guest.said.find('\n') == guest.said.size() - 1);
}

TEST_CASE("without a ledger it refuses to go on") {
    check_refused({"LD_PRELOAD=" SHIM_PATH}, "HARK_LEDGER, the path of its ledger, is not set");
    check_refused({"LD_PRELOAD=" SHIM_PATH, "HARK_LEDGER=/nowhere"}, "cannot be opened: /nowhere");
}

TEST_CASE("with a ledger that is not its own it refuses to go on") {
    const MemoryFile shorter = make_file(sizeof(shim::Ledger) - 1);
    check_refused({"LD_PRELOAD=" SHIM_PATH, "HARK_LEDGER=" + path_of(shorter)}, "too short");
    close(shorter.fd);
    const MemoryFile empty = make_file(sizeof(shim::Ledger));
    check_refused({"LD_PRELOAD=" SHIM_PATH, "HARK_LEDGER=" + path_of(empty)}, "another layout");
    close(empty.fd);
    const GuestLedger resized;
    resized.page->size += 8;
    check_refused({"LD_PRELOAD=" SHIM_PATH, resized.variable()}, "another layout");
}

}  // namespace
