#include "harness/stage/guarded_subject.h"

#include <dlfcn.h>

#include <exception>

#include "harness/must.h"

namespace hark {

namespace {

// What a case throws in a callback never comes this way (Stage::act): only the harness's own
// failure does, and is passed on.
template <typename Call>
auto guarded(const Call& call) {
    try {
        return call();
    } catch (const Broken&) {
        throw;
    } catch (const std::exception& thrown) {
        throw SubjectThrew(std::string("it threw an exception: ") + thrown.what());
    } catch (...) {
        throw SubjectThrew("it threw something that is no std::exception");
    }
}

}  // namespace

// By its table of virtual functions, which every object with virtual functions begins with
// (Itanium C++ ABI, "Virtual Table Layout").
std::string GuardedSubject::adapter_file() const {
    Dl_info found{};
    const void* const table = *reinterpret_cast<void* const*>(&inner_);
    return dladdr(table, &found) == 0 ? "" : found.dli_fname;
}

Identity GuardedSubject::identity() const {
    return guarded([&] { return inner_.identity(); });
}

std::string GuardedSubject::lacks(Feature feature) const {
    return guarded([&] { return inner_.lacks(feature); });
}

std::string GuardedSubject::lacks_flag(unsigned flag) const {
    return guarded([&] { return inner_.lacks_flag(flag); });
}

std::string GuardedSubject::always_flag(unsigned flag) const {
    return guarded([&] { return inner_.always_flag(flag); });
}

int GuardedSubject::use_threads() {
    return guarded([&] { return inner_.use_threads(); });
}

ForeignLoop* GuardedSubject::loop_new() {
    return guarded([&] { return inner_.loop_new(); });
}

void GuardedSubject::loop_free(ForeignLoop* loop) {
    return guarded([&] { return inner_.loop_free(loop); });
}

int GuardedSubject::loop_turn(ForeignLoop* loop) {
    return guarded([&] { return inner_.loop_turn(loop); });
}

int GuardedSubject::loop_run(ForeignLoop* loop) {
    return guarded([&] { return inner_.loop_run(loop); });
}

int GuardedSubject::loop_wait(ForeignLoop* loop) {
    return guarded([&] { return inner_.loop_wait(loop); });
}

void GuardedSubject::loop_exit(ForeignLoop* loop) {
    return guarded([&] { return inner_.loop_exit(loop); });
}

void GuardedSubject::loop_break(ForeignLoop* loop) {
    return guarded([&] { return inner_.loop_break(loop); });
}

ForeignListener* GuardedSubject::listener_new(ForeignLoop* loop, AcceptCallback callback,
                                              void* argument, unsigned flags, int backlog, int fd) {
    return guarded(
        [&] { return inner_.listener_new(loop, callback, argument, flags, backlog, fd); });
}

ForeignListener* GuardedSubject::listener_new_bind(ForeignLoop* loop, AcceptCallback callback,
                                                   void* argument, unsigned flags, int backlog,
                                                   const sockaddr* address, int length) {
    return guarded([&] {
        return inner_.listener_new_bind(loop, callback, argument, flags, backlog, address, length);
    });
}

void GuardedSubject::listener_free(ForeignListener* one) {
    return guarded([&] { return inner_.listener_free(one); });
}

int GuardedSubject::listener_enable(ForeignListener* one) {
    return guarded([&] { return inner_.listener_enable(one); });
}

int GuardedSubject::listener_disable(ForeignListener* one) {
    return guarded([&] { return inner_.listener_disable(one); });
}

void GuardedSubject::listener_set_cb(ForeignListener* one, AcceptCallback callback,
                                     void* argument) {
    return guarded([&] { return inner_.listener_set_cb(one, callback, argument); });
}

void GuardedSubject::listener_set_error_cb(ForeignListener* one, ErrorCallback callback) {
    return guarded([&] { return inner_.listener_set_error_cb(one, callback); });
}

int GuardedSubject::listener_get_fd(ForeignListener* one) {
    return guarded([&] { return inner_.listener_get_fd(one); });
}

ForeignLoop* GuardedSubject::listener_get_base(ForeignListener* one) {
    return guarded([&] { return inner_.listener_get_base(one); });
}

}  // namespace hark
