#include "harness/fault/names.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>
#include <iterator>

#include "harness/fault/model.h"

namespace hark::names {
namespace {

#define NAME(symbol) \
    Name { #symbol, symbol }
#define OPTION(level, symbol) \
    SocketOption { #symbol, level, symbol }

// clang-format off
constexpr Name family_names[] = {
    NAME(AF_UNSPEC), NAME(AF_UNIX), NAME(AF_INET), NAME(AF_INET6), NAME(AF_NETLINK),
    NAME(AF_PACKET), NAME(AF_VSOCK),
};
constexpr Name socket_type_names[] = {
    NAME(SOCK_STREAM), NAME(SOCK_DGRAM), NAME(SOCK_RAW), NAME(SOCK_RDM), NAME(SOCK_SEQPACKET),
};
constexpr Name socket_flag_names[] = {NAME(SOCK_CLOEXEC), NAME(SOCK_NONBLOCK)};
constexpr Name protocol_names[] = {
    NAME(IPPROTO_IP), NAME(IPPROTO_ICMP), NAME(IPPROTO_TCP), NAME(IPPROTO_UDP),
    NAME(IPPROTO_IPV6), NAME(IPPROTO_ICMPV6), NAME(IPPROTO_SCTP), NAME(IPPROTO_MPTCP),
};
constexpr Name message_flag_names[] = {
    NAME(MSG_OOB), NAME(MSG_PEEK), NAME(MSG_DONTROUTE), NAME(MSG_CTRUNC), NAME(MSG_TRUNC),
    NAME(MSG_DONTWAIT), NAME(MSG_EOR), NAME(MSG_WAITALL), NAME(MSG_CONFIRM), NAME(MSG_ERRQUEUE),
    NAME(MSG_NOSIGNAL), NAME(MSG_MORE), NAME(MSG_ZEROCOPY), NAME(MSG_FASTOPEN),
    NAME(MSG_CMSG_CLOEXEC),
};
constexpr Name shutdown_how_names[] = {NAME(SHUT_RD), NAME(SHUT_WR), NAME(SHUT_RDWR)};
constexpr Name access_mode_names[] = {NAME(O_RDONLY), NAME(O_WRONLY), NAME(O_RDWR)};
constexpr Name status_flag_names[] = {
    NAME(O_APPEND), NAME(O_NONBLOCK), NAME(O_SYNC), NAME(O_DSYNC), NAME(O_ASYNC), NAME(O_DIRECT),
    // O_LARGEFILE is zero to a 64-bit program, but the kernel reports its own.
    Name{"O_LARGEFILE", 0100000},
    NAME(O_DIRECTORY), NAME(O_NOFOLLOW), NAME(O_NOATIME), NAME(O_CLOEXEC), NAME(O_PATH),
};
// fcntl(2), F_SETFL: on Linux it can change only these.
constexpr Name settable_flag_names[] = {
    NAME(O_APPEND), NAME(O_NONBLOCK), NAME(O_ASYNC), NAME(O_DIRECT), NAME(O_NOATIME),
};
constexpr Name fd_flag_names[] = {NAME(FD_CLOEXEC)};
constexpr Name fcntl_argument_flag_names[] = {
    NAME(O_APPEND), NAME(O_NONBLOCK), NAME(O_ASYNC), NAME(O_DIRECT), NAME(O_NOATIME),
    NAME(FD_CLOEXEC),
};
constexpr Name fcntl_command_names[] = {
    NAME(F_DUPFD), NAME(F_DUPFD_CLOEXEC), NAME(F_GETFD), NAME(F_SETFD), NAME(F_GETFL),
    NAME(F_SETFL), NAME(F_GETLK), NAME(F_SETLK), NAME(F_SETLKW), NAME(F_GETOWN), NAME(F_SETOWN),
    NAME(F_GETSIG), NAME(F_SETSIG), NAME(F_GETOWN_EX), NAME(F_SETOWN_EX), NAME(F_GETLEASE),
    NAME(F_SETLEASE), NAME(F_NOTIFY), NAME(F_GETPIPE_SZ), NAME(F_SETPIPE_SZ), NAME(F_ADD_SEALS),
    NAME(F_GET_SEALS), NAME(F_OFD_GETLK), NAME(F_OFD_SETLK), NAME(F_OFD_SETLKW),
};
constexpr Name ioctl_request_names[] = {
    NAME(FIONBIO), NAME(FIOASYNC), NAME(FIOCLEX), NAME(FIONCLEX), NAME(FIONREAD),
    NAME(TIOCOUTQ), NAME(SIOCATMARK), NAME(FIOSETOWN), NAME(FIOGETOWN),
};
constexpr Name epoll_operation_names[] = {
    NAME(EPOLL_CTL_ADD), NAME(EPOLL_CTL_DEL), NAME(EPOLL_CTL_MOD),
};
constexpr Name epoll_event_names[] = {
    NAME(EPOLLIN), NAME(EPOLLPRI), NAME(EPOLLOUT), NAME(EPOLLERR), NAME(EPOLLHUP),
    NAME(EPOLLRDNORM), NAME(EPOLLRDBAND), NAME(EPOLLWRNORM), NAME(EPOLLWRBAND), NAME(EPOLLMSG),
    NAME(EPOLLRDHUP), NAME(EPOLLEXCLUSIVE), NAME(EPOLLWAKEUP), NAME(EPOLLONESHOT),
    NAME(EPOLLET),
};
constexpr Name poll_event_names[] = {
    NAME(POLLIN), NAME(POLLPRI), NAME(POLLOUT), NAME(POLLERR), NAME(POLLHUP), NAME(POLLNVAL),
    NAME(POLLRDNORM), NAME(POLLRDBAND), NAME(POLLWRNORM), NAME(POLLWRBAND), NAME(POLLMSG),
    NAME(POLLRDHUP),
};
constexpr Name clock_names[] = {
    NAME(CLOCK_REALTIME), NAME(CLOCK_MONOTONIC), NAME(CLOCK_BOOTTIME), NAME(CLOCK_REALTIME_ALARM),
    NAME(CLOCK_BOOTTIME_ALARM),
};
constexpr Name dup3_flag_names[] = {NAME(O_CLOEXEC)};
constexpr Name epoll_create_flag_names[] = {NAME(EPOLL_CLOEXEC)};
constexpr Name eventfd_flag_names[] = {
    NAME(EFD_SEMAPHORE), NAME(EFD_NONBLOCK), NAME(EFD_CLOEXEC),
};
constexpr Name pipe_flag_names[] = {NAME(O_NONBLOCK), NAME(O_DIRECT), NAME(O_CLOEXEC)};
constexpr Name timerfd_flag_names[] = {NAME(TFD_NONBLOCK), NAME(TFD_CLOEXEC)};
constexpr Name timer_flag_names[] = {NAME(TFD_TIMER_ABSTIME), NAME(TFD_TIMER_CANCEL_ON_SET)};

constexpr Name readiness_names[] = {
    Name{"spurious", static_cast<int>(shim::Readiness::spurious)},
    Name{"lost", static_cast<int>(shim::Readiness::lost)},
    Name{"error", static_cast<int>(shim::Readiness::error)},
};
constexpr Name role_names[] = {
    {"listener", static_cast<std::int64_t>(shim::Role::listener)},
    {"accepted", static_cast<std::int64_t>(shim::Role::accepted)},
    {"epoll", static_cast<std::int64_t>(shim::Role::epoll)},
    {"socket", static_cast<std::int64_t>(shim::Role::socket)},
};
constexpr Name scope_names[] = {
    {"listener", static_cast<std::int64_t>(shim::Per::listener)},
    {"process", static_cast<std::int64_t>(shim::Per::process)},
    {"family", static_cast<std::int64_t>(shim::Per::family)},
};
constexpr Name domain_names[] = {
    {"inet", static_cast<std::int64_t>(shim::Domain::inet)},
    {"inet4", static_cast<std::int64_t>(shim::Domain::inet4)},
    {"inet6", static_cast<std::int64_t>(shim::Domain::inet6)},
    {"unix", static_cast<std::int64_t>(shim::Domain::unix_domain)},
    {"any", static_cast<std::int64_t>(shim::Domain::any)},
};

constexpr Name socket_level_names[] = {
    NAME(SOL_SOCKET), NAME(IPPROTO_IP), NAME(IPPROTO_TCP), NAME(IPPROTO_UDP), NAME(IPPROTO_IPV6),
};
constexpr SocketOption socket_option_rows[] = {
    OPTION(SOL_SOCKET, SO_DEBUG), OPTION(SOL_SOCKET, SO_REUSEADDR), OPTION(SOL_SOCKET, SO_TYPE),
    OPTION(SOL_SOCKET, SO_ERROR), OPTION(SOL_SOCKET, SO_DONTROUTE),
    OPTION(SOL_SOCKET, SO_BROADCAST), OPTION(SOL_SOCKET, SO_SNDBUF), OPTION(SOL_SOCKET, SO_RCVBUF),
    OPTION(SOL_SOCKET, SO_SNDBUFFORCE), OPTION(SOL_SOCKET, SO_RCVBUFFORCE),
    OPTION(SOL_SOCKET, SO_KEEPALIVE), OPTION(SOL_SOCKET, SO_OOBINLINE),
    OPTION(SOL_SOCKET, SO_PRIORITY), OPTION(SOL_SOCKET, SO_LINGER),
    OPTION(SOL_SOCKET, SO_REUSEPORT), OPTION(SOL_SOCKET, SO_PASSCRED),
    OPTION(SOL_SOCKET, SO_PEERCRED), OPTION(SOL_SOCKET, SO_RCVLOWAT),
    OPTION(SOL_SOCKET, SO_SNDLOWAT), OPTION(SOL_SOCKET, SO_RCVTIMEO),
    OPTION(SOL_SOCKET, SO_SNDTIMEO), OPTION(SOL_SOCKET, SO_BINDTODEVICE),
    OPTION(SOL_SOCKET, SO_ATTACH_FILTER), OPTION(SOL_SOCKET, SO_DETACH_FILTER),
    OPTION(SOL_SOCKET, SO_TIMESTAMP), OPTION(SOL_SOCKET, SO_ACCEPTCONN),
    OPTION(SOL_SOCKET, SO_PEERSEC), OPTION(SOL_SOCKET, SO_PASSSEC), OPTION(SOL_SOCKET, SO_MARK),
    OPTION(SOL_SOCKET, SO_PROTOCOL), OPTION(SOL_SOCKET, SO_DOMAIN),
    OPTION(SOL_SOCKET, SO_BUSY_POLL), OPTION(SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF),
    OPTION(SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF), OPTION(SOL_SOCKET, SO_INCOMING_CPU),
    OPTION(SOL_SOCKET, SO_COOKIE), OPTION(SOL_SOCKET, SO_ZEROCOPY),
    OPTION(IPPROTO_IP, IP_TOS), OPTION(IPPROTO_IP, IP_TTL), OPTION(IPPROTO_IP, IP_OPTIONS),
    OPTION(IPPROTO_IP, IP_PKTINFO), OPTION(IPPROTO_IP, IP_MTU_DISCOVER),
    OPTION(IPPROTO_IP, IP_RECVERR), OPTION(IPPROTO_IP, IP_MTU), OPTION(IPPROTO_IP, IP_FREEBIND),
    OPTION(IPPROTO_IP, IP_TRANSPARENT), OPTION(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT),
    OPTION(IPPROTO_TCP, TCP_NODELAY), OPTION(IPPROTO_TCP, TCP_MAXSEG),
    OPTION(IPPROTO_TCP, TCP_CORK), OPTION(IPPROTO_TCP, TCP_KEEPIDLE),
    OPTION(IPPROTO_TCP, TCP_KEEPINTVL), OPTION(IPPROTO_TCP, TCP_KEEPCNT),
    OPTION(IPPROTO_TCP, TCP_SYNCNT), OPTION(IPPROTO_TCP, TCP_LINGER2),
    OPTION(IPPROTO_TCP, TCP_DEFER_ACCEPT), OPTION(IPPROTO_TCP, TCP_WINDOW_CLAMP),
    OPTION(IPPROTO_TCP, TCP_INFO), OPTION(IPPROTO_TCP, TCP_QUICKACK),
    OPTION(IPPROTO_TCP, TCP_CONGESTION), OPTION(IPPROTO_TCP, TCP_MD5SIG),
    OPTION(IPPROTO_TCP, TCP_USER_TIMEOUT), OPTION(IPPROTO_TCP, TCP_FASTOPEN),
    OPTION(IPPROTO_TCP, TCP_NOTSENT_LOWAT), OPTION(IPPROTO_TCP, TCP_SAVE_SYN),
    OPTION(IPPROTO_TCP, TCP_FASTOPEN_CONNECT), OPTION(IPPROTO_TCP, TCP_ULP),
    OPTION(IPPROTO_UDP, UDP_CORK),
    OPTION(IPPROTO_IPV6, IPV6_UNICAST_HOPS), OPTION(IPPROTO_IPV6, IPV6_MTU_DISCOVER),
    OPTION(IPPROTO_IPV6, IPV6_MTU), OPTION(IPPROTO_IPV6, IPV6_RECVERR),
    OPTION(IPPROTO_IPV6, IPV6_V6ONLY), OPTION(IPPROTO_IPV6, IPV6_RECVPKTINFO),
    OPTION(IPPROTO_IPV6, IPV6_PKTINFO), OPTION(IPPROTO_IPV6, IPV6_TCLASS),
    OPTION(IPPROTO_IPV6, IPV6_FREEBIND), OPTION(IPPROTO_IPV6, IPV6_TRANSPARENT),
};
// clang-format on

}  // namespace

constinit const Names families = family_names;
constinit const Names socket_types = socket_type_names;
constinit const Names socket_flags = socket_flag_names;
constinit const Names protocols = protocol_names;
constinit const Names message_flags = message_flag_names;
constinit const Names shutdown_hows = shutdown_how_names;
constinit const Names access_modes = access_mode_names;
constinit const Names status_flags = status_flag_names;
constinit const Names settable_flags = settable_flag_names;
constinit const Names fd_flags = fd_flag_names;
constinit const Names fcntl_commands = fcntl_command_names;
constinit const Names ioctl_requests = ioctl_request_names;
constinit const Names epoll_operations = epoll_operation_names;
constinit const Names epoll_events = epoll_event_names;
constinit const Names poll_events = poll_event_names;
constinit const Names clocks = clock_names;
constinit const Names roles = role_names;
constinit const Names readiness = readiness_names;
constinit const Names scopes = scope_names;
constinit const Names domains = domain_names;
constinit const Names socket_levels = socket_level_names;
constinit const std::span<const SocketOption> socket_options = socket_option_rows;

Names flags_of(shim::Call call) {
    switch (call) {
        case shim::Call::accept4:
        case shim::Call::socket:
        case shim::Call::socketpair:
            return socket_flag_names;
        case shim::Call::dup3:
            return dup3_flag_names;
        case shim::Call::epoll_create1:
            return epoll_create_flag_names;
        case shim::Call::eventfd:
            return eventfd_flag_names;
        case shim::Call::fcntl:
        case shim::Call::fcntl64:
            return fcntl_argument_flag_names;
        case shim::Call::pipe2:
            return pipe_flag_names;
        case shim::Call::recv:
        case shim::Call::recvmsg:
        case shim::Call::send:
        case shim::Call::sendmsg:
            return message_flag_names;
        case shim::Call::timerfd_create:
            return timerfd_flag_names;
        case shim::Call::timerfd_settime:
            return timer_flag_names;
        default:
            return {};
    }
}

Names operations_of(shim::Call call) {
    switch (call) {
        case shim::Call::epoll_ctl:
            return epoll_operation_names;
        case shim::Call::fcntl:
        case shim::Call::fcntl64:
            return fcntl_command_names;
        case shim::Call::ioctl:
            return ioctl_request_names;
        default:
            return {};
    }
}

std::optional<std::int64_t> number_of(Names names, std::string_view name) {
    const auto found = std::ranges::find(names, name, &Name::name);
    if (found == names.end()) return std::nullopt;
    return found->value;
}

std::string_view name_of(Names names, std::int64_t number) {
    const auto found = std::ranges::find(names, number, &Name::value);
    return found != names.end() ? found->name : std::string_view{};
}

const SocketOption* find_socket_option(std::string_view name) {
    const auto found = std::ranges::find(socket_options, name, &SocketOption::name);
    return found != socket_options.end() ? &*found : nullptr;
}

const SocketOption* find_socket_option(std::int64_t level, std::int64_t option) {
    const auto found = std::ranges::find_if(socket_options, [&](const SocketOption& row) {
        return row.level == level && row.option == option;
    });
    return found != socket_options.end() ? &*found : nullptr;
}

std::string flags_text(Names names, std::int64_t bits) {
    std::string text;
    const auto append = [&text](std::string_view part) {
        if (!text.empty()) text += '|';
        text += part;
    };
    auto rest = static_cast<std::uint64_t>(bits);
    for (const auto& [name, value] : names) {
        const auto mask = static_cast<std::uint64_t>(value);
        if (mask == 0 || (rest & mask) != mask) continue;
        append(name);
        rest &= ~mask;
    }
    if (rest != 0) append(hex(rest));
    return text.empty() ? "0" : text;
}

std::string hex(std::uint64_t number) {
    char digits[16];
    const auto [end, error] = std::to_chars(std::begin(digits), std::end(digits), number, 16);
    return "0x" + std::string(digits, end);
}

std::optional<int> errno_named(std::string_view name) {
    // strerrorname_np tells one name a number; errno(3) gives these numbers a second one.
    if (name == "EWOULDBLOCK") return EWOULDBLOCK;
    if (name == "EDEADLOCK") return EDEADLOCK;
    if (name == "ENOTSUP") return ENOTSUP;
    if (name == "EOPNOTSUPP") return EOPNOTSUPP;
    constexpr int past_the_last = 256;  // Linux's last is EHWPOISON, 133
    for (int number = 1; number < past_the_last; ++number) {
        const char* const known = strerrorname_np(number);
        if (known != nullptr && name == known) return number;
    }
    return std::nullopt;
}

}  // namespace hark::names
