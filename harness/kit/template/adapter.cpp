// An adapter to begin from: it compiles, and drives nothing yet.  README.md beside this folder goes
// through it function by function; `hark smoke ./mine.so` says what is missing.
//
// Translate, and no more: what an adapter decides, works around or tries again is hidden from the
// verdict.  Memory that it takes while a listener lives counts as the library's, so keep it static.

#include <array>
#include <cerrno>
#include <string>

#include "harness/subject/listener_api.h"
// Your library's header.

namespace {

using namespace hark;

// What the library does not keep for you.
struct Listener {
    AcceptCallback callback = nullptr;
    void* argument = nullptr;
};

class Mine final : public Subject {
  public:
    Identity identity() const override { return {"mine", "", ""}; }

    // A sentence for each thing that the library has no function for; empty for what it has.
    std::string lacks(Feature) const override { return ""; }
    std::string lacks_flag(unsigned) const override { return ""; }

    int use_threads() override { return -1; }

    ForeignLoop* loop_new() override { return nullptr; }
    void loop_free(ForeignLoop*) override {}
    int loop_turn(ForeignLoop*) override { return -1; }
    int loop_wait(ForeignLoop*) override { return -1; }
    int loop_run(ForeignLoop*) override { return -1; }
    void loop_exit(ForeignLoop*) override {}
    void loop_break(ForeignLoop*) override {}

    ForeignListener* listener_new(ForeignLoop*, AcceptCallback, void*, unsigned, int,
                                  int) override {
        errno = ENOSYS;
        return nullptr;
    }
    ForeignListener* listener_new_bind(ForeignLoop*, AcceptCallback, void*, unsigned, int,
                                       const sockaddr*, int) override {
        errno = ENOSYS;
        return nullptr;
    }
    void listener_free(ForeignListener*) override {}
    int listener_enable(ForeignListener*) override { return -1; }
    int listener_disable(ForeignListener*) override { return -1; }
    void listener_set_cb(ForeignListener*, AcceptCallback, void*) override {}
    void listener_set_error_cb(ForeignListener*, ErrorCallback) override {}
    int listener_get_fd(ForeignListener*) override { return -1; }
    ForeignLoop* listener_get_base(ForeignListener*) override { return nullptr; }
};

}  // namespace

// `path` is a library to bind by dlopen, where an adapter can; empty for the one it is linked with.
extern "C" Subject* hark_open_subject_1(const char* path, std::string* why) {
    if (*path != '\0') {
        *why = "this adapter binds the library it is linked with, and no other";
        return nullptr;
    }
    static Mine subject;
    return &subject;
}
