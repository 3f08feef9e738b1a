// One call fails while a listener is made: no listener and the reason, or one that works.
//
// There is a variant for each call and errno.  A library that never makes the call while it makes a
// listener is `unsupported` there: nothing failed, so nothing was proved.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "cases/delivery.h"
#include "cases/free_address.h"
#include "harness/must.h"

using namespace hark;

namespace {

// As many calls as the flags can bring about, of which a subject is given those it has.  The lock
// has a clause of its own (THR_2).
constexpr unsigned flags_with_calls = close_on_exec | reuseable | deferred_accept;

// What either maker may need.
constexpr const char* failures[] = {
    "listen:error=EADDRINUSE",
    "listen:error=EOPNOTSUPP",
    "setsockopt:error=ENOMEM",
    "setsockopt:opt=SO_KEEPALIVE:error=ENOPROTOOPT",
    "setsockopt:opt=SO_REUSEADDR:error=ENOPROTOOPT",
    "setsockopt:opt=SO_REUSEADDR:error=ENOMEM",
    "setsockopt:opt=TCP_DEFER_ACCEPT:error=ENOPROTOOPT",
    "setsockopt:opt=TCP_DEFER_ACCEPT:error=ENOMEM",
    "getsockopt:error=ENOPROTOOPT",
    "getsockname:error=ENOBUFS",
    "fcntl,fcntl64:error=EBADF",
    "fcntl,fcntl64:error=EINVAL:when=2",
    "ioctl:error=EINVAL",
    "epoll_ctl:error=ENOMEM",
    "epoll_ctl:error=ENOSPC",
    "epoll_ctl:error=EPERM",
    "epoll_ctl:error=ENOMEM:when=1+",
    "malloc,calloc,realloc,posix_memalign,strdup:error=ENOMEM:when=1",
    "malloc,calloc,realloc,posix_memalign,strdup:error=ENOMEM:when=2",
    "malloc,calloc,realloc,posix_memalign,strdup:error=ENOMEM:when=3",
    "malloc,calloc,realloc,posix_memalign,strdup:error=ENOMEM:when=4",
    "malloc,calloc,realloc,posix_memalign,strdup:error=ENOMEM:when=1+",
};

// What only the maker of a socket needs.
constexpr const char* failures_of_binding[] = {
    "socket:error=EMFILE",   "socket:error=ENFILE", "socket:error=ENOBUFS",
    "socket:error=ENOMEM",   "socket:error=EACCES", "socket:error=EAFNOSUPPORT",
    "bind:error=EADDRINUSE", "bind:error=EACCES",   "bind:error=EADDRNOTAVAIL",
};

// "bind:error=EADDRINUSE" is "bind-eaddrinuse".
std::string label_of(std::string plan) {
    const auto names = plan.find(',');
    if (names != std::string::npos) plan.erase(names, plan.find(':') - names);
    std::string label;
    for (const std::string word : {":error=", ":opt=", ":when="}) {
        const auto at = plan.find(word);
        if (at != std::string::npos) plan.replace(at, word.size(), "-");
    }
    for (const char each : plan) {
        label += each == '_' ? '-' : static_cast<char>(std::tolower(each));
    }
    return label;
}

Variants every_failure() {
    Variants all;
    for (const char* plan : failures) all.push_back({.label = label_of(plan), .plan = plan});
    return all;
}

Variants every_failure_of_binding() {
    Variants all;
    for (const char* plan : failures_of_binding) {
        all.push_back({.label = label_of(plan), .plan = plan});
    }
    for (const auto& each : every_failure()) all.push_back(each);
    return all;
}

void check_works(Stage& stage, Listener& listener) {
    auto& peer = stage.connect(listener);
    peer.send("x");  // the listener may defer its accept
    stage.settle();
    CHECK(listener.delivered_to(peer) == 1);
}

}  // namespace

CASE_FOR(ALL_1, binding, every_failure_of_binding,
         "a call fails while a listener binds: it works, or there is none and errno tells why") {
    (void)stage.loop();
    const auto before = kernel::open_sockets();
    stage.inject(stage.variant().plan);

    const auto made = stage.try_bind({.flags = stage.supported(flags_with_calls)});
    stage.end_faults();
    require_call(stage);
    stage.require_reached();
    if (made.listener != nullptr) return check_works(stage, *made.listener);
    CHECK(made.error == Errno(stage.faults().front().error));
    CHECK(kernel::open_sockets() == before);
}

CASE_FOR(ALL_1, address_is_free_again, every_family,
         "an address that no listener came of can be bound by another") {
    (void)stage.loop();
    const auto wanted = free_address(stage);
    stage.inject("listen:error=EADDRINUSE");

    const auto made = stage.try_bind({.at = &wanted});
    stage.end_faults();
    stage.require_reached();
    REQUIRE(made.listener == nullptr);
    CHECK(stage.bind_plain(wanted) == Errno(0));
}

CASE_FOR(ALL_1, adopting, every_failure,
         "a call fails while a listener adopts a descriptor: it works, or the caller keeps it") {
    (void)stage.loop();
    auto socket = stage.bound_socket();
    const int passed = socket.fd.get();
    const auto inode = kernel::inode_of(passed);
    const auto before = kernel::open_sockets();
    stage.inject(stage.variant().plan);

    const auto made = stage.try_adopt({.flags = stage.supported(flags_with_calls), .fd = passed});
    if (made.listener != nullptr) (void)socket.fd.release();
    stage.end_faults();
    require_call(stage);
    stage.require_reached();
    if (made.listener != nullptr) return check_works(stage, *made.listener);
    CHECK(made.error == Errno(stage.faults().front().error));
    CHECK(kernel::open_sockets() == before);
    REQUIRE(kernel::is_open(passed));
    CHECK(kernel::inode_of(passed) == inode);
}

CASE_FOR(ALL_1, adopting_to_close, every_failure,
         "a descriptor stays the caller's where no listener is made, CLOSE_ON_FREE or not") {
    (void)stage.loop();
    auto socket = stage.bound_socket();
    const int passed = socket.fd.get();
    stage.inject(stage.variant().plan);

    const auto made = stage.try_adopt({.flags = close_on_free, .fd = passed});
    if (made.listener != nullptr) (void)socket.fd.release();
    stage.end_faults();
    require_call(stage);
    stage.require_reached();
    if (made.listener != nullptr) return check_works(stage, *made.listener);
    CHECK(made.error == Errno(stage.faults().front().error));
    CHECK(kernel::is_open(passed));
}

CASE(ALL_1, adopting_what_is_no_socket,
     "a descriptor that is no socket is refused, and stays the caller's") {
    (void)stage.loop();
    int ends[2] = {-1, -1};
    REQUIRE(::pipe(ends) == 0);
    const Fd reading(ends[0]);
    const Fd writing(ends[1]);

    const auto made = stage.try_adopt({.fd = reading.get()});
    CHECK(made.listener == nullptr);
    CHECK(made.error == Errno(ENOTSOCK));
    CHECK(kernel::is_open(reading.get()));
}

CASE(ALL_1, adopting_what_is_not_open, "a descriptor that is not open is refused") {
    (void)stage.loop();
    // So high that no descriptor which is opened meanwhile gets the number.
    const int closed = must(::fcntl(stage.bound_socket().fd.get(), F_DUPFD, 900), "F_DUPFD");
    must(::close(closed), "close");
    REQUIRE_FALSE(kernel::is_open(closed));

    const auto made = stage.try_adopt({.fd = closed});
    CHECK(made.listener == nullptr);
    CHECK(made.error == Errno(EBADF));
}
