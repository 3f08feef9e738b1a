// The loop of a case: the subject's own, turned by hand.

#include "harness/stage/stage.h"

namespace hark {

void Loop::turn(int times) {
    for (int i = 0; i < times; ++i) {
        (void)stage_.subject().loop_turn(foreign_);
        stage_.throw_what_was_thrown();
    }
    stage_.note("turns loop " + std::to_string(number_) + " " + std::to_string(times) + " times");
}

void Loop::wait() {
    stage_.note("waits on loop " + std::to_string(number_));
    if (stage_.never_waits_) return turn();
    (void)stage_.subject().loop_wait(foreign_);
    stage_.throw_what_was_thrown();
}

void Loop::run() {
    stage_.note("runs loop " + std::to_string(number_));
    if (!stage_.never_waits_) {
        (void)stage_.subject().loop_run(foreign_);
        stage_.throw_what_was_thrown();
        return;
    }
    leaving_ = false;
    for (int quiet = 0; quiet < Stage::quiet_turns && !leaving_;) {
        const std::size_t before = stage_.deliveries();
        (void)stage_.subject().loop_turn(foreign_);
        stage_.throw_what_was_thrown();
        quiet = stage_.deliveries() == before ? quiet + 1 : 0;
    }
}

void Loop::exit() {
    leaving_ = true;
    stage_.subject().loop_exit(foreign_);
}

void Loop::break_off() {
    leaving_ = true;
    stage_.subject().loop_break(foreign_);
}

void Loop::free() {
    if (foreign_ != nullptr) stage_.subject().loop_free(foreign_);
    foreign_ = nullptr;
}

}  // namespace hark
