#include "harness/tests/hostile/misbehaviour.h"

#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace hark::hostile {

namespace {

// Read at every use, so that no compiler can tell how a call of recurse ends.
volatile bool deeper = true;

int recurse(int depth) {
    volatile char frame[4096];
    frame[0] = static_cast<char>(depth);
    return deeper ? recurse(depth + 1) + frame[0] : 0;
}

void write_to_nowhere() {
    volatile std::uintptr_t nowhere = 16;
    *reinterpret_cast<volatile int*>(nowhere) = 1;
}

void spin() {
    for (;;) std::atomic_signal_fence(std::memory_order_seq_cst);
}

// The two take the locks in opposite order, and neither goes on before both hold one.
void deadlock() {
    std::mutex one;
    std::mutex other;
    std::atomic<int> held{0};
    const auto take = [&held](std::mutex& first, std::mutex& second) {
        const std::lock_guard mine(first);
        ++held;
        while (held < 2) std::this_thread::yield();
        const std::lock_guard theirs(second);
    };
    std::thread beside(take, std::ref(other), std::ref(one));
    take(one, other);
    beside.join();
}

void eat_memory() {
    std::vector<void*> eaten;
    for (;;) {
        void* more = std::malloc(std::size_t{1} << 24);
        if (more == nullptr) std::abort();
        std::memset(more, 1, std::size_t{1} << 24);
        eaten.push_back(more);
    }
}

// Every page that this process shares with another: what the shim wrote for the driver, and what
// the run's outcome is told through.
void scribble() {
    std::vector<std::pair<std::uintptr_t, std::uintptr_t>> shared;
    {
        std::ifstream maps("/proc/self/maps");
        std::string line;
        while (std::getline(maps, line)) {
            if (line.find(" rw-s ") == std::string::npos) continue;
            char* after = nullptr;
            const std::uintptr_t begin = std::strtoul(line.c_str(), &after, 16);
            shared.emplace_back(begin, std::strtoul(after + 1, nullptr, 16));
        }
    }
    for (const auto& [begin, end] : shared) {
        std::memset(reinterpret_cast<void*>(begin), 0xa5, end - begin);
    }
}

// What outlives the cell is in a session of its own, and waits for ever.
void become_daemon() {
    if (::fork() == 0) {
        (void)::setsid();
        if (::fork() != 0) ::_exit(0);
        for (;;) (void)::pause();
    }
    ::_exit(0);
}

void flood() {
    const std::string line(4096, '!');
    for (int i = 0; i < 4096; ++i) (void)!::write(STDOUT_FILENO, line.data(), line.size());
    ::_exit(3);
}

struct Misbehaviour {
    std::string_view name;
    void (*act)();
};

constexpr Misbehaviour all[] = {
    {"abort", [] { std::abort(); }},
    {"close_all", [] { (void)::syscall(SYS_close_range, 0, ~0u, 0); }},
    {"daemon", &become_daemon},
    {"deadlock", &deadlock},
    {"eat_memory", &eat_memory},
    {"exit0", [] { std::exit(0); }},
    {"flood_stdout", &flood},
    {"kill_parent", [] { (void)::kill(::getppid(), SIGKILL); }},
    {"kill_self", [] { (void)::kill(::getpid(), SIGKILL); }},
    {"raw_exit0", [] { (void)::syscall(SYS_exit_group, 0); }},
    {"scribble", &scribble},
    {"segv", &write_to_nowhere},
    {"spin", &spin},
    {"stack_overflow", [] { (void)recurse(0); }},
};

}  // namespace

void misbehave(std::string_view name) {
    for (const auto& each : all) {
        if (each.name == name) each.act();
    }
}

}  // namespace hark::hostile
