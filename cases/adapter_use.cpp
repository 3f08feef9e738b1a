// The simplest use of a listener, through an adapter that `hark smoke` checks: a library that fails
// here would serve nobody.

#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <map>
#include <string>
#include <vector>

#include "cases/adapter_clause.h"
#include "cases/delivery.h"
#include "harness/fault/model.h"
#include "harness/must.h"
#include "harness/stage/guarded_subject.h"

using namespace hark;

namespace {

std::string object_of(std::uint64_t return_address) {
    Dl_info found{};
    const auto* const within = reinterpret_cast<const void*>(return_address - 1);
    return dladdr(within, &found) == 0 ? "" : found.dli_fname;
}

// As "fcntl64 1, malloc 2"; a library of templates has no object but the adapter's own.
std::string calls_of_adapter(Stage& stage) {
    const auto& subject = dynamic_cast<const GuardedSubject&>(stage.subject());
    const std::string file = subject.adapter_file();
    if (subject.identity().path == file) return "the library is in the adapter's own object file";
    std::map<std::string, int> count;
    const shim::Ledger& ledger = stage.ledger();
    for (const shim::Record& each : ledger.records) {
        if (each.number.load() == 0 || (each.marks & (shim::mark_note | shim::mark_harness)) != 0) {
            continue;
        }
        if (object_of(each.caller) == file) ++count[std::string(row_of(each.call).name)];
    }
    std::string text;
    for (const auto& [name, times] : count) {
        text += (text.empty() ? "" : ", ") + name + " " + std::to_string(times);
    }
    return text.empty() ? "none" : text;
}

// The flags that can be seen at the kernel, and how.
struct FlagEffect {
    const char* label;
    unsigned flag;
    bool (*is_there)(Stage&, Listener&);
    Family family = Family::ipv4;
};

bool has_option(const Listener& listener, int level, int name) {
    return kernel::option(listener.fd(), level, name) > 0;
}

bool accepts_blocking(Stage& stage, Listener& listener) {
    return !kernel::is_nonblocking(deliver_one(stage, listener).number);
}
bool closes_its_socket(Stage&, Listener& listener) {
    listener.free();
    return !kernel::is_open(listener.fd());
}
bool closes_on_exec(Stage&, Listener& listener) { return kernel::is_close_on_exec(listener.fd()); }
bool reuses_addresses(Stage&, Listener& listener) {
    return has_option(listener, SOL_SOCKET, SO_REUSEADDR);
}
bool is_safe(Stage& stage, Listener& listener) {
    (void)deliver_one(stage, listener);
    return true;  // its lock is for the contract; here it must only not stand in the way
}
bool waits_to_be_enabled(Stage& stage, Listener& listener) {
    (void)stage.connect(listener);
    stage.settle();
    if (listener.delivered() != 0) return false;
    if (!stage.subject().lacks(Feature::enable_disable).empty()) return true;
    (void)listener.enable();
    stage.settle();
    return listener.delivered() == 1;
}
bool defers(Stage&, Listener& listener) {
    return has_option(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT);
}
bool reuses_ports(Stage&, Listener& listener) {
    return has_option(listener, SOL_SOCKET, SO_REUSEPORT);
}
bool is_ipv6_only(Stage&, Listener& listener) {
    return has_option(listener, IPPROTO_IPV6, IPV6_V6ONLY);
}
bool is_for_both(Stage& stage, Listener& listener) { return !is_ipv6_only(stage, listener); }

constexpr FlagEffect effects[] = {
    {"leave-sockets-blocking", leave_sockets_blocking, accepts_blocking},
    {"close-on-free", close_on_free, closes_its_socket},
    {"close-on-exec", close_on_exec, closes_on_exec},
    {"reuseable", reuseable, reuses_addresses},
    {"threadsafe", threadsafe, is_safe},
    {"disabled", disabled, waits_to_be_enabled},
    {"deferred-accept", deferred_accept, defers},
    {"reuseable-port", reuseable_port, reuses_ports},
    {"bind-ipv6only", bind_ipv6only, is_ipv6_only, Family::ipv6},
    {"bind-ipv4-and-ipv6", bind_ipv4_and_ipv6, is_for_both, Family::ipv6},
};

Variants each_flag() {
    Variants all;
    for (const FlagEffect& each : effects) {
        all.push_back({.label = each.label, .family = each.family, .flags = each.flag, .plan = ""});
    }
    return all;
}

const FlagEffect& effect_of(unsigned flag) {
    const FlagEffect* found = effects;
    while (found->flag != flag) ++found;
    return *found;
}

}  // namespace

CASE_FOR(USE_1, listens, every_family, "listens on the address given") {
    auto& listener = stage.bind();

    CHECK(stage.connect(listener).is_connected());
}

CASE_FOR(USE_2, listens, every_family, "listens on the descriptor given") {
    auto& listener = stage.adopt();

    CHECK(stage.connect(listener).is_connected());
}

CASE(USE_3, address_in_use, "gives no listener for an address in use, and EADDRINUSE") {
    const BoundSocket holder = stage.bound_socket();
    must(::listen(holder.fd.get(), 1), "listen");

    const Attempt attempt = stage.try_bind({.at = &holder.address});
    CHECK(attempt.listener == nullptr);
    CHECK(attempt.error == Errno(EADDRINUSE));
}

CASE_FOR(USE_4, socket, every_maker, "tells its listening socket") {
    stage.require(Feature::get_fd);
    auto& listener = stage.make();

    const int told = listener.get_fd();
    REQUIRE(kernel::is_open(told));
    REQUIRE(kernel::is_listening(told));
    CHECK(Address::local_of(told) == listener.address());
}

CASE(USE_4, loop, "tells its loop") {
    stage.require(Feature::get_base);
    auto& listener = stage.make();

    CHECK(listener.get_base_is(stage.loop()));
}

CASE_FOR(USE_5, called, every_family_and_maker, "calls the callback once for a connection") {
    auto& listener = stage.make();
    const auto& peer = stage.connect(listener);
    stage.settle();

    CHECK(listener.delivered() == 1);
    CHECK(listener.delivered_to(peer) == 1);
}

CASE(USE_5, nobody_came, "returns from a turn in which nobody has connected") {
    auto& listener = stage.make();
    stage.loop().turn(3);
    CHECK(listener.delivered() == 0);

    (void)deliver_one(stage, listener);
}

CASE(USE_5, again, "calls the callback for each of the connections that follow") {
    auto& listener = stage.make();
    for (int i = 0; i < 3; ++i) {
        (void)stage.connect(listener);
        stage.settle();
    }

    CHECK(listener.delivered() == 3);
}

CASE_FOR(USE_6, of_its_listener, every_maker, "tells the callback of the listener it was made as") {
    auto& listener = stage.make();

    CHECK(deliver_one(stage, listener).right_listener);
}

CASE(USE_6, argument, "gives each listener's callback its own argument") {
    auto& first = stage.make();
    auto& second = stage.make();

    CHECK(deliver_one(stage, second).heard_by == second.voice());
    CHECK(deliver_one(stage, first).heard_by == first.voice());
}

CASE(USE_7, open, "leaves the descriptor open once the callback has returned") {
    auto& listener = stage.make();
    auto& peer = stage.connect(listener);
    stage.settle();
    const auto& accepted = only_delivery(stage, listener);
    stage.loop().turn(3);

    REQUIRE(kernel::is_connected(accepted.number));
    CHECK_FALSE(peer.saw_end());
}

CASE(USE_7, carries_data, "gives the descriptor through which the peer is heard") {
    auto& listener = stage.make();
    auto& peer = stage.connect(listener);
    stage.settle();
    const auto& accepted = only_delivery(stage, listener);
    peer.send("heard");

    CHECK(kernel::bytes_waiting(accepted.number) == 5);
}

CASE_FOR(USE_8, address, every_family, "tells the address of the peer") {
    auto& listener = stage.make();
    const auto& peer = stage.connect(listener);
    stage.settle();
    const auto& accepted = only_delivery(stage, listener);

    CHECK(accepted.address == peer.address());
    CHECK(accepted.length == static_cast<int>(peer.address().length()));
}

CASE(USE_9, accept, "accepts by a call that is seen") {
    auto& listener = stage.make();
    (void)deliver_one(stage, listener);

    CHECK(stage.calls(shim::Call::accept) + stage.calls(shim::Call::accept4) > 0);
}

CASE_FOR(USE_10, pauses, every_maker, "delivers nothing while it is disabled") {
    stage.require(Feature::enable_disable);
    auto& listener = stage.make();
    (void)deliver_one(stage, listener);
    CHECK(listener.disable() == 0);
    (void)stage.connect(listener);
    stage.settle();

    CHECK(listener.delivered() == 1);
}

CASE_FOR(USE_10, goes_on, every_maker, "delivers what comes after it was enabled again") {
    stage.require(Feature::enable_disable);
    auto& listener = stage.make();
    CHECK(listener.disable() == 0);
    stage.settle();
    CHECK(listener.enable() == 0);

    (void)deliver_one(stage, listener);
}

CASE(USE_11, callback, "calls the new callback with the new argument") {
    stage.require(Feature::set_callback);
    auto& listener = stage.make();
    const Voice voice = stage.new_voice();
    listener.set_callback(voice);

    CHECK(deliver_one(stage, listener).heard_by == voice);
}

CASE(USE_12, told, "tells the error callback of the accept that failed") {
    stage.require(Feature::set_error_callback);
    auto& listener = stage.make();
    listener.set_error_callback();
    (void)stage.connect(listener);
    // Not EMFILE, for which a listener may keep a descriptor in reserve.
    stage.inject("accept,accept4:error=ENOBUFS:when=1");
    stage.settle();
    stage.require_reached();

    REQUIRE(listener.errors().size() == 1);
    CHECK(listener.errors().front().error == Errno(ENOBUFS));
    CHECK(listener.errors().front().argument == listener.voice().argument);
    CHECK(listener.errors().front().right_listener);
}

CASE(USE_13, runs, "delivers while its loop runs, and lets it end") {
    auto& listener = stage.make();
    listener.on_accept([&](Accepted&) { stage.loop().exit(); });
    (void)stage.connect(listener);

    stage.loop().run();
    CHECK(listener.delivered() == 1);
}

CASE(USE_13, breaks, "delivers while its loop runs, and lets it be broken off") {
    auto& listener = stage.make();
    listener.on_accept([&](Accepted&) { stage.loop().break_off(); });
    (void)stage.connect(listener);

    stage.loop().run();
    CHECK(listener.delivered() == 1);
}

CASE(USE_14, waits, "delivers in turns that wait") {
    auto& listener = stage.make();
    (void)stage.connect(listener);

    stage.loop().wait();
    stage.settle();
    CHECK(listener.delivered() == 1);
}

CASE_FOR(USE_15, flag, each_flag, "does what the flag is named for") {
    if (stage.variant().flags == threadsafe) stage.use_threads();
    // The kernel makes a socket that is bound to one IPv6 address IPv6-only by itself.
    const Address everywhere = Address::ipv6("::", 0);
    const bool is_ipv6 = stage.variant().family == Family::ipv6;
    auto& listener = stage.make({.at = is_ipv6 ? &everywhere : nullptr});

    const bool effect_is_seen = effect_of(stage.variant().flags).is_there(stage, listener);
    CHECK(effect_is_seen);
}

CASE_FOR(USE_16, silent, every_maker, "calls nobody once it is freed") {
    auto& listener = stage.make();
    (void)deliver_one(stage, listener);
    (void)stage.connect(listener);
    listener.free();
    stage.loop().turn(3);

    CHECK(listener.calls_after_free() == 0);
    CHECK(listener.delivered() == 1);
}

// One listener's life, from which the loop has time to clear up.
void live_and_die(Stage& stage, Listener& listener) {
    (void)deliver_one(stage, listener);
    listener.free();
    stage.loop().turn(3);
}

CASE_FOR(USE_16, no_memory_left, every_maker, "takes no memory that it does not give back") {
    const unsigned flags = close_on_free & stage.supported(close_on_free);
    live_and_die(stage, stage.make({.flags = flags}));  // what it keeps once, it has now
    const auto before = stage.allocations();
    live_and_die(stage, stage.make({.flags = flags}));

    CHECK(stage.allocations() == before);
}

CASE_FOR(USE_16, no_socket_left, every_maker, "closes what it opened, and nothing else") {
    auto& listener = stage.make({.flags = close_on_free & stage.supported(close_on_free)});
    const int fd = listener.fd();
    live_and_die(stage, listener);
    stage.loop().free();

    const bool is_closed = !kernel::is_open(fd);
    CHECK(is_closed == (stage.supported(close_on_free) != 0));
}

CASE(USE_17, calls, "is known by the calls that the adapter makes beside the library's") {
    auto& listener = stage.make({.flags = close_on_free & stage.supported(close_on_free)});
    (void)deliver_one(stage, listener);
    listener.free();

    stage.record("calls", calls_of_adapter(stage));
}
