// Facts without a sentence in any document: recorded for the subject's profile, never judged.

#include <sys/socket.h>

#include "cases/delivery.h"

using namespace hark;

namespace {

const char* yes_or_no(bool fact) { return fact ? "yes" : "no"; }

Variants unix_sockets() {
    return {{.label = "bind", .family = Family::unix_abstract, .plan = ""},
            {.label = "adopt", .family = Family::unix_abstract, .maker = Maker::adopt, .plan = ""}};
}

}  // namespace

CASE(EXT_8, loopbreak_in_a_batch,
     "event_base_loopbreak within the callback ends the batch, or not") {
    auto& listener = stage.make();
    listener.on_accept([&](Accepted&) { stage.loop().break_off(); });
    (void)stage.connect_many(listener, 3);

    stage.loop().run();
    stage.record("event_base_loopbreak ends the batch", yes_or_no(listener.delivered() < 3));
}

CASE_FOR(EXT_10, keep_alive, every_maker, "the sockets have keep-alive switched on, or not") {
    auto& listener = stage.make();

    const auto& accepted = deliver_one(stage, listener);
    stage.record("keep-alive on the listening socket",
                 yes_or_no(kernel::option(listener.fd(), SOL_SOCKET, SO_KEEPALIVE) != 0));
    stage.record("keep-alive on the accepted socket",
                 yes_or_no(kernel::option(accepted.number, SOL_SOCKET, SO_KEEPALIVE) != 0));
}

CASE_FOR(EXT_11, default_backlog, every_maker, "a negative backlog becomes some limit") {
    auto& listener = stage.make({.backlog = -1});

    stage.record("backlog for a negative one",
                 std::to_string(kernel::queue_of(listener.fd()).limit));
}

CASE(EXT_12, accepts_in_a_turn, "one turn of the loop accepts all that waits, or a part") {
    auto& listener = stage.make({.backlog = 400});
    (void)stage.connect_many(listener, 300);

    stage.loop().turn();
    stage.record("accepted in one turn, of 300 that waited", std::to_string(listener.delivered()));
}

CASE_FOR(EXT_13, unknown_flag, every_maker,
         "a flag that no document knows makes a listener, or none") {
    constexpr unsigned unknown = 1u << 30;

    const auto made = stage.try_make({.flags = unknown});
    stage.record("a flag that no document knows",
                 made.listener != nullptr ? "is let pass" : "is refused: " + made.error.name());
}

CASE_FOR(EXT_14, deferred_accept_of_unix, unix_sockets,
         "DEFERRED_ACCEPT for AF_UNIX makes a listener, or none") {
    const auto made = stage.try_make({.flags = deferred_accept});

    stage.record("DEFERRED_ACCEPT for AF_UNIX", made.listener != nullptr
                                                    ? "has no effect"
                                                    : "makes no listener: " + made.error.name());
}
