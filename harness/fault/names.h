// The names that people give to numbers in system calls, for reading plans and for printing traces.
//
// A name that this platform does not know does not compile.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "shims/ledger.h"

namespace hark::names {

struct Name {
    std::string_view name;
    std::int64_t value;
};

// A table.  Where two names have one value the one to print comes first.
using Names = std::span<const Name>;

extern const Names families;          // AF_INET
extern const Names socket_types;      // SOCK_STREAM, without the flags
extern const Names socket_flags;      // SOCK_CLOEXEC, SOCK_NONBLOCK
extern const Names protocols;         // IPPROTO_TCP, as socket takes it for an internet family
extern const Names message_flags;     // MSG_NOSIGNAL
extern const Names shutdown_hows;     // SHUT_WR
extern const Names access_modes;      // O_RDWR, which are no bits
extern const Names status_flags;      // O_NONBLOCK, what F_GETFL tells
extern const Names settable_flags;    // of these, what F_SETFL can change
extern const Names fd_flags;          // FD_CLOEXEC
extern const Names fcntl_commands;    // F_SETFL
extern const Names ioctl_requests;    // FIONBIO
extern const Names epoll_operations;  // EPOLL_CTL_ADD
extern const Names epoll_events;      // EPOLLIN
extern const Names poll_events;       // POLLIN
extern const Names clocks;            // CLOCK_MONOTONIC
extern const Names roles;             // listener, as fd= takes it
extern const Names readiness;         // spurious, as ready= takes it
extern const Names scopes;            // listener, as per= takes it
extern const Names domains;           // inet, as family= takes it

// A socket option; its number means something only together with its level.
struct SocketOption {
    std::string_view name;
    std::int64_t level;
    std::int64_t option;
};

extern const std::span<const SocketOption> socket_options;  // SO_REUSEADDR, TCP_NODELAY
extern const Names socket_levels;                           // SOL_SOCKET, IPPROTO_TCP

// The flags that the call takes in the argument that drop= works on; empty if it takes none.
[[nodiscard]] Names flags_of(shim::Call call);

// What the call can be asked to do by its second argument (command, operation, request); empty if
// it is no such call.
[[nodiscard]] Names operations_of(shim::Call call);

[[nodiscard]] std::optional<std::int64_t> number_of(Names names, std::string_view name);

// Empty if the number has no name.
[[nodiscard]] std::string_view name_of(Names names, std::int64_t number);

[[nodiscard]] const SocketOption* find_socket_option(std::string_view name);
[[nodiscard]] const SocketOption* find_socket_option(std::int64_t level, std::int64_t option);

// The names of the bits that are set, joined by '|', what has no name in hexadecimal; "0" if none.
[[nodiscard]] std::string flags_text(Names names, std::int64_t bits);

// In hexadecimal with its prefix, "0x1f".
[[nodiscard]] std::string hex(std::uint64_t number);

// An errno by any of its names, "EAGAIN" and "EWOULDBLOCK" alike.
[[nodiscard]] std::optional<int> errno_named(std::string_view name);

}  // namespace hark::names
