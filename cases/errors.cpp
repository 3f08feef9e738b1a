// When accept fails: what is reported, to whom, and what is not worth a report.
//
// Every fault is laid on accept and accept4 together, so that it meets the listener whichever it
// calls.  EMFILE and its like leave the connection in the queue, ECONNABORTED takes it away
// (shims/errors.def).

#include "cases/delivery.h"
#include "cases/failing_accept.h"
#include "cases/no_descriptors.h"

using namespace hark;

namespace {

// Errors that the listener cannot mend by trying again at once.
Variants failing_once() { return failing_accept({"EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"}, "1"); }
Variants failing_for_ever() {
    return failing_accept({"EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"}, "1+");
}

// Errors that only ask to be tried again, and leave the connection where it is.
Variants asking_again() { return failing_accept({"EAGAIN", "EINTR"}, "1"); }
Variants asking_again_in_a_batch() { return failing_accept({"EAGAIN", "EINTR"}, "2..3"); }

Errno injected(const Stage& stage) { return Errno(stage.faults().front().error); }

}  // namespace

CASE_FOR(ERR_1, once, failing_once, "one failure calls the error callback once") {
    auto& listener = stage.make();
    listener.set_error_callback();
    (void)stage.connect(listener);
    stage.inject(stage.variant().plan);

    stage.settle();
    stage.require_reached();
    CHECK(stage.fired() == 1);
    CHECK(listener.errors().size() == 1);
}

CASE_FOR(ERR_1, every_listener, every_family_and_maker,
         "a failure of any family and maker is reported") {
    auto& listener = stage.make();
    listener.set_error_callback();
    (void)stage.connect(listener);
    stage.inject("accept,accept4:error=EMFILE:when=1");

    stage.settle();
    stage.require_reached();
    CHECK(listener.errors().size() == 1);
}

CASE_FOR(ERR_1, once_for_each_failure, failing_for_ever,
         "a failure that lasts calls the error callback once for each") {
    auto& listener = stage.make();
    listener.set_error_callback();
    (void)stage.connect_many(listener, 2);
    stage.inject(stage.variant().plan);

    stage.stop_clocks();
    for (int times = 0; times < 5; ++times) {  // a listener may pause after each
        stage.loop().turn();
        stage.let_pass(std::chrono::seconds(2));
    }
    stage.require_reached();
    CHECK(listener.errors().size() == stage.fired());
    CHECK(listener.delivered() == 0);
}

CASE_FOR(ERR_1, within_a_batch, failing_once,
         "a failure in the middle of a batch is reported once") {
    auto& listener = stage.make();
    listener.set_error_callback();
    const auto plan = stage.variant().plan;
    (void)stage.connect_many(listener, 3);
    stage.inject(plan.substr(0, plan.rfind('=') + 1) + "2");

    settle_after_fault(stage, listener, 3);
    stage.require_reached();
    CHECK(listener.errors().size() == 1);
    CHECK(listener.delivered() == 3);
}

CASE_FOR(ERR_1, on_the_loops_thread, every_maker, "the error callback runs on the loop's thread") {
    auto& listener = stage.make();
    listener.set_error_callback();
    (void)stage.connect(listener);
    stage.inject("accept,accept4:error=EMFILE:when=1");

    stage.settle();
    stage.require_reached();
    REQUIRE(listener.errors().size() == 1);
    CHECK(listener.errors().front().thread == std::this_thread::get_id());
}

CASE_FOR(ERR_1, none_without_failure, every_maker,
         "without a failure the error callback isn't called") {
    auto& listener = stage.make();
    listener.set_error_callback();

    (void)deliver_one(stage, listener);
    CHECK(listener.errors().empty());
}

CASE_FOR(ERR_1, no_descriptor_left, every_maker,
         "the error callback is called when the process is truly out of descriptors") {
    auto& listener = stage.make();
    listener.set_error_callback();
    const auto& peer = stage.connect(listener);

    {
        const NoDescriptors lasting;
        stage.loop().turn();
    }
    REQUIRE(listener.errors().size() == 1);
    CHECK(listener.errors().front().error == Errno(EMFILE));
    settle_after_fault(stage, listener, 1);
    CHECK(listener.delivered_to(peer) == 1);
}

CASE_FOR(ERR_2, listener_and_pointer, every_maker,
         "the error callback is given the listener and the maker's pointer") {
    const Voice given = stage.new_voice();
    auto& listener = stage.make({.voice = &given});
    listener.set_error_callback();
    (void)stage.connect(listener);
    stage.inject("accept,accept4:error=EMFILE:when=1");

    stage.settle();
    stage.require_reached();
    REQUIRE(listener.errors().size() == 1);
    CHECK(listener.errors().front().right_listener);
    CHECK(listener.errors().front().argument == given.argument);
}

CASE_FOR(ERR_2, that_failed, every_maker, "of two listeners the one that failed is told") {
    auto& sound = stage.make();
    auto& failing = stage.make();
    sound.set_error_callback();
    failing.set_error_callback();
    (void)stage.connect(sound);
    (void)stage.connect(failing);
    stage.inject("accept,accept4:error=EMFILE:when=1:fd=" + std::to_string(failing.fd()));

    stage.settle();
    stage.require_reached();
    CHECK(sound.errors().empty());
    CHECK(sound.delivered() == 1);
    REQUIRE(failing.errors().size() == 1);
    CHECK(failing.errors().front().right_listener);
    CHECK(failing.errors().front().argument == failing.voice().argument);
}

CASE_FOR(ERR_2, null_pointer, every_maker, "a null pointer that was given comes back as one") {
    const Voice given{0, Voice::null_argument};
    auto& listener = stage.make({.voice = &given});
    listener.set_error_callback();
    (void)stage.connect(listener);
    stage.inject("accept,accept4:error=EMFILE:when=1");

    stage.settle();
    stage.require_reached();
    REQUIRE(listener.errors().size() == 1);
    CHECK(listener.errors().front().argument == Voice::null_argument);
}

// The document says "the pointer that was passed to evconnlistener_new*()" of the error callback,
// and "its argument" of set_cb: either may be meant.
CASE_FOR(ERR_2, after_set_cb, every_maker,
         "after a change of callback the error callback is given the old pointer or the new") {
    auto& listener = stage.make();
    const Voice later = stage.new_voice();
    listener.set_error_callback();
    listener.set_callback(later);
    (void)stage.connect(listener);
    stage.inject("accept,accept4:error=EMFILE:when=1");

    stage.settle();
    stage.require_reached();
    REQUIRE(listener.errors().size() == 1);
    const int argument = listener.errors().front().argument;
    CHECK((argument == listener.voice().argument || argument == later.argument));
    stage.record("the error callback's pointer after set_cb",
                 argument == later.argument ? "set_cb's" : "the maker's");
}

CASE_FOR(ERR_3, errno_told, failing_once, "the error callback finds the error of accept") {
    auto& listener = stage.make();
    listener.set_error_callback();
    (void)stage.connect(listener);
    stage.inject(stage.variant().plan);

    stage.settle();
    stage.require_reached();
    REQUIRE(listener.errors().size() == 1);
    CHECK(listener.errors().front().error == injected(stage));
}

CASE_FOR(ERR_3, errno_told_after_deliveries, failing_once,
         "the error callback finds the error of accept after callbacks that touched errno") {
    auto& listener = stage.make();
    listener.set_error_callback();
    listener.on_accept([](Accepted&) { errno = ENOTTY; });
    const auto plan = stage.variant().plan;
    (void)stage.connect_many(listener, 2);
    stage.inject(plan.substr(0, plan.rfind('=') + 1) + "2");

    stage.settle();
    stage.require_reached();
    REQUIRE(listener.errors().size() == 1);
    CHECK(listener.errors().front().error == injected(stage));
}

CASE_FOR(ERR_3, real_error, every_maker, "the error callback finds the kernel's own error") {
    auto& listener = stage.make();
    listener.set_error_callback();
    (void)stage.connect(listener);

    {
        const NoDescriptors lasting;
        stage.loop().turn();
    }
    REQUIRE_FALSE(listener.errors().empty());
    CHECK(listener.errors().front().error == Errno(EMFILE));
}

CASE_FOR(ERR_4, aborted, every_maker,
         "an aborted connection is not reported and costs no other connection") {
    auto& listener = stage.make();
    listener.set_error_callback();
    auto& aborted = stage.connect(listener);
    const auto& behind = stage.connect(listener);
    stage.inject("accept,accept4:error=ECONNABORTED:when=1");

    stage.settle();
    stage.require_reached();
    CHECK(aborted.saw_reset());
    CHECK(listener.errors().empty());
    CHECK(listener.delivered_to(behind) == 1);
    CHECK(listener.delivered() == 1);
}

CASE_FOR(ERR_4, several_aborted, every_maker,
         "several aborted connections are not reported and cost no other connection") {
    auto& listener = stage.make();
    listener.set_error_callback();
    const auto peers = stage.connect_many(listener, 6);
    stage.inject("accept,accept4:error=ECONNABORTED:when=2..4");

    stage.settle();
    stage.require_reached();
    CHECK(stage.fired() == 3);
    CHECK(listener.errors().empty());
    CHECK(listener.delivered() == 3);
    CHECK(listener.delivered_to(*peers[0]) == 1);
    CHECK(listener.delivered_to(*peers[5]) == 1);
}

CASE_FOR(ERR_4, only_asks_again, asking_again,
         "an interrupted accept is not reported and loses no connection") {
    auto& listener = stage.make();
    listener.set_error_callback();
    const auto peers = stage.connect_many(listener, 2);
    stage.inject(stage.variant().plan);

    stage.settle();
    stage.require_reached();
    CHECK(listener.errors().empty());
    CHECK(listener.delivered() == 2);
    CHECK(listener.delivered_to(*peers[0]) == 1);
}

CASE_FOR(ERR_4, asks_again_in_a_batch, asking_again_in_a_batch,
         "an accept interrupted within a batch is not reported and loses no connection") {
    auto& listener = stage.make();
    listener.set_error_callback();
    const auto peers = stage.connect_many(listener, 4);
    stage.inject(stage.variant().plan);

    stage.settle();
    stage.require_reached();
    CHECK(listener.errors().empty());
    CHECK(listener.delivered() == 4);
    CHECK(listener.delivered_to(*peers[1]) == 1);
    CHECK(listener.delivered_to(*peers[3]) == 1);
}

CASE_FOR(ERR_4, empty_queue, every_maker, "an empty queue is not reported") {
    auto& listener = stage.make();
    listener.set_error_callback();
    (void)deliver_one(stage, listener);

    stage.loop().turn(3);
    CHECK(kernel::queue_of(listener.fd()).length == 0);
    CHECK(listener.errors().empty());
}
