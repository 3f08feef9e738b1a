// Threads, children, signal handlers, and a subject that closes everything.
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "shims/tests/preloaded.h"
#include "shims/tests/sockets.h"

namespace {

using preloaded::page;
using preloaded::record;
using preloaded::recorded;
using shim::Call;

TEST_CASE("counts are exact with many threads") {
    constexpr std::uint32_t threads = 8;
    constexpr std::uint32_t calls_each = 20'000;
    shim::Rule& rule = preloaded::only_rule({Call::listen}, EADDRINUSE);
    rule.last = 0xffff'ffff;
    rule.step = 4;
    std::atomic<std::uint32_t> failures{0};
    std::vector<std::thread> running;
    recorded([&] {
        for (std::uint32_t i = 0; i < threads; ++i) {
            running.emplace_back([&] {
                for (std::uint32_t n = 0; n < calls_each; ++n) {
                    if (listen(-1, 1) == -1 && errno == EADDRINUSE) ++failures;
                }
            });
        }
        for (std::thread& each : running) each.join();
    });
    CHECK(page().calls[static_cast<std::size_t>(Call::listen)] == threads * calls_each);
    CHECK(rule.seen == threads * calls_each);
    CHECK(rule.fired == threads * calls_each / 4);
    CHECK(failures == threads * calls_each / 4);
}

TEST_CASE("each thread and each child has its own number in the record") {
    preloaded::clear();
    std::set<int> expected;
    recorded([&] {
        std::thread([&] {
            expected.insert(gettid());
            (void)listen(-1, 1);
        }).join();
        expected.insert(gettid());
        (void)listen(-1, 1);
    });
    const int child = preloaded::fork_or_die();
    if (child == 0) {
        recorded([] { return listen(-1, 1); });
        preloaded::end_child(0);
    }
    expected.insert(child);
    preloaded::wait_for(child);
    // Past libc, so that no handler of pthread_atfork is called.
    const long cloned = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (cloned == 0) {
        recorded([] { return listen(-1, 1); });
        syscall(SYS_exit_group, 0);
    }
    expected.insert(static_cast<int>(cloned));
    preloaded::wait_for(static_cast<int>(cloned));
    std::set<int> seen;
    for (const shim::Record* each : preloaded::records_of(Call::listen)) seen.insert(each->thread);
    CHECK(seen == expected);
    CHECK(seen.size() == 4);
}

TEST_CASE("a child obeys the same rules and counts on the same page") {
    shim::Rule& rule = preloaded::only_rule({Call::listen}, EADDRINUSE);
    rule.first = rule.last = 2;
    CHECK(recorded([] { return listen(-1, 1); }).error == EBADF);
    const int status =
        preloaded::status_of_child([] { return recorded([] { return listen(-1, 1); }).error; });
    CHECK(WEXITSTATUS(status) == EADDRINUSE);
    CHECK(rule.fired == 1);
    CHECK(page().record_count >= 2);
}

TEST_CASE("a process that has closed every descriptor is still heard") {
    shim::Rule& rule = preloaded::only_rule({Call::listen}, EADDRINUSE);
    const int status = preloaded::status_of_child([] {
        syscall(SYS_close_range, 0U, ~0U, 0U);
        return recorded([] { return listen(0, 1); }).error;
    });
    page().recording = 0;
    CHECK(WEXITSTATUS(status) == EADDRINUSE);
    CHECK(rule.fired == 1);
    CHECK(preloaded::records_of(Call::listen).size() == 1);
}

TEST_CASE("the shim holds no descriptor") {
    int found = 0;
    for (const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone;  // the listing's own descriptor is listed too
        const std::string file = std::filesystem::read_symlink(each.path(), gone).string();
        found += file.find("memfd:ledger") == std::string::npos ? 0 : 1;
    }
    CHECK(found == 1);  // the test's own
}

void call_in_handler(int) { (void)listen(-1, 2); }

TEST_CASE("calls from a signal handler are calls like others") {
    preloaded::only_rule({Call::listen}, EADDRINUSE).last = 0xffff'ffff;
    struct sigaction action {};
    action.sa_handler = call_in_handler;
    struct sigaction before {};
    REQUIRE(sigaction(SIGUSR1, &action, &before) == 0);
    recorded([] {
        (void)listen(-1, 1);
        return raise(SIGUSR1);
    });
    REQUIRE(sigaction(SIGUSR1, &before, nullptr) == 0);
    const auto calls = preloaded::records_of(Call::listen);
    REQUIRE(calls.size() == 2);
    CHECK(calls[1]->arguments[1] == 2);
    CHECK(calls[1]->error == EADDRINUSE);
}

TEST_CASE("the condition variables behind the shim are those of today's ABI") {
    // dlsym(3) may find the oldest version of a symbol; these have had two.
    for (const char* const name : {"pthread_cond_wait", "pthread_cond_timedwait",
                                   "pthread_cond_signal", "pthread_cond_broadcast"}) {
        CAPTURE(name);
        void* const libc = dlopen("libc.so.6", RTLD_NOLOAD | RTLD_NOW);
        REQUIRE(libc != nullptr);
#ifdef __x86_64__
        CHECK(dlsym(libc, name) == dlvsym(libc, name, "GLIBC_2.3.2"));
#endif
        dlclose(libc);
    }
}

TEST_CASE("a condition variable works through the shim") {
    preloaded::clear();
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    bool is_told = false;
    recorded([&] {
        pthread_mutex_lock(&mutex);
        std::thread teller([&] {
            pthread_mutex_lock(&mutex);
            is_told = true;
            pthread_cond_signal(&condition);
            pthread_mutex_unlock(&mutex);
        });
        while (!is_told) pthread_cond_wait(&condition, &mutex);
        pthread_mutex_unlock(&mutex);
        teller.join();
    });
    CHECK(preloaded::records_of(Call::pthread_cond_signal).size() == 1);
    CHECK(preloaded::records_of(Call::pthread_cond_wait).size() >= 1);
    CHECK(preloaded::records_of(Call::pthread_create).size() == 1);
}

}  // namespace
