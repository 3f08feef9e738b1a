// The connection callback: how often it is called, and what it is told.

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

#include "cases/delivery.h"
#include "harness/must.h"

using namespace hark;

namespace {

std::vector<int> numbers_of(const std::vector<Peer*>& peers) {
    std::vector<int> numbers;
    std::transform(peers.begin(), peers.end(), std::back_inserter(numbers),
                   [](const Peer* each) { return each->number(); });
    return numbers;
}

std::vector<int> delivered_numbers(const Listener& listener) {
    std::vector<int> numbers;
    const auto& all = listener.accepted();
    std::transform(all.begin(), all.end(), std::back_inserter(numbers),
                   [](const Accepted& each) { return each.peer; });
    return numbers;
}

}  // namespace

CASE_FOR(CBK_1, one, every_family_and_maker, "one connection calls the callback once") {
    auto& listener = stage.make();
    const auto& peer = stage.connect(listener);

    stage.settle();
    CHECK(listener.delivered_to(peer) == 1);
    CHECK(listener.delivered() == 1);
}

CASE_FOR(CBK_1, none, every_maker, "without a connection the callback isn't called") {
    auto& listener = stage.make();

    stage.settle();
    CHECK(listener.delivered() == 0);
    (void)deliver_one(stage, listener);
}

CASE_FOR(CBK_1, in_order, every_family_and_maker,
         "connections are delivered in the order of the queue") {
    auto& listener = stage.make();
    const auto peers = stage.connect_many(listener, 5);

    stage.settle();
    CHECK(delivered_numbers(listener) == numbers_of(peers));
}

// More than any listener that bounds its batches takes in one turn (nginx and haproxy: 64 and 200).
CASE_FOR(CBK_1, burst, every_maker, "a burst larger than any batch is delivered, each once") {
    auto& listener = stage.make({.backlog = 300});
    const auto peers = stage.connect_many(listener, 260);
    REQUIRE(peers.back()->is_connected());

    stage.settle();
    CHECK(delivered_numbers(listener) == numbers_of(peers));
}

CASE_FOR(CBK_1, across_turns, every_maker,
         "connections of several turns are delivered, each once") {
    auto& listener = stage.make();
    const auto& first = stage.connect(listener);
    stage.loop().turn();
    const auto& second = stage.connect(listener);
    const auto& third = stage.connect(listener);
    stage.loop().turn();

    stage.settle();
    CHECK(listener.delivered() == 3);
    CHECK(listener.delivered_to(first) == 1);
    CHECK(listener.delivered_to(second) == 1);
    CHECK(listener.delivered_to(third) == 1);
}

CASE_FOR(CBK_1, several_listeners, every_maker,
         "several listeners of one loop deliver each its own connections") {
    auto& first = stage.make();
    auto& second = stage.make();
    auto& third = stage.make();
    const auto peers_of_first = stage.connect_many(first, 2);
    const auto peers_of_third = stage.connect_many(third, 3);

    stage.settle();
    CHECK(delivered_numbers(first) == numbers_of(peers_of_first));
    CHECK(second.delivered() == 0);
    CHECK(delivered_numbers(third) == numbers_of(peers_of_third));
}

CASE_FOR(CBK_1, comes_while_the_loop_runs, every_maker,
         "a connection that comes within the callback is delivered too") {
    auto& listener = stage.make();
    listener.on_accept([&](Accepted&) {
        if (listener.delivered() < 4) (void)stage.connect(listener);
    });
    (void)stage.connect(listener);

    stage.settle();
    CHECK(delivered_numbers(listener) == std::vector{1, 2, 3, 4});
}

CASE_FOR(CBK_1, client_has_gone, every_maker,
         "a connection whose client has closed is delivered all the same") {
    auto& listener = stage.make();
    auto& gone = stage.connect(listener);
    gone.send("last words");
    gone.close();
    const auto& behind = stage.connect(listener);

    stage.settle();
    REQUIRE(listener.delivered() == 2);
    CHECK(listener.accepted().front().address == gone.address());
    CHECK(kernel::bytes_waiting(listener.accepted().front().number) == 10);
    CHECK(listener.delivered_to(behind) == 1);
}

CASE_FOR(CBK_1, client_has_finished, every_maker,
         "a connection whose client has finished sending is delivered") {
    auto& listener = stage.make();
    auto& peer = stage.connect(listener);
    peer.finish_sending();

    stage.settle();
    CHECK(listener.delivered_to(peer) == 1);
    CHECK(only_delivery(stage, listener).was_readable);
}

// Linux keeps a connection that was reset in the queue, and accept gives it (accept(2) elsewhere
// reports ECONNABORTED).  Whether it is delivered is therefore not asked, only what is behind it.
CASE_FOR(CBK_1, behind_a_reset_one, every_maker,
         "a connection behind one that was reset is delivered, once") {
    auto& listener = stage.make();
    stage.connect(listener).reset();
    const auto& behind = stage.connect(listener);

    stage.settle();
    CHECK(listener.delivered_to(behind) == 1);
    CHECK(listener.delivered() <= 2);
}

CASE_FOR(CBK_2, that_accepted, every_family_and_maker,
         "the callback is told the listener that accepted") {
    auto& first = stage.make();
    auto& second = stage.make();
    (void)stage.connect(second);
    (void)stage.connect(first);

    stage.settle();
    CHECK(only_delivery(stage, first).right_listener);
    CHECK(only_delivery(stage, second).right_listener);
}

CASE_FOR(CBK_3, connected_to_the_peer, every_family_and_maker,
         "the callback's socket is open and connected to that peer") {
    auto& listener = stage.make();
    const auto& peer = stage.connect(listener);

    stage.settle();
    const auto& accepted = only_delivery(stage, listener);
    REQUIRE(kernel::is_connected(accepted.number));
    CHECK(Address::peer_of(accepted.number) == peer.address());
    CHECK(accepted.number != listener.fd());
}

CASE_FOR(CBK_3, bytes_arrive, every_family_and_maker,
         "bytes go both ways between the callback's socket and the peer") {
    auto& listener = stage.make();
    auto& peer = stage.connect(listener);
    stage.settle();
    const auto& accepted = only_delivery(stage, listener);

    peer.send("to");
    CHECK(kernel::bytes_waiting(accepted.number) == 2);
    CHECK(::send(accepted.number, "fro", 3, MSG_NOSIGNAL) == 3);
    CHECK(peer.receive() == "fro");
}

CASE_FOR(CBK_3, bytes_sent_before, every_family_and_maker,
         "bytes that the peer sent before it was accepted are there to read") {
    auto& listener = stage.make();
    stage.connect(listener).send("early");

    stage.settle();
    const auto& accepted = only_delivery(stage, listener);
    CHECK(kernel::bytes_waiting(accepted.number) == 5);
    CHECK(kernel::error_of(accepted.number) == 0);
}

CASE_FOR(CBK_3, is_the_callers, every_maker,
         "the library leaves the callback's socket alone afterwards") {
    auto& listener = stage.make();
    auto& peer = stage.connect(listener);
    stage.settle();
    const auto& accepted = only_delivery(stage, listener);

    (void)stage.connect_many(listener, 3);
    stage.settle();
    REQUIRE(kernel::is_connected(accepted.number));
    CHECK(Address::peer_of(accepted.number) == peer.address());
    CHECK_FALSE(peer.saw_end());
}

CASE_FOR(CBK_3, may_be_closed_within, every_maker, "the callback may close its socket") {
    auto& listener = stage.make();
    listener.on_accept([](Accepted& accepted) { accepted.fd.reset(); });
    const auto peers = stage.connect_many(listener, 3);

    stage.settle();
    CHECK(listener.delivered() == 3);
    CHECK(peers[0]->saw_end());
    CHECK(peers[2]->saw_end());
}

CASE_FOR(CBK_4, peers_address, every_family_and_maker,
         "the callback is told the peer's address and its length") {
    auto& listener = stage.make();
    const auto& peer = stage.connect(listener);

    stage.settle();
    const auto& accepted = only_delivery(stage, listener);
    CHECK(accepted.address == peer.address());
    CHECK(accepted.length == static_cast<int>(peer.address().length()));
}

CASE_FOR(CBK_4, each_its_own, every_family_and_maker,
         "each connection of a batch comes with its own address") {
    auto& listener = stage.make();
    const auto peers = stage.connect_many(listener, 3);

    stage.settle();
    REQUIRE(listener.delivered() == 3);
    CHECK(listener.accepted()[0].address == peers[0]->address());
    CHECK(listener.accepted()[1].address == peers[1]->address());
    CHECK(listener.accepted()[2].address == peers[2]->address());
}

CASE(CBK_4, ipv4_mapped, "an IPv4 client of an IPv6 listener has an IPv4-mapped address") {
    const Address everywhere = Address::ipv6("::", 0);
    auto socket = stage.bound_socket(&everywhere);
    auto& listener = stage.adopt({.fd = socket.fd.release()});
    const auto& peer = stage.connect(Address::ipv4("127.0.0.1", listener.address().port()));
    REQUIRE(peer.is_connected());

    stage.settle();
    const auto& accepted = only_delivery(stage, listener);
    CHECK(accepted.address == Address::ipv6("::ffff:127.0.0.1", peer.address().port()));
    CHECK(accepted.length == static_cast<int>(sizeof(sockaddr_in6)));
}

CASE(CBK_4, unnamed_client,
     "an AF_UNIX client without a name has an address that is only a family") {
    const Address name = Address::unix_abstract("hark-unnamed-" + process_word() + "-1");
    auto& listener = stage.bind({.at = &name});
    const Fd client(must(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket"));
    must(::connect(client.get(), name.get(), name.length()), "connect without a name");

    stage.settle();
    const auto& accepted = only_delivery(stage, listener);
    CHECK(accepted.address.family() == AF_UNIX);
    CHECK(accepted.length == static_cast<int>(sizeof(sa_family_t)));
}

CASE_FOR(CBK_5, pointer_given, every_family_and_maker,
         "the callback is given the maker's pointer") {
    const Voice given = stage.new_voice();
    auto& listener = stage.make({.voice = &given});

    CHECK(deliver_one(stage, listener).heard_by == given);
}

CASE_FOR(CBK_5, null_pointer, every_maker, "a null pointer that was given is handed on as one") {
    const Voice given{0, Voice::null_argument};
    auto& listener = stage.make({.voice = &given});

    CHECK(deliver_one(stage, listener).heard_by == given);
}

CASE_FOR(CBK_5, each_its_own, every_maker,
         "two listeners with one callback are told apart by their pointers") {
    const Voice one = stage.new_voice();
    const Voice other{one.function, stage.new_voice().argument};
    auto& first = stage.make({.voice = &one});
    auto& second = stage.make({.voice = &other});
    (void)stage.connect(first);
    (void)stage.connect(second);

    stage.settle();
    CHECK(only_delivery(stage, first).heard_by == one);
    CHECK(only_delivery(stage, second).heard_by == other);
}
