// The table of descriptors, and closing or using what one should not.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include "shims/tests/preloaded.h"
#include "shims/tests/sockets.h"
#include "shims/tests/subject.h"

namespace {

using preloaded::clear;
using preloaded::page;
using preloaded::record;
using preloaded::recorded;
using shim::Call;
using shim::Role;

Role role_of(int fd) { return page().descriptors[fd].role; }

template <typename Open>
Role role_of_new(Open open) {
    clear();
    const Fd fd{recorded(open).result};
    CHECK(page().descriptors[fd].opened_by == page().record_count);
    CHECK(page().descriptors[fd].of_subject);
    return role_of(fd);
}

TEST_CASE("a new descriptor has the role of its call") {
    const Fd listener = listen_on_loopback();
    const Fd one = connect_to(listener);
    const Fd other = connect_to(listener);
    CHECK(role_of_new([] { return socket(AF_INET, SOCK_STREAM, 0); }) == Role::socket);
    CHECK(role_of_new([&] { return accept(listener, nullptr, nullptr); }) == Role::accepted);
    CHECK(role_of_new([&] { return accept4(listener, nullptr, nullptr, 0); }) == Role::accepted);
    CHECK(role_of_new([] { return epoll_create(1); }) == Role::epoll);
    CHECK(role_of_new([] { return epoll_create1(0); }) == Role::epoll);
    CHECK(role_of_new([] { return eventfd(0, 0); }) == Role::other);
    CHECK(role_of_new([] { return timerfd_create(CLOCK_MONOTONIC, 0); }) == Role::other);
    CHECK(role_of_new([&] { return dup(listener); }) == Role::listener);
    CHECK(role_of_new([&] { return fcntl(listener, F_DUPFD, 0); }) == Role::listener);
    CHECK(role_of_new([&] { return fcntl(one, F_DUPFD_CLOEXEC, 0); }) == Role::socket);
    CHECK(role_of_new([&] { return dup2(listener, 100); }) == Role::listener);
    CHECK(role_of_new([&] { return dup3(listener, 100, O_CLOEXEC); }) == Role::listener);
}

TEST_CASE("closing by number is closing") {
    clear();
    const int fd = recorded([] { return socket(AF_INET, SOCK_STREAM, 0); }).result;
    CHECK(recorded([&] { return static_cast<int>(syscall(SYS_close, fd)); }).result == 0);
    CHECK(record(2).call == Call::close);
    CHECK(record(2).arguments[0] == fd);
    CHECK(role_of(fd) == Role::none);

    const auto again = recorded([&] { return static_cast<int>(syscall(SYS_close, fd)); });
    CHECK(again.result == -1);
    CHECK(again.error == EBADF);
    CHECK((record(3).marks & shim::mark_stale_fd) != 0);
    // Any other number goes through as it is, all of its arguments with it.
    const auto where = recorded([] {
        return static_cast<int>(
            reinterpret_cast<std::intptr_t>(syscall(SYS_mmap, nullptr, 4096, PROT_READ,
                                                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) == -1);
    });
    CHECK(where.result == 0);
    CHECK(page().record_count == 3);
}

TEST_CASE("both ends of a pair are entered") {
    int pair[2];
    clear();
    REQUIRE(recorded([&] { return pipe(pair); }).result == 0);
    CHECK(role_of(pair[0]) == Role::other);
    CHECK(role_of(pair[1]) == Role::other);
    close(pair[0]);
    close(pair[1]);
    clear();
    REQUIRE(recorded([&] { return socketpair(AF_UNIX, SOCK_STREAM, 0, pair); }).result == 0);
    CHECK(role_of(pair[0]) == Role::socket);
    CHECK(role_of(pair[1]) == Role::socket);
    close(pair[0]);
    close(pair[1]);
}

TEST_CASE("a socket that listens is a listener until it is closed") {
    clear();
    Fd fd{recorded([] { return socket(AF_INET, SOCK_STREAM, 0); }).result};
    recorded([&] { return listen(fd, 1); });
    CHECK(role_of(fd) == Role::listener);
    const int number = fd.release();
    recorded([&] { return close(number); });
    CHECK(role_of(number) == Role::none);
    CHECK(page().descriptors[number].opened_by == 1);
    CHECK(page().descriptors[number].closed_by == 3);
}

TEST_CASE("a second close is stale, and the first is remembered") {
    clear();
    const int fd = recorded([] { return socket(AF_INET, SOCK_STREAM, 0); }).result;
    recorded([&] { return close(fd); });
    CHECK(record(2).marks == 0);
    CHECK(recorded([&] { return close(fd); }).error == EBADF);
    CHECK(record(3).marks == shim::mark_stale_fd);
    CHECK(page().descriptors[fd].closed_by == 2);
}

TEST_CASE("using a closed descriptor is marked, and a number below zero is not one") {
    clear();
    const int fd = recorded([] { return socket(AF_INET, SOCK_STREAM, 0); }).result;
    recorded([&] { return close(fd); });
    recorded([&] { return listen(fd, 1); });
    recorded([] { return listen(-1, 1); });
    CHECK(record(3).marks == shim::mark_stale_fd);
    CHECK(record(4).marks == 0);
}

TEST_CASE("a close that was made to fail has closed all the same") {
    const Fd kept{dup(1)};
    const int fd = dup(kept);
    preloaded::only_rule({Call::close}, EINTR).consequence = shim::Class::consuming;
    page().descriptors[fd].role = Role::other;
    page().descriptors[fd].of_subject = true;
    CHECK(recorded([&] { return close(fd); }).error == EINTR);
    CHECK(record(1).marks == (shim::mark_injected | shim::mark_consumed));
    CHECK(fcntl(fd, F_GETFD) == -1);
    CHECK(role_of(fd) == Role::none);
    CHECK(page().descriptors[fd].closed_by == 1);
}

TEST_CASE("what others open is followed, and is not the subject's") {
    clear();
    only_subject_counts();
    const Fd mine{recorded([] { return socket(AF_INET, SOCK_STREAM, 0); }).result};
    const Fd its{recorded([] { return subject().socket(); }).result};
    CHECK(page().record_count == 1);
    CHECK(role_of(mine) == Role::socket);
    CHECK_FALSE(page().descriptors[mine].of_subject);
    CHECK(page().descriptors[mine].opened_by == 0);
    CHECK(page().descriptors[its].of_subject);
    CHECK(page().descriptors[its].opened_by == 1);
}

TEST_CASE("only the subject's calls count, fail and are recorded") {
    preloaded::only_rule({Call::getsockopt}, EINVAL).last = 0xffff'ffff;
    only_subject_counts();
    const Fd fd{socket(AF_INET, SOCK_STREAM, 0)};
    int value = 0;
    socklen_t length = sizeof value;
    CHECK(recorded([&] { return getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length); }).error ==
          0);
    CHECK(recorded([&] { return subject().getsockopt(fd); }).error == EINVAL);
    CHECK(page().calls[static_cast<std::size_t>(Call::getsockopt)] == 1);
    CHECK(page().rules[0].seen == 1);
    CHECK(page().record_count == 1);
    const auto& ranges = page().ranges[0];
    CHECK(record(1).caller >= ranges.begin);
    CHECK(record(1).caller < ranges.end);
}

TEST_CASE("the subject closing what is not its own is marked") {
    clear();
    only_subject_counts();
    const int mine = recorded([] { return socket(AF_INET, SOCK_STREAM, 0); }).result;
    const int its = recorded([] { return subject().socket(); }).result;
    recorded([&] { return subject().close(its); });
    CHECK(record(2).marks == 0);
    recorded([&] { return subject().close(mine); });
    CHECK(record(3).marks == shim::mark_foreign_close);
    CHECK(recorded([&] { return subject().close(mine); }).error == EBADF);
    CHECK(record(4).marks == shim::mark_stale_fd);
}

TEST_CASE("so is copying over it") {
    clear();
    only_subject_counts();
    const Fd mine{recorded([] { return socket(AF_INET, SOCK_STREAM, 0); }).result};
    const Fd its{recorded([] { return subject().socket(); }).result};
    CHECK(recorded([&] { return subject().dup2(-1, mine); }).error == EBADF);
    CHECK(record(2).marks == 0);
    recorded([&] { return subject().dup2(its, mine); });
    CHECK(record(3).marks == shim::mark_foreign_close);
    CHECK(page().descriptors[mine].of_subject);
}

TEST_CASE("a descriptor copied over itself is neither closed nor new") {
    clear();
    only_subject_counts();
    const Fd mine{recorded([] { return socket(AF_INET, SOCK_STREAM, 0); }).result};
    recorded([&] { return subject().dup2(mine, mine); });
    CHECK(record(1).marks == 0);
    CHECK_FALSE(page().descriptors[mine].of_subject);
}

TEST_CASE("only the commands of fcntl that copy open something") {
    const Fd fd{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    clear();
    REQUIRE(recorded([&] { return fcntl(fd, F_GETFD); }).result == FD_CLOEXEC);
    CHECK(role_of(FD_CLOEXEC) == Role::none);
}

TEST_CASE("a descriptor that was handed to the subject is its own to close") {
    clear();
    only_subject_counts();
    const int mine = recorded([] { return socket(AF_INET, SOCK_STREAM, 0); }).result;
    page().descriptors[mine].of_subject = true;
    recorded([&] { return subject().close(mine); });
    CHECK(record(1).marks == 0);
}

TEST_CASE("a child's descriptors are not entered as its parent's") {
    clear();
    page().process = getpid();
    const Fd fd{recorded([] { return socket(AF_INET, SOCK_STREAM, 0); }).result};
    preloaded::status_of_child([&] { return recorded([&] { return close(fd); }).result; });
    page().recording = 0;
    CHECK(preloaded::records_of(Call::close).size() == 1);
    CHECK(role_of(fd) == Role::socket);
    CHECK(page().descriptors[fd].closed_by == 0);
}

}  // namespace
