#include "harness/stage/listener.h"

#include "harness/stage/stage.h"

namespace hark {

namespace {

std::string outcome(int result) { return result == 0 ? "" : ": " + std::to_string(result); }

}  // namespace

Listener::Listener(Stage& stage, Loop& loop, Voice voice)
    : stage_(stage), loop_(loop), voice_(voice) {}

int Listener::enable() {
    stage_.require(Feature::enable_disable);
    const int result = stage_.subject().listener_enable(foreign_);
    enabled_ = result == 0;
    stage_.note({"enables the listener" + outcome(result), Told::enabled, fd_, result});
    return result;
}

int Listener::disable() {
    stage_.require(Feature::enable_disable);
    const int result = stage_.subject().listener_disable(foreign_);
    enabled_ = false;  // or, where it failed, nobody knows: nothing is owed
    stage_.note({"disables the listener" + outcome(result), Told::disabled, fd_, result});
    return result;
}

void Listener::free() {
    stage_.note({"frees the listener", Told::freeing, fd_});
    freed_ = true;
    freeing_ = std::this_thread::get_id();
    stage_.subject().listener_free(foreign_);
    free_returned_.store(true);
}

void Listener::count_call() {
    const bool by_who_frees = freed_ && freeing_ == std::this_thread::get_id();
    if (free_returned_.load() || by_who_frees) ++calls_after_free_;
}

void Listener::set_callback(Voice voice) {
    stage_.require(Feature::set_callback);
    stage_.note({"sets callback " + std::to_string(voice.function) + " with pointer " +
                     std::to_string(voice.argument),
                 Told::callback_set, fd_, 1});
    has_callback_ = true;
    void* pointer = stage_.pointer_of(voice);
    stage_.adopt_voice(voice, *this);
    stage_.subject().listener_set_cb(foreign_, Stage::function_of(voice), pointer);
}

void Listener::set_null_callback() {
    stage_.require(Feature::set_callback);
    stage_.require(Feature::null_callback);
    stage_.note({"sets a null callback", Told::callback_set, fd_, 0});
    has_callback_ = false;
    stage_.subject().listener_set_cb(foreign_, nullptr, stage_.pointer_of(voice_));
}

void Listener::set_error_callback(int function) {
    stage_.require(Feature::set_error_callback);
    stage_.note({"sets error callback " + std::to_string(function), Told::error_callback, fd_, 1});
    stage_.subject().listener_set_error_cb(
        foreign_, function == 0 ? &Stage::error_callback<0> : &Stage::error_callback<1>);
}

void Listener::clear_error_callback() {
    stage_.require(Feature::set_error_callback);
    stage_.note({"clears the error callback", Told::error_callback, fd_, 0});
    stage_.subject().listener_set_error_cb(foreign_, nullptr);
}

int Listener::get_fd() {
    stage_.require(Feature::get_fd);
    return stage_.subject().listener_get_fd(foreign_);
}

bool Listener::get_base_is(const Loop& loop) {
    stage_.require(Feature::get_base);
    return stage_.subject().listener_get_base(foreign_) == loop.foreign();
}

int Listener::delivered_to(const Peer& peer) const {
    int times = 0;
    for (const auto& each : accepted_) times += each.peer == peer.number() ? 1 : 0;
    return times;
}

}  // namespace hark
