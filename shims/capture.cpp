#include "shims/capture.h"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>

#include "shims/kernel.h"
#include "shims/page.h"

namespace shim {
namespace {

// Not memcpy: a sanitizer's runtime interposes it and would judge the shim's reading.
void copy_bytes(unsigned char* to, const void* from, std::size_t size) {
    const auto* const bytes = static_cast<const unsigned char*>(from);
    for (std::size_t i = 0; i < size; ++i) {
        to[i] = bytes[i];
        __asm__ volatile("" ::: "memory");  // or the compiler makes a call of memcpy of it
    }
}

template <typename Pointer>
Pointer pointer_in(const Arguments& arguments, std::size_t which) {
    return reinterpret_cast<Pointer>(arguments.of[which]);
}

std::size_t room_for(std::int64_t size) {
    return static_cast<std::size_t>(std::clamp<std::int64_t>(size, 0, sizeof(Record::payload)));
}

// `size` is what is kept as payload_size; the payload itself is cut to its room.
void keep(Record& record, const void* from, std::int64_t size) {
    if (from == nullptr || size <= 0) return;
    copy_bytes(record.payload, from, room_for(size));
    record.payload_size = static_cast<std::uint16_t>(std::min<std::int64_t>(size, 0xffff));
}

// The same through process_vm_readv(2), which answers a wild pointer with EFAULT.
void keep_carefully(Record& record, const void* from, std::int64_t size) {
    if (from == nullptr || size <= 0) return;
    const iovec to{record.payload, room_for(size)};
    const iovec source{const_cast<void*>(from), room_for(size)};
    const long got = ask_kernel(SYS_process_vm_readv, self().process, &to, 1, &source, 1, 0);
    if (got != static_cast<long>(to.iov_len)) return;
    record.payload_size = static_cast<std::uint16_t>(std::min<std::int64_t>(size, 0xffff));
}

// What the caller wrote for the kernel to read.
void keep_input(Record& record, const void* from, std::int64_t size, bool succeeded) {
    if (succeeded) {
        keep(record, from, size);
    } else {
        keep_carefully(record, from, size);
    }
}

bool is_address_written_by_caller(Call call) { return call == Call::bind || call == Call::connect; }

void keep_address(Record& record, const Arguments& arguments, bool succeeded) {
    const auto* const address = pointer_in<const sockaddr*>(arguments, 1);
    if (is_address_written_by_caller(record.call)) {
        keep_input(record, address, arguments.of[2], succeeded);
        return;
    }
    const auto* const length = pointer_in<const socklen_t*>(arguments, 2);
    if (succeeded && address != nullptr && length != nullptr) keep(record, address, *length);
}

}  // namespace

void capture(Record& record, Capture what, const Arguments& arguments, bool succeeded) {
    const auto least = [&record](std::size_t size, std::size_t most) {
        return static_cast<std::int64_t>(std::min(static_cast<std::size_t>(record.result), most) *
                                         size);
    };
    switch (what) {
        case Capture::nothing:
            break;
        case Capture::address:
            keep_address(record, arguments, succeeded);
            break;
        case Capture::option_in:
            keep_input(record, pointer_in<const void*>(arguments, 3),
                       static_cast<std::int64_t>(room_for(arguments.of[4])), succeeded);
            break;
        case Capture::option_out: {
            const auto* const length = pointer_in<const socklen_t*>(arguments, 4);
            if (!succeeded || length == nullptr) break;
            keep(record, pointer_in<const void*>(arguments, 3),
                 static_cast<std::int64_t>(room_for(*length)));
            break;
        }
        case Capture::epoll_event:
            // epoll_ctl(2): EPOLL_CTL_DEL ignores the event, which may then be anything.
            if (arguments.of[1] == EPOLL_CTL_DEL) break;
            keep_input(record, pointer_in<const void*>(arguments, 3), sizeof(epoll_event),
                       succeeded);
            break;
        case Capture::epoll_events:
            if (!succeeded) break;
            keep(record, pointer_in<const void*>(arguments, 1),
                 least(sizeof(epoll_event), sizeof(Record::payload) / sizeof(epoll_event)));
            break;
        case Capture::pair: {
            if (!succeeded) break;
            const std::size_t which = record.call == Call::socketpair ? 3 : 0;
            keep(record, pointer_in<const void*>(arguments, which), 2 * sizeof(int));
            break;
        }
        case Capture::mutex_kind: {
            if (!succeeded) break;
            // pthread_mutexattr_settype's number, below the bits for robust and process-shared.
            const int kind = pointer_in<const pthread_mutex_t*>(arguments, 0)->__data.__kind & 3;
            keep(record, &kind, sizeof kind);
            break;
        }
        case Capture::pollfds: {
            if (!succeeded) break;
            const auto count = std::min<std::uint64_t>(static_cast<std::uint64_t>(arguments.of[1]),
                                                       sizeof(Record::payload) / sizeof(pollfd));
            keep(record, pointer_in<const void*>(arguments, 0),
                 static_cast<std::int64_t>(count * sizeof(pollfd)));
            break;
        }
    }
}

}  // namespace shim
