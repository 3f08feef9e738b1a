#include "harness/trace/argument_text.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "harness/fault/model.h"
#include "harness/fault/names.h"
#include "harness/trace/address_text.h"
#include "harness/trace/option_text.h"

namespace hark::trace {
namespace {

using shim::Capture;
using shim::Record;

// One argument of a record: which it is, and the record for what else explains it.
struct Place {
    const Record& record;
    std::size_t index;

    [[nodiscard]] std::int64_t value() const { return record.arguments[index]; }
    [[nodiscard]] std::int64_t neighbour(int distance) const {
        return record.arguments[static_cast<std::size_t>(static_cast<int>(index) + distance)];
    }
    [[nodiscard]] const Argument& declared() const { return arguments_of(record.call).each[index]; }
    [[nodiscard]] bool holds(Capture what) const {
        return row_of(record.call).captures == what && record.payload_size != 0;
    }
};

// payload_size tells how much there was, of which the payload holds the beginning.
std::span<const unsigned char> payload_of(const Record& record) {
    return {record.payload, std::min<std::size_t>(record.payload_size, sizeof record.payload)};
}

bool is_cut(const Record& record) { return record.payload_size > sizeof record.payload; }

template <typename Item>
std::string list_text(const Record& record, std::uint64_t count, std::string (*text_of)(Item)) {
    const auto bytes = payload_of(record);
    const std::uint64_t kept = std::min<std::uint64_t>(count, bytes.size() / sizeof(Item));
    std::string text = "[";
    for (std::uint64_t i = 0; i < kept; ++i) {
        Item item;
        std::memcpy(&item, bytes.data() + i * sizeof item, sizeof item);
        text += (i == 0 ? "" : ", ") + text_of(item);
    }
    return text + (kept < count ? ", ...]" : "]");
}

std::string plain_text(Place at) {
    // Of a thread it is the address of what glibc knows of it.
    if (at.declared().is_pointer() || at.declared().type.starts_with("pthread_t ")) {
        return at.value() == 0 ? "NULL" : names::hex(static_cast<std::uint64_t>(at.value()));
    }
    if (at.declared().is_unsigned()) {
        return std::to_string(static_cast<std::uint64_t>(at.value()));
    }
    return std::to_string(at.value());
}

std::string name_text(names::Names table, std::int64_t value) {
    const auto name = names::name_of(table, value);
    return name.empty() ? std::to_string(value) : std::string(name);
}

std::string address_argument(Place at) {
    if (!at.holds(Capture::address)) return plain_text(at);
    return address_text(payload_of(at.record), is_cut(at.record));
}

// A length that the call wrote is where what it measures was kept.
std::string length_argument(Place at) {
    const bool is_known = at.holds(Capture::address) || at.holds(Capture::option_out);
    if (!at.declared().is_pointer() || !is_known) return plain_text(at);
    return '[' + std::to_string(at.record.payload_size) + ']';
}

std::string value_argument(Place at) {
    const bool is_given = at.holds(Capture::option_in);
    if (!is_given && !at.holds(Capture::option_out)) return plain_text(at);
    const auto bytes = payload_of(at.record);
    const auto full = static_cast<std::int64_t>(sizeof at.record.payload);
    const bool cut = is_given ? at.neighbour(1) > full : is_cut(at.record);
    return option_text(at.neighbour(-2), at.neighbour(-1), bytes, cut);
}

std::string option_argument(Place at) {
    const auto* const option = names::find_socket_option(at.neighbour(-1), at.value());
    return option != nullptr ? std::string(option->name) : plain_text(at);
}

// socket(2): the type and its flags are one argument.
std::string flags_argument_text(Place at) {
    const auto table = names::flags_of(at.record.call);
    const bool has_type =
        at.record.call == shim::Call::socket || at.record.call == shim::Call::socketpair;
    if (!has_type) return names::flags_text(table, at.value());
    constexpr std::int64_t type_mask = 0xf;  // the kernel's SOCK_TYPE_MASK, net.h
    const std::int64_t flags = at.value() & ~type_mask;
    const std::string type = name_text(names::socket_types, at.value() & type_mask);
    return flags == 0 ? type : type + '|' + names::flags_text(table, flags);
}

std::string protocol_argument(Place at) {
    const std::int64_t family = at.record.arguments[0];
    const bool is_internet = family == AF_INET || family == AF_INET6;
    return is_internet ? name_text(names::protocols, at.value()) : plain_text(at);
}

std::string operation_argument(Place at) {
    return name_text(names::operations_of(at.record.call), at.value());
}

std::string fcntl_argument(Place at) {
    switch (at.neighbour(-1)) {
        case F_SETFL:
            return status_text(at.value());
        case F_SETFD:
            return names::flags_text(names::fd_flags, at.value());
        case F_GETFD:
        case F_GETFL:
        case F_GETOWN:
        case F_GETSIG:
        case F_GETLEASE:
        case F_GETPIPE_SZ:
        case F_GET_SEALS:
            return "";  // fcntl(2): they have none
        default:
            return plain_text(at);
    }
}

std::string event_text(epoll_event event) {
    const std::uint32_t events = event.events;  // the struct is packed
    const std::uint64_t data = event.data.u64;
    return "{events=" + names::flags_text(names::epoll_events, events) +
           ", data=" + names::hex(data) + '}';
}

std::string event_argument(Place at) {
    if (!at.holds(Capture::epoll_event)) return plain_text(at);
    const std::string list = list_text<epoll_event>(at.record, 1, event_text);
    return list.substr(1, list.size() - 2);
}

std::string events_argument(Place at) {
    if (at.record.error != 0 || at.record.result < 0) return plain_text(at);
    if (at.record.result > 0 && !at.holds(Capture::epoll_events)) return plain_text(at);
    if ((at.record.marks & (shim::mark_unfinished | shim::mark_would_block)) != 0) {
        return plain_text(at);
    }
    return list_text<epoll_event>(at.record, static_cast<std::uint64_t>(at.record.result),
                                  event_text);
}

std::string pollfd_text(pollfd one) {
    const auto bits = [](short events) {
        return names::flags_text(names::poll_events, static_cast<unsigned short>(events));
    };
    std::string text = "{fd=" + std::to_string(one.fd) + ", events=" + bits(one.events);
    if (one.revents != 0) text += ", revents=" + bits(one.revents);
    return text + '}';
}

std::string pollfds_argument(Place at) {
    if (!at.holds(Capture::pollfds)) return plain_text(at);
    return list_text<pollfd>(at.record, static_cast<std::uint64_t>(at.neighbour(1)), pollfd_text);
}

std::string pair_argument(Place at) {
    if (!at.holds(Capture::pair)) return plain_text(at);
    return list_text<int>(at.record, 2, [](int fd) { return std::to_string(fd); });
}

// What an argument is called in shims/calls.def decides how it is written.
struct Writer {
    std::string_view argument;
    std::string (*write)(Place);
};

constexpr Writer writers[] = {
    {"address", address_argument},
    {"argument",
     [](Place at) { return at.declared().is_pointer() ? plain_text(at) : fcntl_argument(at); }},
    {"clock", [](Place at) { return name_text(names::clocks, at.value()); }},
    {"command", operation_argument},
    {"event", event_argument},
    {"events", events_argument},
    {"family", [](Place at) { return name_text(names::families, at.value()); }},
    {"fds", pollfds_argument},
    {"flags", flags_argument_text},
    {"how", [](Place at) { return name_text(names::shutdown_hows, at.value()); }},
    {"length", length_argument},
    {"level", [](Place at) { return name_text(names::socket_levels, at.value()); }},
    {"operation", operation_argument},
    {"option", option_argument},
    {"pair", pair_argument},
    {"protocol", protocol_argument},
    {"request", operation_argument},
    {"value", value_argument},
};

}  // namespace

std::string status_text(std::int64_t flags) {
    // fcntl(2): the access mode is a number in two bits, not two flags.
    const std::string mode = name_text(names::access_modes, flags & O_ACCMODE);
    const std::int64_t rest = flags & ~std::int64_t{O_ACCMODE};
    return rest == 0 ? mode : mode + '|' + names::flags_text(names::status_flags, rest);
}

std::string arguments_text(const Record& record) {
    std::string text;
    std::size_t index = 0;
    for (const Argument& argument : arguments_of(record.call)) {
        const auto* const writer = std::ranges::find(writers, argument.name, &Writer::argument);
        const Place at{record, index++};
        const std::string written =
            writer != std::end(writers) ? writer->write(at) : plain_text(at);
        if (!text.empty() && !written.empty()) text += ", ";
        text += written;
    }
    return text;
}

}  // namespace hark::trace
