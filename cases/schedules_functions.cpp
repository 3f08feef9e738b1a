// LEV_OPT_THREADSAFE, function by function and moment by moment: each function of the interface is
// called from a second thread while the first is somewhere, and two of them from two.
//
// Every order of the calls is a moment of its own, so "while a batch is delivered" is also before
// it and after it; a callback and an error callback have points within, for others to come between.

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "cases/locking.h"

using namespace hark;

namespace {

// The loop goes round without waiting, often enough for three connections, one a turn.
constexpr int turns = 3;

// Points within a callback.
constexpr int moments = 2;

constexpr std::array<std::string_view, 7> every_name = {
    "enable", "disable", "set-cb", "set-error-cb", "get-fd", "get-base", "free"};

// One call of a function of the interface, from whichever thread, and what must hold of it
// afterwards whatever else went on.
class Deed {
  public:
    Deed(Stage& stage, Listener& listener, std::string_view function)
        : stage_(stage), listener_(listener), function_(function) {
        if (function_ == "set-cb") later_ = stage.new_voice();
    }

    void act() {
        if (function_ == "enable") result_ = listener_.enable();
        if (function_ == "disable") result_ = listener_.disable();
        if (function_ == "set-cb") listener_.set_callback(*later_);
        if (function_ == "set-error-cb") listener_.set_error_callback(1);
        if (function_ == "get-fd") told_ = listener_.get_fd();
        if (function_ == "get-base") told_base_ = listener_.get_base_is(stage_.loop());
        if (function_ == "free") listener_.free();
    }

    // What it returned or told.
    void check(Stage& stage) const {
        if (function_ == "enable" || function_ == "disable") CHECK(result_ == 0);
        if (function_ == "get-fd") CHECK(told_ == listener_.fd());
        if (function_ == "get-base") CHECK(told_base_);
        if (frees()) CHECK(listener_.calls_after_free() <= 1);  // one was on its way
    }

    // Whom it had the listener call from then on.
    [[nodiscard]] const std::optional<Voice>& later() const { return later_; }
    [[nodiscard]] int error_function() const { return function_ == "set-error-cb" ? 1 : 0; }
    [[nodiscard]] bool frees() const { return function_ == "free"; }
    [[nodiscard]] bool stops() const { return frees() || function_ == "disable"; }

  private:
    Stage& stage_;
    Listener& listener_;
    std::string_view function_;
    std::optional<Voice> later_;
    int result_ = -1;
    int told_ = -1;
    bool told_base_ = false;
};

Listener& make_threadsafe(Stage& stage) {
    stage.use_threads();
    auto& listener = stage.make({.flags = threadsafe});
    listener.set_error_callback();
    return listener;
}

// Whoever was called is who was set, before or by one of the deeds; whoever is called last was set
// by one of them, if any did.
void check_heard(Stage& stage, Listener& listener, const std::vector<const Deed*>& deeds) {
    const auto set_by_one = [&](const Voice& voice) {
        return std::ranges::any_of(deeds, [&](const Deed* each) { return each->later() == voice; });
    };
    for (const Accepted& each : listener.accepted()) {
        CHECK((each.heard_by == listener.voice() || set_by_one(each.heard_by)));
    }
    for (const ErrorTold& told : listener.errors()) {
        CHECK((told.function == 0 || std::ranges::any_of(deeds, [&](const Deed* each) {
                   return each->error_function() == told.function;
               })));
    }
    const bool any_set =
        std::ranges::any_of(deeds, [](const Deed* each) { return each->later().has_value(); });
    if (any_set && !listener.is_freed()) CHECK(set_by_one(listener.accepted().back().heard_by));
}

// None is lost and none comes twice; whoever was not freed delivers the rest, and one more.
void check_delivered(Stage& stage, Listener& listener, std::size_t connections,
                     const std::vector<const Deed*>& deeds) {
    for (const Deed* each : deeds) each->check(stage);
    const bool freed = listener.is_freed();
    if (!freed) {
        CHECK(listener.enable() == 0);
        settle_after_fault(stage, listener, connections);
        CHECK(listener.delivered() == connections);
        (void)stage.connect(listener);
    }
    stage.settle();
    std::set<int> peers;
    for (const Accepted& each : listener.accepted()) peers.insert(each.peer);
    CHECK(peers.size() == listener.delivered());
    const std::size_t waiting = freed ? kernel::queue_of(listener.fd()).length : 0;
    REQUIRE(listener.delivered() + waiting == connections + (freed ? 0 : 1));
    check_heard(stage, listener, deeds);
}

// The loop goes round in one thread, and in each of the others one thing is done.
void beside_the_loop(Stage& stage, const std::vector<Deed*>& deeds) {
    std::vector<std::function<void()>> bodies = {[&] { stage.loop().turn(turns); }};
    for (Deed* each : deeds) bodies.emplace_back([each] { each->act(); });
    stage.together(bodies);
}

Variants every_function() {
    Variants variants;
    for (const auto name : every_name) variants.emplace_back().label = name;
    return variants;
}

// Of two that are called at once neither is free: whoever frees must know that nobody else calls.
Variants every_pair() {
    Variants variants;
    for (std::size_t i = 0; i + 1 < every_name.size(); ++i) {
        for (std::size_t j = i; j + 1 < every_name.size(); ++j) {
            variants.emplace_back().label =
                std::string(every_name[i]) + "-and-" + std::string(every_name[j]);
        }
    }
    return variants;
}

// Which accept of a batch of three fails: what waited stays in the queue, and another is owed.
Variants every_function_and_failing_accept() {
    Variants variants;
    for (const auto name : every_name) {
        for (int nth = 1; nth <= 3; ++nth) {
            Variant& variant = variants.emplace_back();
            variant.label = std::string(name) + "-" +
                            (nth == 1   ? "first"
                             : nth == 2 ? "second"
                                        : "third");
            variant.plan = "accept,accept4:error=EMFILE:when=" + std::to_string(nth);
        }
    }
    return variants;
}

// The name at the beginning of the label.
std::string_view function_of(const Stage& stage) {
    const std::string_view label = stage.variant().label;
    return *std::ranges::find_if(every_name, [&](auto name) { return label.starts_with(name); });
}

std::string_view other_function_of(const Stage& stage) {
    const std::string_view label = stage.variant().label;
    return *std::ranges::find_if(every_name, [&](auto name) { return label.ends_with(name); });
}

}  // namespace

SCENARIO_FOR(THR_1, beside_rest, every_function,
             "a function is called while another thread's loop finds nothing to do") {
    auto& listener = make_threadsafe(stage);
    Deed deed(stage, listener, function_of(stage));

    beside_the_loop(stage, {&deed});
    check_delivered(stage, listener, 0, {&deed});
}

SCENARIO_FOR(THR_1, beside_batch, every_function,
             "a function is called while another thread delivers several connections") {
    auto& listener = make_threadsafe(stage);
    (void)stage.connect_many(listener, 3);
    Deed deed(stage, listener, function_of(stage));

    beside_the_loop(stage, {&deed});
    check_delivered(stage, listener, 3, {&deed});
}

SCENARIO_FOR(THR_1, beside_callback, every_function,
             "a function is called while another thread is within the callback") {
    auto& listener = make_threadsafe(stage);
    (void)stage.connect(listener);
    listener.on_accept([](Accepted&) { Stage::come_to_points(moments); });
    Deed deed(stage, listener, function_of(stage));

    beside_the_loop(stage, {&deed});
    listener.on_accept(nullptr);
    check_delivered(stage, listener, 1, {&deed});
}

SCENARIO_FOR(THR_1, beside_error_callback, every_function,
             "a function is called while another thread is within the error callback") {
    auto& listener = make_threadsafe(stage);
    (void)stage.connect(listener);
    listener.on_error([](const ErrorTold&) { Stage::come_to_points(moments); });
    Deed deed(stage, listener, function_of(stage));
    stage.inject("accept,accept4:error=EMFILE:when=1");

    beside_the_loop(stage, {&deed});
    stage.end_faults();
    listener.on_error(nullptr);
    // Whoever is stopped before the accept never makes it.
    if (!deed.stops()) stage.require_reached();
    CHECK((listener.errors().size() == stage.fired() || deed.frees()));
    check_delivered(stage, listener, 1, {&deed});
}

SCENARIO_FOR(THR_1, beside_failing_accept, every_function_and_failing_accept,
             "a function is called while one accept of several fails in another thread") {
    auto& listener = make_threadsafe(stage);
    (void)stage.connect_many(listener, 3);
    Deed deed(stage, listener, function_of(stage));
    stage.inject(stage.variant().plan);

    beside_the_loop(stage, {&deed});
    stage.end_faults();
    if (!deed.stops()) stage.require_reached();
    CHECK((listener.errors().size() == stage.fired() || deed.frees()));
    check_delivered(stage, listener, 3, {&deed});
}

SCENARIO_FOR(THR_1, beside_making, every_function,
             "a function is called while another thread makes a listener for the same loop") {
    auto& listener = make_threadsafe(stage);
    (void)stage.connect(listener);
    Deed deed(stage, listener, function_of(stage));
    Listener* made = nullptr;

    stage.together({[&] { deed.act(); }, [&] { made = &stage.make({.flags = threadsafe}); }});
    check_delivered(stage, listener, 1, {&deed});
    REQUIRE(made != nullptr);
    (void)stage.connect(*made);
    stage.settle();
    CHECK(made->delivered() == 1);
}

SCENARIO_FOR(THR_1, beside_freeing, every_function,
             "a function is called while another thread frees a listener of the same loop") {
    auto& listener = make_threadsafe(stage);
    auto& other = make_threadsafe(stage);
    (void)stage.connect(listener);
    (void)stage.connect(other);
    Deed deed(stage, listener, function_of(stage));

    stage.together({[&] { deed.act(); }, [&] { other.free(); }});
    check_delivered(stage, listener, 1, {&deed});
    CHECK(other.delivered() == 0);
}

SCENARIO_FOR(THR_1, two_beside_batch, every_pair,
             "two functions are called from two threads while a third delivers") {
    auto& listener = make_threadsafe(stage);
    (void)stage.connect(listener);
    Deed one(stage, listener, function_of(stage));
    Deed other(stage, listener, other_function_of(stage));

    beside_the_loop(stage, {&one, &other});
    check_delivered(stage, listener, 1, {&one, &other});
}

SCENARIO_FOR(
    THR_2, no_lock_beside_loop, failing_locks,
    "where the lock can't be made its caller learns it, and another thread's loop goes on") {
    auto& first = make_threadsafe(stage);
    (void)stage.connect(first);
    stage.inject(stage.variant().plan);
    std::optional<Attempt> made;

    stage.together(
        {[&] { stage.loop().turn(turns); }, [&] { made = stage.try_bind({.flags = threadsafe}); }});
    stage.end_faults();
    CHECK(first.delivered() == 1);
    REQUIRE(made.has_value());
    require_call(stage);
    stage.require_reached();
    CHECK((made->listener == nullptr || takes_a_lock(stage, *made->listener)));
}
