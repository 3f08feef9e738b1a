// Beyond the document: what libevent's header promises besides.

#include <netinet/in.h>
#include <sys/socket.h>

#include "cases/delivery.h"

using namespace hark;

namespace {

// A port of an IPv6 socket may be in use for IPv4, by an earlier run's connection in TIME_WAIT: not
// on this address, which no other case has.
constexpr const char* nobody_elses = "127.0.0.77";

}  // namespace

CASE_FOR(EXT_1, made_null, every_family_and_maker,
         "made with a null callback it delivers nothing until one is set") {
    auto& listener = stage.make({.null_callback = true});
    const auto& peer = stage.connect(listener);
    stage.settle();
    REQUIRE(kernel::is_readable(listener.fd()));

    const Voice later = stage.new_voice();
    listener.set_callback(later);
    stage.settle();
    CHECK(only_delivery(stage, listener).heard_by == later);
    CHECK(listener.delivered_to(peer) == 1);
}

CASE_FOR(EXT_1, made_null_and_disabled, every_maker,
         "made disabled with a null callback it waits for both to end") {
    auto& listener = stage.make({.flags = disabled, .null_callback = true});
    (void)stage.connect(listener);
    listener.set_callback(stage.new_voice());
    stage.settle();
    CHECK(listener.delivered() == 0);
    CHECK(kernel::queue_of(listener.fd()).length == 1);

    listener.enable();
    stage.settle();
    CHECK(listener.delivered() == 1);
}

CASE_FOR(EXT_2, set_null, every_maker, "what arrives after the callback was set to null waits") {
    auto& listener = stage.make();
    listener.set_null_callback();
    auto& peer = stage.connect(listener);

    stage.settle();
    CHECK(listener.delivered() == 0);
    CHECK_FALSE(peer.saw_end());
    CHECK(kernel::queue_of(listener.fd()).length == 1);
    listener.set_callback(stage.new_voice());
    stage.settle();
    CHECK(listener.delivered_to(peer) == 1);
}

CASE_FOR(EXT_2, set_null_within, every_maker,
         "what is left of a batch waits after the callback was set to null within it") {
    auto& listener = stage.make();
    listener.on_accept([&](Accepted&) { listener.set_null_callback(); });
    (void)stage.connect_many(listener, 3);
    stage.settle();
    CHECK(listener.delivered() == 1);
    CHECK(kernel::queue_of(listener.fd()).length == 2);

    listener.on_accept(nullptr);
    listener.set_callback(stage.new_voice());
    stage.settle();
    CHECK(listener.delivered() == 3);
}

CASE_FOR(EXT_2, set_null_and_back, every_maker,
         "a callback set to null and back delivers what comes then") {
    auto& listener = stage.make();
    const Voice later = stage.new_voice();
    listener.set_null_callback();
    listener.set_callback(later);

    CHECK(deliver_one(stage, listener).heard_by == later);
}

CASE(EXT_3, two_on_one_port, "two listeners with REUSEABLE_PORT share a port") {
    auto& first = stage.bind({.flags = reuseable_port});
    const Address port = first.address();
    auto& second = stage.bind({.flags = reuseable_port, .at = &port});

    const auto peers = stage.connect_many(first, 12);
    stage.settle();
    CHECK(kernel::is_listening(second.fd()));
    CHECK(first.delivered() + second.delivered() == 12);
    CHECK(first.delivered_to(*peers[0]) + second.delivered_to(*peers[0]) == 1);
}

CASE(EXT_3, each_must_set_it, "a listener without REUSEABLE_PORT gets no part of a shared port") {
    auto& first = stage.bind({.flags = reuseable_port});
    const Address port = first.address();

    const auto second = stage.try_bind({.at = &port});
    CHECK(second.listener == nullptr);
    CHECK(second.error == Errno(EADDRINUSE));
    (void)deliver_one(stage, first);
}

CASE(EXT_4, refuses_ipv4, "a listener with BIND_IPV6ONLY serves IPv6 and refuses IPv4") {
    const Address everywhere = Address::ipv6("::", 0);
    auto& listener = stage.bind({.flags = bind_ipv6only, .at = &everywhere});
    const auto port = listener.address().port();

    const auto& ipv4 = stage.connect(Address::ipv4(nobody_elses, port));
    const auto& ipv6 = stage.connect(Address::ipv6("::1", port));
    stage.settle();
    CHECK(ipv4.refusal() == Errno(ECONNREFUSED));
    CHECK(listener.delivered_to(ipv6) == 1);
    CHECK(listener.delivered() == 1);
}

CASE(EXT_4, leaves_ipv4_the_port, "the port of a listener with BIND_IPV6ONLY is free for IPv4") {
    const Address everywhere = Address::ipv6("::", 0);
    auto& ipv6 = stage.bind({.flags = bind_ipv6only, .at = &everywhere});
    const Address same_port = Address::ipv4(nobody_elses, ipv6.address().port());

    auto& ipv4 = stage.bind({.at = &same_port});
    const auto& peer = stage.connect(ipv4);
    stage.settle();
    CHECK(ipv4.delivered_to(peer) == 1);
    CHECK(ipv6.delivered() == 0);
}

CASE(EXT_5, serves_both, "an IPv6 listener with BIND_IPV4_AND_IPV6 serves IPv4 clients too") {
    const Address everywhere = Address::ipv6("::", 0);
    auto& listener = stage.bind({.flags = bind_ipv4_and_ipv6, .at = &everywhere});
    const auto port = listener.address().port();

    const auto& ipv4 = stage.connect(Address::ipv4("127.0.0.1", port));
    const auto& ipv6 = stage.connect(Address::ipv6("::1", port));
    stage.settle();
    CHECK(kernel::option(listener.fd(), IPPROTO_IPV6, IPV6_V6ONLY) == 0);
    CHECK(listener.delivered_to(ipv4) == 1);
    CHECK(listener.delivered_to(ipv6) == 1);
}

CASE_FOR(EXT_6, zero_backlog, every_family, "binding with a backlog of zero makes no listener") {
    (void)stage.loop();
    const auto before = kernel::open_descriptors();

    const auto made = stage.try_bind({.backlog = 0});
    CHECK(made.listener == nullptr);
    CHECK(kernel::open_descriptors() == before);
}

CASE_FOR(EXT_7, enable_without_callback, every_maker,
         "enabling a listener without a callback is no failure and delivers nothing") {
    auto& listener = stage.make({.null_callback = true});
    (void)stage.connect(listener);

    CHECK(listener.enable() == 0);
    stage.settle();
    REQUIRE(kernel::queue_of(listener.fd()).length == 1);
    listener.set_callback(stage.new_voice());
    stage.settle();
    CHECK(listener.delivered() == 1);
}

CASE_FOR(EXT_7, disable_without_callback, every_maker,
         "disabling a listener without a callback is no failure, and holds once one is set") {
    auto& listener = stage.make({.null_callback = true});
    (void)stage.connect(listener);

    CHECK(listener.disable() == 0);
    listener.set_callback(stage.new_voice());
    stage.settle();
    CHECK(listener.delivered() == 0);
    listener.enable();
    stage.settle();
    CHECK(listener.delivered() == 1);
}
