// How each call of shims/calls.def reads in a trace.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <set>

#include "harness/fault/model.h"
#include "harness/trace/line.h"

using namespace hark;
using shim::Call;

namespace {

using Bytes = std::vector<unsigned char>;

template <typename... Values>
Bytes bytes_of(const Values&... values) {
    Bytes bytes;
    const auto append = [&bytes](const auto& value) {
        const auto* const from = reinterpret_cast<const unsigned char*>(&value);
        bytes.insert(bytes.end(), from, from + sizeof value);
    };
    (append(values), ...);
    return bytes;
}

Bytes ipv4(const char* host, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    inet_pton(AF_INET, host, &address.sin_addr);
    return bytes_of(address);
}

Bytes ipv6(const char* host, std::uint16_t port) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    address.sin6_scope_id = 2;
    inet_pton(AF_INET6, host, &address.sin6_addr);
    return bytes_of(address);
}

Bytes local(std::string_view path) {
    Bytes bytes = bytes_of(sa_family_t{AF_UNIX});
    bytes.insert(bytes.end(), path.begin(), path.end());
    return bytes;
}

epoll_event event(std::uint32_t events, std::uint64_t number) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = number;
    return event;
}

struct Made {
    Call call;
    std::vector<std::int64_t> arguments;
    std::int64_t result;
    int error;
    Bytes payload;
    const char* line;
};

// Without the number in front.
std::string line_of(const Made& made) {
    shim::Record record{};
    record.number = 1;
    record.call = made.call;
    record.result = made.result;
    record.error = made.error;
    std::ranges::copy(made.arguments, record.arguments);
    record.payload_size = static_cast<std::uint16_t>(made.payload.size());
    const std::size_t kept = std::min(made.payload.size(), sizeof record.payload);
    std::copy_n(made.payload.begin(), kept, record.payload);
    const std::string line = trace::to_line(record, {});
    return line.substr(6);
}

constexpr std::int64_t at = 0x7ffd10;  // some address

const std::vector<Made>& sockets() {
    // clang-format off
    static const std::vector<Made> rows = {
        {Call::accept, {7, at, at}, 9, 0, ipv4("127.0.0.1", 40112),
         "accept(7, {sa_family=AF_INET, sin_port=htons(40112), "
         "sin_addr=inet_addr(\"127.0.0.1\")}, [16]) = 9"},
        {Call::accept, {7, 0, 0}, -1, EAGAIN, {},
         "accept(7, NULL, NULL) = -1 EAGAIN (Resource temporarily unavailable)"},
        {Call::accept4, {7, at, at, SOCK_CLOEXEC | SOCK_NONBLOCK}, 9, 0, ipv6("::1", 40112),
         "accept4(7, {sa_family=AF_INET6, sin6_port=htons(40112), sin6_flowinfo=htonl(0), "
         "inet_pton(AF_INET6, \"::1\", &sin6_addr), sin6_scope_id=2}, [28], "
         "SOCK_CLOEXEC|SOCK_NONBLOCK) = 9"},
        {Call::accept4, {7, at, at, 0}, 9, 0, local(""),
         "accept4(7, {sa_family=AF_UNIX}, [2], 0) = 9"},
        {Call::accept4, {7, at, at, 0}, -1, EMFILE, {},
         "accept4(7, 0x7ffd10, 0x7ffd10, 0) = -1 EMFILE (Too many open files)"},
        {Call::bind, {7, at, 110}, 0, 0, local(std::string("/tmp/s\0garbage", 14)),
         "bind(7, {sa_family=AF_UNIX, sun_path=\"/tmp/s\"}, 110) = 0"},
        {Call::bind, {7, at, 9}, 0, 0, local(std::string("\0na\nme\xff", 7)),
         "bind(7, {sa_family=AF_UNIX, sun_path=@\"na\\x0ame\\xff\"}, 9) = 0"},
        {Call::bind, {7, at, 9}, 0, 0, local("a\"b\\c"),
         "bind(7, {sa_family=AF_UNIX, sun_path=\"a\\\"b\\\\c\"}, 9) = 0"},
        {Call::bind, {7, at, 62}, 0, 0, local(std::string(60, 'x')),
         "bind(7, {sa_family=AF_UNIX, "
         "sun_path=\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"...}, 62) = 0"},
        {Call::bind, {7, at, 1}, -1, EINVAL, {2},
         "bind(7, \"\\x02\", 1) = -1 EINVAL (Invalid argument)"},
        {Call::bind, {7, at, 4}, -1, EINVAL, {2, 0, 1, 2},
         "bind(7, {sa_family=AF_INET, sa_data=\"\\x01\\x02\"}, 4) = -1 EINVAL (Invalid argument)"},
        {Call::bind, {7, at, 3}, -1, EAFNOSUPPORT, {200, 0, 'x'},
         "bind(7, {sa_family=200, sa_data=\"x\"}, 3) = -1 EAFNOSUPPORT (Address family not "
         "supported by protocol)"},
        {Call::connect, {8, at, 16}, -1, EINPROGRESS, ipv4("192.0.2.1", 80),
         "connect(8, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"192.0.2.1\")}, "
         "16) = -1 EINPROGRESS (Operation now in progress)"},
        {Call::getpeername, {8, at, at}, -1, ENOTCONN, {},
         "getpeername(8, 0x7ffd10, 0x7ffd10) = -1 ENOTCONN (Transport endpoint is not connected)"},
        {Call::getsockname, {8, at, at}, 0, 0, ipv4("0.0.0.0", 0),
         "getsockname(8, {sa_family=AF_INET, sin_port=htons(0), "
         "sin_addr=inet_addr(\"0.0.0.0\")}, [16]) = 0"},
        {Call::listen, {7, -1}, 0, 0, {}, "listen(7, -1) = 0"},
        {Call::recv, {9, at, 4096, MSG_PEEK | MSG_DONTWAIT}, 5, 0, {},
         "recv(9, 0x7ffd10, 4096, MSG_PEEK|MSG_DONTWAIT) = 5"},
        {Call::recvmsg, {9, at, 0}, 0, 0, {}, "recvmsg(9, 0x7ffd10, 0) = 0"},
        {Call::send, {9, at, 5, MSG_NOSIGNAL}, -1, EPIPE, {},
         "send(9, 0x7ffd10, 5, MSG_NOSIGNAL) = -1 EPIPE (Broken pipe)"},
        {Call::sendmsg, {9, at, MSG_MORE}, 5, 0, {}, "sendmsg(9, 0x7ffd10, MSG_MORE) = 5"},
        {Call::shutdown, {9, SHUT_WR}, 0, 0, {}, "shutdown(9, SHUT_WR) = 0"},
        {Call::shutdown, {9, 7}, -1, EINVAL, {}, "shutdown(9, 7) = -1 EINVAL (Invalid argument)"},
        {Call::socket, {AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP}, 7, 0, {},
         "socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 7"},
        {Call::socket, {AF_UNIX, SOCK_SEQPACKET, 0}, 7, 0, {},
         "socket(AF_UNIX, SOCK_SEQPACKET, 0) = 7"},
        {Call::socket, {99, 15 | 0x10, 3}, -1, EINVAL, {},
         "socket(99, 15|0x10, 3) = -1 EINVAL (Invalid argument)"},
        {Call::socketpair, {AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, at}, 0, 0, bytes_of(5, 6),
         "socketpair(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0, [5, 6]) = 0"},
    };
    // clang-format on
    return rows;
}

const std::vector<Made>& options() {
    // clang-format off
    static const std::vector<Made> rows = {
        {Call::setsockopt, {7, SOL_SOCKET, SO_REUSEADDR, at, 4}, 0, 0, bytes_of(1),
         "setsockopt(7, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0"},
        {Call::setsockopt, {7, IPPROTO_TCP, TCP_DEFER_ACCEPT, at, 4}, -1, ENOPROTOOPT, bytes_of(1),
         "setsockopt(7, IPPROTO_TCP, TCP_DEFER_ACCEPT, [1], 4) = -1 ENOPROTOOPT (Protocol not "
         "available)"},
        {Call::setsockopt, {7, IPPROTO_IPV6, IPV6_V6ONLY, at, 4}, 0, 0, bytes_of(1),
         "setsockopt(7, IPPROTO_IPV6, IPV6_V6ONLY, [1], 4) = 0"},
        {Call::setsockopt, {7, SOL_SOCKET, SO_LINGER, at, 8}, 0, 0, bytes_of(linger{1, 0}),
         "setsockopt(7, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=0}, 8) = 0"},
        {Call::setsockopt, {7, SOL_SOCKET, SO_RCVTIMEO, at, 16}, 0, 0, bytes_of(timeval{1, 500}),
         "setsockopt(7, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=1, tv_usec=500}, 16) = 0"},
        {Call::setsockopt, {7, IPPROTO_TCP, TCP_CONGESTION, at, 4}, 0, 0, {'r', 'e', 'n', 'o'},
         "setsockopt(7, IPPROTO_TCP, TCP_CONGESTION, \"reno\", 4) = 0"},
        {Call::setsockopt, {7, 999, 998, at, 2}, -1, EINVAL, {1, 2},
         "setsockopt(7, 999, 998, \"\\x01\\x02\", 2) = -1 EINVAL (Invalid argument)"},
        {Call::setsockopt, {7, SOL_SOCKET, SO_REUSEADDR, at, 4}, -1, EFAULT, {},
         "setsockopt(7, SOL_SOCKET, SO_REUSEADDR, 0x7ffd10, 4) = -1 EFAULT (Bad address)"},
        {Call::getsockopt, {7, SOL_SOCKET, SO_ERROR, at, at}, 0, 0, bytes_of(ECONNREFUSED),
         "getsockopt(7, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0"},
        {Call::getsockopt, {7, SOL_SOCKET, SO_ERROR, at, at}, 0, 0, bytes_of(0),
         "getsockopt(7, SOL_SOCKET, SO_ERROR, [0], [4]) = 0"},
        {Call::getsockopt, {7, SOL_SOCKET, SO_TYPE, at, at}, -1, EBADF, {},
         "getsockopt(7, SOL_SOCKET, SO_TYPE, 0x7ffd10, 0x7ffd10) = -1 EBADF (Bad file descriptor)"},
        {Call::fcntl, {7, F_GETFL, 0}, O_RDWR | O_NONBLOCK, 0, {},
         "fcntl(7, F_GETFL) = 0x802 (flags O_RDWR|O_NONBLOCK)"},
        {Call::fcntl, {7, F_SETFL, O_RDWR | O_NONBLOCK}, 0, 0, {},
         "fcntl(7, F_SETFL, O_RDWR|O_NONBLOCK) = 0"},
        {Call::fcntl, {7, F_SETFD, FD_CLOEXEC}, 0, 0, {}, "fcntl(7, F_SETFD, FD_CLOEXEC) = 0"},
        {Call::fcntl, {7, F_GETFD, 0}, FD_CLOEXEC, 0, {},
         "fcntl(7, F_GETFD) = 0x1 (flags FD_CLOEXEC)"},
        {Call::fcntl, {7, F_GETFD, 0}, 0, 0, {}, "fcntl(7, F_GETFD) = 0"},
        {Call::fcntl, {7, F_DUPFD_CLOEXEC, 10}, 10, 0, {}, "fcntl(7, F_DUPFD_CLOEXEC, 10) = 10"},
        {Call::fcntl, {7, 12345, 10}, -1, EINVAL, {},
         "fcntl(7, 12345, 10) = -1 EINVAL (Invalid argument)"},
        {Call::fcntl64, {7, F_SETFL, O_RDONLY}, 0, 0, {}, "fcntl64(7, F_SETFL, O_RDONLY) = 0"},
        {Call::ioctl, {7, FIONBIO, at}, 0, 0, {}, "ioctl(7, FIONBIO, 0x7ffd10) = 0"},
        {Call::ioctl, {7, FIOCLEX, 0}, 0, 0, {}, "ioctl(7, FIOCLEX, NULL) = 0"},
    };
    // clang-format on
    return rows;
}

const std::vector<Made>& waits() {
    // clang-format off
    static const std::vector<Made> rows = {
        {Call::epoll_create, {16}, 3, 0, {}, "epoll_create(16) = 3"},
        {Call::epoll_create1, {EPOLL_CLOEXEC}, 3, 0, {}, "epoll_create1(EPOLL_CLOEXEC) = 3"},
        {Call::epoll_ctl, {3, EPOLL_CTL_ADD, 7, at}, 0, 0, bytes_of(event(EPOLLIN, 7)),
         "epoll_ctl(3, EPOLL_CTL_ADD, 7, {events=EPOLLIN, data=0x7}) = 0"},
        {Call::epoll_ctl, {3, EPOLL_CTL_MOD, 7, at}, 0, 0, bytes_of(event(EPOLLIN | EPOLLET, 7)),
         "epoll_ctl(3, EPOLL_CTL_MOD, 7, {events=EPOLLIN|EPOLLET, data=0x7}) = 0"},
        {Call::epoll_ctl, {3, EPOLL_CTL_DEL, 7, 0}, -1, ENOENT, {},
         "epoll_ctl(3, EPOLL_CTL_DEL, 7, NULL) = -1 ENOENT (No such file or directory)"},
        {Call::epoll_wait, {3, at, 32, -1}, 1, 0, bytes_of(event(EPOLLIN | EPOLLHUP, 7)),
         "epoll_wait(3, [{events=EPOLLIN|EPOLLHUP, data=0x7}], 32, -1) = 1"},
        {Call::epoll_wait, {3, at, 32, 0}, 0, 0, {}, "epoll_wait(3, [], 32, 0) = 0"},
        {Call::epoll_wait, {3, at, 32, 0}, -1, EINTR, {},
         "epoll_wait(3, 0x7ffd10, 32, 0) = -1 EINTR (Interrupted system call)"},
        {Call::epoll_pwait, {3, at, 32, 5, 0}, 5, 0,
         bytes_of(event(1, 7), event(4, 8), event(0, 9)),
         "epoll_pwait(3, [{events=EPOLLIN, data=0x7}, {events=EPOLLOUT, data=0x8}, {events=0, "
         "data=0x9}, ...], 32, 5, NULL) = 5"},
        {Call::epoll_pwait2, {3, at, 32, at, 0}, 0, 0, {},
         "epoll_pwait2(3, [], 32, 0x7ffd10, NULL) = 0"},
        {Call::poll, {at, 1, 1000}, 1, 0, bytes_of(pollfd{7, POLLIN, POLLIN | POLLHUP}),
         "poll([{fd=7, events=POLLIN, revents=POLLIN|POLLHUP}], 1, 1000) = 1"},
        {Call::ppoll, {at, 7, 0, 0}, 0, 0,
         bytes_of(pollfd{1, POLLIN, 0}, pollfd{2, 0, 0}, pollfd{3, 0, 0}, pollfd{4, 0, 0},
                  pollfd{-1, 0, 0}),
         "ppoll([{fd=1, events=POLLIN}, {fd=2, events=0}, {fd=3, events=0}, {fd=4, events=0}, "
         "{fd=-1, events=0}, ...], 7, NULL, NULL) = 0"},
        {Call::pselect, {8, at, 0, 0, 0, 0}, 1, 0, {},
         "pselect(8, 0x7ffd10, NULL, NULL, NULL, NULL) = 1"},
        {Call::select, {8, at, 0, 0, 0}, 0, 0, {}, "select(8, 0x7ffd10, NULL, NULL, NULL) = 0"},
        {Call::eventfd, {0, O_NONBLOCK | O_CLOEXEC}, 4, 0, {},
         "eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC) = 4"},
        {Call::timerfd_create, {CLOCK_MONOTONIC, TFD_CLOEXEC}, 4, 0, {},
         "timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC) = 4"},
        {Call::timerfd_settime, {4, TFD_TIMER_ABSTIME, at, 0}, 0, 0, {},
         "timerfd_settime(4, TFD_TIMER_ABSTIME, 0x7ffd10, NULL) = 0"},
    };
    // clang-format on
    return rows;
}

const std::vector<Made>& files() {
    // clang-format off
    static const std::vector<Made> rows = {
        {Call::close, {7}, -1, EBADF, {}, "close(7) = -1 EBADF (Bad file descriptor)"},
        {Call::dup, {7}, 8, 0, {}, "dup(7) = 8"},
        {Call::dup2, {7, 8}, 8, 0, {}, "dup2(7, 8) = 8"},
        {Call::dup3, {7, 8, O_CLOEXEC}, 8, 0, {}, "dup3(7, 8, O_CLOEXEC) = 8"},
        {Call::pipe, {at}, 0, 0, bytes_of(5, 6), "pipe([5, 6]) = 0"},
        {Call::pipe2, {at, O_NONBLOCK}, 0, 0, bytes_of(5, 6), "pipe2([5, 6], O_NONBLOCK) = 0"},
        {Call::pipe2, {at, 0}, -1, EMFILE, {},
         "pipe2(0x7ffd10, 0) = -1 EMFILE (Too many open files)"},
        {Call::read, {7, at, 4096}, 0, 0, {}, "read(7, 0x7ffd10, 4096) = 0"},
        {Call::readv, {7, at, 2}, 10, 0, {}, "readv(7, 0x7ffd10, 2) = 10"},
        {Call::write, {7, at, -1}, -1, EFAULT, {},
         "write(7, 0x7ffd10, 18446744073709551615) = -1 EFAULT (Bad address)"},
        {Call::writev, {7, at, 2}, 10, 0, {}, "writev(7, 0x7ffd10, 2) = 10"},
    };
    // clang-format on
    return rows;
}

const std::vector<Made>& memory_and_threads() {
    // clang-format off
    static const std::vector<Made> rows = {
        {Call::aligned_alloc, {64, 128}, at, 0, {}, "aligned_alloc(64, 128) = 0x7ffd10"},
        {Call::calloc, {4, 16}, at, 0, {}, "calloc(4, 16) = 0x7ffd10"},
        {Call::free, {at}, 0, 0, {}, "free(0x7ffd10) = <void>"},
        {Call::malloc, {64}, 0, ENOMEM, {}, "malloc(64) = NULL ENOMEM (Cannot allocate memory)"},
        {Call::posix_memalign, {at, 64, 128}, ENOMEM, ENOMEM, {},
         "posix_memalign(0x7ffd10, 64, 128) = 12 ENOMEM (Cannot allocate memory)"},
        {Call::realloc, {0, 64}, at, 0, {}, "realloc(NULL, 64) = 0x7ffd10"},
        {Call::reallocarray, {at, 4, 16}, 0, ENOMEM, {},
         "reallocarray(0x7ffd10, 4, 16) = NULL ENOMEM (Cannot allocate memory)"},
        {Call::strdup, {at}, at, 0, {}, "strdup(0x7ffd10) = 0x7ffd10"},
        {Call::strndup, {at, 3}, at, 0, {}, "strndup(0x7ffd10, 3) = 0x7ffd10"},
        {Call::pthread_cond_broadcast, {at}, 0, 0, {}, "pthread_cond_broadcast(0x7ffd10) = 0"},
        {Call::pthread_cond_destroy, {at}, 0, 0, {}, "pthread_cond_destroy(0x7ffd10) = 0"},
        {Call::pthread_cond_init, {at, 0}, 0, 0, {}, "pthread_cond_init(0x7ffd10, NULL) = 0"},
        {Call::pthread_cond_signal, {at}, 0, 0, {}, "pthread_cond_signal(0x7ffd10) = 0"},
        {Call::pthread_cond_timedwait, {at, at, at}, ETIMEDOUT, ETIMEDOUT, {},
         "pthread_cond_timedwait(0x7ffd10, 0x7ffd10, 0x7ffd10) = 110 ETIMEDOUT (Connection timed "
         "out)"},
        {Call::pthread_cond_wait, {at, at}, 0, 0, {}, "pthread_cond_wait(0x7ffd10, 0x7ffd10) = 0"},
        {Call::pthread_create, {at, 0, at, 0}, EAGAIN, EAGAIN, {},
         "pthread_create(0x7ffd10, NULL, 0x7ffd10, NULL) = 11 EAGAIN (Resource temporarily "
         "unavailable)"},
        {Call::pthread_join, {at, 0}, EDEADLK, EDEADLK, {},
         "pthread_join(0x7ffd10, NULL) = 35 EDEADLK (Resource deadlock avoided)"},
        {Call::pthread_mutex_destroy, {at}, EBUSY, EBUSY, {},
         "pthread_mutex_destroy(0x7ffd10) = 16 EBUSY (Device or resource busy)"},
        {Call::pthread_mutex_init, {at, at}, 0, 0, {},
         "pthread_mutex_init(0x7ffd10, 0x7ffd10) = 0"},
        {Call::pthread_mutex_lock, {at}, 0, 0, {}, "pthread_mutex_lock(0x7ffd10) = 0"},
        {Call::pthread_mutex_trylock, {at}, 0, 0, {}, "pthread_mutex_trylock(0x7ffd10) = 0"},
        {Call::pthread_mutex_unlock, {at}, 0, 0, {}, "pthread_mutex_unlock(0x7ffd10) = 0"},
    };
    // clang-format on
    return rows;
}

}  // namespace

TEST_CASE("every call is written with what its arguments mean") {
    std::set<Call> written;
    for (const auto* rows : {&sockets(), &options(), &waits(), &files(), &memory_and_threads()}) {
        for (const Made& made : *rows) {
            CHECK(line_of(made) == made.line);
            written.insert(made.call);
        }
    }
    for (const CallRow& row : call_table) {
        CAPTURE(std::string(row.name));
        CHECK(written.count(row.call) == 1);
    }
}
