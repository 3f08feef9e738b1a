#include "harness/tests/hostile/deeds.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string_view>

namespace hostile {

namespace {

// A deed is given the listener and says whether the turn is over.
using Deed = bool (*)(Listener&);

[[noreturn]] void end_at_once(int status) {
    for (;;) syscall(SYS_exit_group, status);
}

[[noreturn]] void spin() {
    for (std::atomic<unsigned> turns{0};; ++turns) {
    }
}

bool exits(Listener&) { std::exit(0); }

bool exits_raw(Listener&) { end_at_once(0); }

bool closes_everything(Listener&) {
    syscall(SYS_close_range, 0u, ~0u, 0u);
    return false;
}

bool closes_output(Listener&) {
    syscall(SYS_close_range, 0u, 2u, 0u);
    return false;
}

void shout(std::size_t bytes) {
    static const std::array<char, 1 << 16> block{};
    (void)!write(STDOUT_FILENO, block.data(), std::min(bytes, block.size()));
}

bool floods(Listener&) {
    for (int i = 0; i < 512; ++i) shout(1 << 16);
    return false;
}

bool floods_for_ever(Listener&) {
    for (;;) shout(512);  // little, so that it comes to its last call long before its time is over
}

bool kills_itself(Listener&) {
    (void)kill(getpid(), SIGKILL);
    spin();
}

bool kills_its_parent(Listener&) {
    (void)kill(getppid(), SIGKILL);
    return false;
}

bool kills_everyone(Listener&) {
    (void)kill(-1, SIGKILL);
    return false;
}

bool stops_itself(Listener&) {
    (void)raise(SIGSTOP);
    return false;
}

void leave_daemon() {
    if (fork() != 0) return;
    setsid();
    if (fork() != 0) end_at_once(0);
    for (;;) pause();
}

bool leaves_a_daemon(Listener&) {
    leave_daemon();
    return false;
}

bool forks_and_dies(Listener&) {
    leave_daemon();
    end_at_once(0);
}

// /proc/self/maps, a line a mapping: "begin-end rwxs ...".  By raw reads: stdio's own memory is
// among what is written over.
template <typename Act>
void for_each_mapping(Act act) {
    static std::array<char, 1 << 17> text;
    const int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    std::size_t size = 0;
    for (;;) {
        const auto got = read(fd, text.data() + size, text.size() - 1 - size);
        if (got <= 0) break;
        size += static_cast<std::size_t>(got);
    }
    close(fd);
    for (const char* line = text.data(); line != nullptr && *line != '\0';) {
        std::uintptr_t begin = 0;
        std::uintptr_t end = 0;
        std::array<char, 5> may{};
        if (std::sscanf(line, "%lx-%lx %4s", &begin, &end, may.data()) == 3) {
            act(reinterpret_cast<void*>(begin), end - begin, std::string_view(may.data()));
        }
        const char* next = std::strchr(line, '\n');
        line = next == nullptr ? nullptr : next + 1;
    }
}

void write_over_shared(int byte) {
    for_each_mapping([byte](void* where, std::size_t size, std::string_view may) {
        if (may == "rw-s") std::memset(where, byte, size);
    });
}

bool scribbles_zeros(Listener&) {
    write_over_shared(0);
    return false;
}

bool scribbles_ones(Listener&) {
    write_over_shared(0xff);
    return false;
}

bool scribbles_and_exits(Listener&) {
    write_over_shared(0x01);
    end_at_once(0);
}

bool scribbles_everywhere(Listener&) {
    for_each_mapping([](void* where, std::size_t size, std::string_view may) {
        if (may.starts_with("rw")) std::memset(where, 0x5a, size);
    });
    return false;
}

bool segfaults(Listener&) {
    volatile std::uintptr_t where = 8;  // for the compiler to see no address
    *reinterpret_cast<volatile int*>(where) = 1;
    return false;
}

bool aborts(Listener&) { std::abort(); }

[[gnu::noinline]] int descend(volatile char* above, int depth) {
    volatile char frame[4096];
    frame[0] = above[0];
    return depth == 0 ? frame[0] : descend(frame, depth - 1) + frame[0];
}

bool overflows_stack(Listener&) {
    volatile char start = 1;
    return descend(&start, 1 << 24) == 0;
}

bool spins(Listener&) { spin(); }

bool spins_on_in_the_end(Listener&) {
    struct Endless {
        ~Endless() { spin(); }
    };
    static const Endless at_exit;
    std::exit(0);
}

pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER;
pthread_mutex_t second = PTHREAD_MUTEX_INITIALIZER;
pthread_barrier_t both_hold_one;

bool deadlocks(Listener&) {
    pthread_barrier_init(&both_hold_one, nullptr, 2);
    pthread_t other{};
    pthread_mutex_lock(&first);
    const auto body = [](void*) -> void* {
        pthread_mutex_lock(&second);
        pthread_barrier_wait(&both_hold_one);
        pthread_mutex_lock(&first);
        return nullptr;
    };
    pthread_create(&other, nullptr, body, nullptr);
    pthread_barrier_wait(&both_hold_one);
    pthread_mutex_lock(&second);
    return false;
}

bool eats_memory(Listener&) {
    constexpr std::size_t bite = std::size_t{16} << 20;
    for (;;) {
        auto* const more = static_cast<char*>(std::malloc(bite));
        if (more == nullptr) std::abort();
        more[0] = 1;  // not every page: how soon the limit comes is not to depend on the machine
    }
}

bool accepts_blocking(Listener& listener) {
    take_all(listener);
    (void)fcntl(listener.fd, F_SETFL, 0);
    (void)accept(listener.fd, nullptr, nullptr);
    return true;
}

void deliver(Listener& listener, int fd, void* argument) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    auto* const where = reinterpret_cast<sockaddr*>(&address);
    if (getpeername(fd, where, &length) != 0) length = 0;
    listener.callback(reinterpret_cast<hark::ForeignListener*>(&listener), fd, where,
                      static_cast<int>(length), argument);
}

bool accepts_unseen(Listener& listener) {
    const auto fd = static_cast<int>(
        syscall(SYS_accept4, listener.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd >= 0) deliver(listener, fd, listener.argument);
    return true;
}

bool delivers_twice(Listener& listener) {
    const int fd = accept4(listener.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return true;
    deliver(listener, fd, listener.argument);
    deliver(listener, fd, listener.argument);
    return true;
}

bool delivers_garbage(Listener& listener) {
    static int told = 0;
    if (told++ == 0) deliver(listener, 987654, listener.argument);
    if (told++ == 1) deliver(listener, -5, listener.argument);
    return false;
}

bool delivers_to_a_stranger(Listener& listener) {
    static char nobodys = 0;
    const int fd = accept4(listener.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) deliver(listener, fd, &nobodys);
    return true;
}

bool throws(Listener&) { throw std::runtime_error("thrown by the subject"); }

bool throws_a_number(Listener&) { throw 42; }

bool ignores_signals(Listener&) {
    sigset_t all;
    sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, nullptr);
    (void)signal(SIGTERM, SIG_IGN);
    spin();
}

bool handles_its_crash(Listener& listener) {
    (void)signal(SIGSEGV, [](int) { end_at_once(0); });
    return segfaults(listener);
}

bool unloads_itself(Listener&) {
    Dl_info found{};
    if (dladdr(reinterpret_cast<void*>(&spin), &found) == 0) std::abort();
    void* const self = dlopen(found.dli_fname, RTLD_NOW | RTLD_NOLOAD);
    // Once for this handle, once for the one that the harness has.
    (void)dlclose(self);
    (void)dlclose(self);
    return false;
}

bool nothing(Listener&) { return false; }

struct Row {
    std::string_view name;
    Deed deed;
    bool with_every_family = false;
};

constexpr Row rows[] = {
    {"accepts_blocking", accepts_blocking},
    {"accepts_unseen", accepts_unseen},
    {"aborts", aborts},
    {"closes_everything", closes_everything},
    {"closes_output", closes_output},
    {"deadlocks", deadlocks},
    {"delivers_garbage", delivers_garbage},
    {"delivers_to_a_stranger", delivers_to_a_stranger},
    {"delivers_twice", delivers_twice},
    {"eats_memory", eats_memory},
    {"exits", exits},
    {"exits_raw", exits_raw},
    {"floods", floods},
    {"floods_for_ever", floods_for_ever},
    {"forks_and_dies", forks_and_dies},
    {"handles_its_crash", handles_its_crash},
    {"ignores_signals", ignores_signals},
    {"kills_everyone", kills_everyone},
    {"kills_its_parent", kills_its_parent},
    {"kills_itself", kills_itself},
    {"leaves_a_daemon", leaves_a_daemon},
    {"nothing", nothing},
    {"overflows_stack", overflows_stack},
    {"pauses", pauses, true},
    {"pauses_by_timer", pauses_by_timer, true},
    {"pauses_by_wall_clock", pauses_by_wall_clock, true},
    {"scribbles_and_exits", scribbles_and_exits},
    {"scribbles_everywhere", scribbles_everywhere},
    {"scribbles_ones", scribbles_ones},
    {"scribbles_zeros", scribbles_zeros},
    {"segfaults", segfaults},
    {"spins", spins},
    {"spins_on_in_the_end", spins_on_in_the_end},
    {"stops_itself", stops_itself},
    {"throws", throws},
    {"throws_a_number", throws_a_number},
    {"unloads_itself", unloads_itself},
};

struct Plan {
    Deed deed = nothing;
    Moment moment = Moment::turn;
    bool with_every_family = false;
};

Moment moment_of(std::string_view word) {
    if (word == "load") return Moment::load;
    if (word == "bind") return Moment::bind;
    if (word == "callback") return Moment::callback;
    return word == "free" ? Moment::free : Moment::turn;
}

// From the name that dlopen was given: /some/folder/DEED[-MOMENT].so
Plan plan() {
    Dl_info found{};
    if (dladdr(reinterpret_cast<void*>(&spin), &found) == 0) std::abort();
    std::string_view name(found.dli_fname);
    name.remove_prefix(name.find_last_of('/') + 1);
    name = name.substr(0, name.find('.'));
    const auto dash = name.find('-');
    const std::string_view deed = name.substr(0, dash);
    for (const Row& row : rows) {
        if (row.name != deed) continue;
        return {row.deed,
                dash == std::string_view::npos ? Moment::turn : moment_of(name.substr(dash + 1)),
                row.with_every_family};
    }
    std::abort();
}

// While the object is being loaded nobody can call it yet.
[[gnu::constructor]] void load() {
    Listener none;
    none.family = AF_INET6;
    (void)misbehave(Moment::load, &none);
}

}  // namespace

bool misbehave(Moment moment, Listener* listener) {
    const Plan planned = plan();
    if (planned.moment != moment) return false;
    if (!planned.with_every_family && listener->family != AF_INET6) return false;
    return planned.deed(*listener);
}

}  // namespace hostile
