// An adapter whose subject misbehaves as its file is named (deeds.h), built for the tests only.

#include "harness/subject/listener_api.h"
#include "harness/tests/hostile/deeds.h"
#include "harness/tests/hostile/listener.h"

namespace {

using namespace hark;

hostile::Loop& loop_of(ForeignLoop* loop) { return *reinterpret_cast<hostile::Loop*>(loop); }
hostile::Listener& listener_of(ForeignListener* one) {
    return *reinterpret_cast<hostile::Listener*>(one);
}
ForeignListener* foreign(hostile::Listener* one) { return reinterpret_cast<ForeignListener*>(one); }

class Hostile final : public Subject {
  public:
    Identity identity() const override { return {"hostile", "1", ""}; }
    std::string lacks(Feature feature) const override {
        return feature == Feature::threads ? "it has no thread of its own" : "";
    }
    std::string lacks_flag(unsigned) const override { return ""; }
    int use_threads() override { return -1; }

    ForeignLoop* loop_new() override { return reinterpret_cast<ForeignLoop*>(new hostile::Loop); }
    void loop_free(ForeignLoop* loop) override { delete &loop_of(loop); }
    int loop_turn(ForeignLoop* loop) override {
        const auto all = loop_of(loop).listeners;
        for (auto* each : all) {
            if (!each->enabled || each->callback == nullptr) continue;
            if (hostile::misbehave(hostile::Moment::turn, each)) continue;
            hostile::take_all(*each);
        }
        return 0;
    }
    int loop_run(ForeignLoop* loop) override { return loop_turn(loop); }
    int loop_wait(ForeignLoop* loop) override { return loop_turn(loop); }
    void loop_exit(ForeignLoop* loop) override { loop_of(loop).leaving = true; }
    void loop_break(ForeignLoop* loop) override { loop_of(loop).leaving = true; }

    ForeignListener* listener_new(ForeignLoop* loop, AcceptCallback callback, void* argument,
                                  unsigned flags, int backlog, int fd) override {
        return made(hostile::adopt(loop_of(loop), callback, argument, flags, backlog, fd));
    }
    ForeignListener* listener_new_bind(ForeignLoop* loop, AcceptCallback callback, void* argument,
                                       unsigned flags, int backlog, const sockaddr* address,
                                       int length) override {
        return made(
            hostile::bind(loop_of(loop), callback, argument, flags, backlog, address, length));
    }
    void listener_free(ForeignListener* one) override {
        (void)hostile::misbehave(hostile::Moment::free, &listener_of(one));
        hostile::free(&listener_of(one));
    }
    int listener_enable(ForeignListener* one) override {
        listener_of(one).enabled = true;
        return 0;
    }
    int listener_disable(ForeignListener* one) override {
        listener_of(one).enabled = false;
        return 0;
    }
    void listener_set_cb(ForeignListener* one, AcceptCallback callback, void* argument) override {
        listener_of(one).callback = callback;
        listener_of(one).argument = argument;
    }
    void listener_set_error_cb(ForeignListener* one, ErrorCallback callback) override {
        listener_of(one).error_callback = callback;
    }
    int listener_get_fd(ForeignListener* one) override { return listener_of(one).fd; }
    ForeignLoop* listener_get_base(ForeignListener* one) override {
        return reinterpret_cast<ForeignLoop*>(listener_of(one).loop);
    }

  private:
    static ForeignListener* made(hostile::Listener* listener) {
        if (listener != nullptr) (void)hostile::misbehave(hostile::Moment::bind, listener);
        return foreign(listener);
    }
};

}  // namespace

extern "C" Subject* hark_open_subject_1(const char*, std::string*) {
    static Hostile subject;
    return &subject;
}
