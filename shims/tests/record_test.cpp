// What the ring keeps of a call.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "shims/tests/preloaded.h"
#include "shims/tests/sockets.h"

namespace {

using preloaded::clear;
using preloaded::page;
using preloaded::record;
using preloaded::recorded;
using shim::Call;

template <typename Value>
Value payload_of(const shim::Record& record) {
    Value value;
    REQUIRE(record.payload_size >= sizeof value);
    std::memcpy(&value, record.payload, sizeof value);
    return value;
}

int set_option(int fd, int value) {
    return setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, sizeof value);
}

TEST_CASE("a record is complete") {
    const Fd fd{socket(AF_INET, SOCK_STREAM, 0)};
    clear();
    CHECK(recorded([&] { return set_option(fd, 1); }).result == 0);
    CHECK(recorded([&] { return listen(-1, 7); }).error == EBADF);
    REQUIRE(page().record_count == 2);
    CHECK(record(1).call == Call::setsockopt);
    CHECK(record(1).thread == gettid());
    CHECK(record(1).error == 0);
    CHECK(record(1).result == 0);
    CHECK(record(1).caller != 0);
    CHECK(record(1).marks == 0);
    CHECK(record(1).rule == 0);
    CHECK(record(1).arguments[0] == fd);
    CHECK(record(1).arguments[1] == SOL_SOCKET);
    CHECK(record(1).arguments[2] == SO_KEEPALIVE);
    CHECK(record(1).arguments[4] == sizeof(int));
    CHECK(record(1).arguments[5] == 0);
    CHECK(record(2).call == Call::listen);
    CHECK(record(2).error == EBADF);
    CHECK(record(2).result == -1);
    CHECK(record(2).arguments[0] == -1);
    CHECK(record(2).arguments[1] == 7);
}

TEST_CASE("nothing is kept while nothing is recorded") {
    clear();
    const Fd fd{socket(AF_INET, SOCK_STREAM, 0)};
    CHECK(page().record_count == 0);
    CHECK(page().descriptors[fd].role == shim::Role::none);
}

TEST_CASE("the ring holds the last records") {
    clear();
    const std::uint32_t made = shim::record_room + 10;
    recorded([&] {
        for (std::uint32_t i = 0; i < made; ++i) (void)listen(-1, static_cast<int>(i));
    });
    CHECK(page().record_count == made);
    CHECK(record(made).arguments[1] == made - 1);
    CHECK(record(11).arguments[1] == 10);
}

TEST_CASE("an option's value is kept going in and coming out") {
    const Fd fd{socket(AF_INET, SOCK_STREAM, 0)};
    clear();
    int value = 0;
    socklen_t length = sizeof value;
    recorded([&] { return set_option(fd, 7); });
    recorded([&] { return getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length); });
    CHECK(record(1).payload_size == sizeof(int));
    CHECK(payload_of<int>(record(1)) == 7);
    CHECK(payload_of<int>(record(2)) == SOCK_STREAM);
}

TEST_CASE("addresses are kept with their real length") {
    const Fd listener = listen_on_loopback();
    clear();
    Fd peer{recorded([] { return socket(AF_INET, SOCK_STREAM, 0); }).result};
    const sockaddr_in to = address_of(listener);
    recorded([&] { return connect(peer, reinterpret_cast<const sockaddr*>(&to), sizeof to); });
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    const Fd accepted{recorded([&] {
                          return accept4(listener, reinterpret_cast<sockaddr*>(&from), &length, 0);
                      }).result};
    CHECK(payload_of<sockaddr_in>(record(2)).sin_port == to.sin_port);
    CHECK(record(3).payload_size == sizeof(sockaddr_in));
    CHECK(payload_of<sockaddr_in>(record(3)).sin_port ==
          reinterpret_cast<const sockaddr_in&>(from).sin_port);
}

TEST_CASE("a long address is cut, and its length is not") {
    const Fd fd{socket(AF_UNIX, SOCK_STREAM, 0)};
    struct {
        sa_family_t family = AF_UNIX;
        char path[100] =
            "\0shim_test of a name that is longer than what a record keeps of an address";
    } address;
    clear();
    CHECK(recorded([&] {
              return bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
          }).result == 0);
    CHECK(record(1).payload_size == sizeof address);
    CHECK(std::memcmp(record(1).payload, &address, sizeof record(1).payload) == 0);
    CHECK(page().records[1].number == 0);
}

TEST_CASE("what is waited for is kept") {
    const Fd epoll{epoll_create1(0)};
    const Fd listener = listen_on_loopback();
    const Fd peer = connect_to(listener);
    clear();
    epoll_event event{EPOLLIN, {.u64 = 77}};
    recorded([&] { return epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event); });
    epoll_event events[8];
    CHECK(recorded([&] { return epoll_wait(epoll, events, 8, 0); }).result == 1);
    pollfd polled{listener, POLLIN, 0};
    CHECK(recorded([&] { return poll(&polled, 1, 0); }).result == 1);
    CHECK(payload_of<epoll_event>(record(1)).data.u64 == 77);
    CHECK(record(2).payload_size == sizeof(epoll_event));
    CHECK(payload_of<epoll_event>(record(2)).data.u64 == 77);
    CHECK(payload_of<pollfd>(record(3)).revents == POLLIN);
}

TEST_CASE("a pair is kept") {
    clear();
    int pair[2] = {-1, -1};
    recorded([&] { return pipe2(pair, O_CLOEXEC); });
    const Fd one{pair[0]};
    const Fd other{pair[1]};
    CHECK(std::memcmp(record(1).payload, pair, sizeof pair) == 0);
}

TEST_CASE("wild pointers fail as they would without the shim") {
    const Fd fd{socket(AF_INET, SOCK_STREAM, 0)};
    const Fd epoll{epoll_create1(0)};
    const Fd listener = listen_on_loopback();
    const Fd peer = connect_to(listener);
    volatile std::uintptr_t nowhere = 16;  // or the compiler sees it coming
    const auto wild = [&](auto* pointer) { return reinterpret_cast<decltype(pointer)>(nowhere); };
    clear();
    const sockaddr* const address = wild(static_cast<const sockaddr*>(nullptr));
    epoll_event* const event = wild(static_cast<epoll_event*>(nullptr));
    CHECK(recorded([&] { return bind(fd, address, 16); }).error == EFAULT);
    CHECK(recorded([&] { return bind(-1, address, 16); }).error == EBADF);
    CHECK(recorded([&] { return setsockopt(-1, SOL_SOCKET, SO_KEEPALIVE, address, 4); }).error ==
          EBADF);
    CHECK(recorded([&] { return epoll_ctl(epoll, EPOLL_CTL_ADD, listener, event); }).error ==
          EFAULT);
    CHECK(recorded([&] { return epoll_ctl(epoll, EPOLL_CTL_DEL, listener, event); }).error ==
          ENOENT);
    epoll_event readable{EPOLLIN, {}};
    recorded([&] { return epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &readable); });
    CHECK(recorded([&] { return epoll_ctl(epoll, EPOLL_CTL_DEL, listener, event); }).error == 0);
    CHECK(recorded([&] { return poll(wild(static_cast<pollfd*>(nullptr)), 1, 0); }).error ==
          EFAULT);
    const Fd accepted{recorded([&] { return accept(listener, nullptr, nullptr); }).result};
    preloaded::only_rule({Call::bind}, EADDRINUSE);
    CHECK(recorded([&] { return bind(fd, address, 16); }).error == EADDRINUSE);
    CHECK(record(1).payload_size == 0);
}

TEST_CASE("an injected failure keeps what the caller asked for") {
    const Fd fd{socket(AF_INET, SOCK_STREAM, 0)};
    preloaded::only_rule({Call::setsockopt}, ENOPROTOOPT);
    recorded([&] { return set_option(fd, 7); });
    CHECK(payload_of<int>(record(1)) == 7);
}

TEST_CASE("a command without an argument shows none") {
    const Fd fd{socket(AF_INET, SOCK_STREAM, 0)};
    clear();
    // The register still holds what the call before put there.
    recorded([&] { return fcntl(fd, F_SETFL, O_NONBLOCK) + fcntl(fd, F_GETFL); });
    recorded([&] { return ioctl(fd, FIOCLEX); });
    CHECK(record(1).arguments[2] == O_NONBLOCK);
    CHECK(record(2).arguments[2] == 0);
    CHECK((record(2).result & O_NONBLOCK) != 0);
    CHECK(record(3).arguments[2] == 0);
}

TEST_CASE("records outlive the process, and the call that it died in is among them") {
    int pair[2];
    REQUIRE(pipe(pair) == 0);
    const Fd reading{pair[0]};
    const Fd writing{pair[1]};
    clear();
    const int child = preloaded::fork_or_die();
    if (child == 0) {
        char byte = 0;
        recorded([&] {
            (void)listen(-1, 1);
            return read(reading, &byte, 1);  // never returns: nobody writes
        });
        preloaded::end_child(0);
    }
    while (page().record_count < 2 || page().records[1].number != 2) sched_yield();
    kill(child, SIGKILL);
    const int status = preloaded::wait_for(child);
    page().recording = 0;
    CHECK(WIFSIGNALED(status));
    CHECK(record(1).marks == 0);
    CHECK(record(1).thread == child);
    CHECK(record(2).call == Call::read);
    CHECK(record(2).marks == shim::mark_unfinished);
    CHECK(record(2).arguments[0] == reading);
}

}  // namespace
