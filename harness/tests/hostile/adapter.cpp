// A subject that is right as long as HARK_HOSTILE is unset or empty, and otherwise does what that
// names: to the process (misbehaviour.h), or to a connection.  Only in a cell: the process that
// opened the subject is left in peace.

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "harness/subject/listener_api.h"
#include "harness/tests/hostile/misbehaviour.h"

namespace hark {

struct ForeignListener {
    ForeignLoop* loop;
    int fd;
    unsigned flags;
    bool is_enabled;
    AcceptCallback callback;
    void* argument;
    ErrorCallback error_callback;
};

struct ForeignLoop {
    std::vector<ForeignListener*> listeners;
    bool leaves = false;
};

namespace {

class Hostile final : public Subject {
  public:
    explicit Hostile(std::string_view mode) : mode_(mode), opened_in_(::getpid()) {}

    Identity identity() const override { return {"hostile", "1", "hostile"}; }
    std::string lacks(Feature feature) const override {
        return feature == Feature::threads ? "it has one thread" : "";
    }
    std::string lacks_flag(unsigned flag) const override {
        constexpr unsigned known =
            leave_sockets_blocking | close_on_free | close_on_exec | reuseable | disabled;
        return (flag & known) != 0 ? "" : "it does not know the flag";
    }
    int use_threads() override { return -1; }

    ForeignLoop* loop_new() override { return new ForeignLoop; }
    void loop_free(ForeignLoop* loop) override { delete loop; }
    int loop_turn(ForeignLoop* loop) override { return turn(*loop, 0); }
    int loop_wait(ForeignLoop* loop) override { return turn(*loop, -1); }
    int loop_run(ForeignLoop* loop) override {
        for (loop->leaves = false; !loop->leaves && turn(*loop, -1) > 0;) continue;
        return 0;
    }
    void loop_exit(ForeignLoop* loop) override { loop->leaves = true; }
    void loop_break(ForeignLoop* loop) override { loop->leaves = true; }

    ForeignListener* listener_new(ForeignLoop* loop, AcceptCallback callback, void* argument,
                                  unsigned flags, int backlog, int fd) override {
        if (backlog != 0 && ::listen(fd, backlog < 0 ? 128 : backlog) == -1) return nullptr;
        (void)::fcntl(fd, F_SETFL, O_NONBLOCK);
        auto* made = new ForeignListener{loop,     fd,       flags,  (flags & disabled) == 0,
                                         callback, argument, nullptr};
        loop->listeners.push_back(made);
        return made;
    }
    ForeignListener* listener_new_bind(ForeignLoop* loop, AcceptCallback callback, void* argument,
                                       unsigned flags, int backlog, const sockaddr* address,
                                       int length) override {
        if (is_in_cell()) hostile::misbehave(mode_);
        const int cloexec = (flags & close_on_exec) != 0 ? SOCK_CLOEXEC : 0;
        const int fd = ::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | cloexec, 0);
        if (fd == -1) return nullptr;
        constexpr int on = 1;
        (void)::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
        if ((flags & reuseable) != 0) {
            (void)::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        }
        ForeignListener* made = nullptr;
        if (::bind(fd, address, static_cast<socklen_t>(length)) == 0) {
            made = listener_new(loop, callback, argument, flags, backlog, fd);
        }
        const int why = errno;
        if (made == nullptr) (void)::close(fd);
        errno = why;
        return made;
    }
    void listener_free(ForeignListener* one) override {
        std::erase(one->loop->listeners, one);
        if ((one->flags & close_on_free) != 0) (void)::close(one->fd);
        delete one;
    }
    int listener_enable(ForeignListener* one) override {
        one->is_enabled = true;
        return 0;
    }
    int listener_disable(ForeignListener* one) override {
        one->is_enabled = false;
        return 0;
    }
    void listener_set_cb(ForeignListener* one, AcceptCallback callback, void* argument) override {
        one->callback = callback;
        one->argument = argument;
    }
    void listener_set_error_cb(ForeignListener* one, ErrorCallback callback) override {
        one->error_callback = callback;
    }
    int listener_get_fd(ForeignListener* one) override { return one->fd; }
    ForeignLoop* listener_get_base(ForeignListener* one) override { return one->loop; }

  private:
    bool is_in_cell() const { return ::getpid() != opened_in_; }
    bool does(std::string_view what) const { return is_in_cell() && mode_ == what; }

    // How many listeners it looked at.  One connection of each: a callback may free its listener.
    int turn(ForeignLoop& loop, int timeout_ms) {
        std::vector<pollfd> watched;
        std::vector<ForeignListener*> live;
        for (auto* each : loop.listeners) {
            if (!each->is_enabled || each->callback == nullptr) continue;
            watched.push_back({each->fd, POLLIN, 0});
            live.push_back(each);
        }
        if (live.empty()) return 0;
        (void)::poll(watched.data(), watched.size(), timeout_ms);
        for (std::size_t i = 0; i < live.size(); ++i) {
            const auto& now = loop.listeners;
            const bool is_there = std::find(now.begin(), now.end(), live[i]) != now.end();
            if (is_there && watched[i].revents != 0) take_one(*live[i]);
        }
        return static_cast<int>(live.size());
    }

    void take_one(ForeignListener& one) {
        sockaddr_storage from{};
        auto* address = reinterpret_cast<sockaddr*>(&from);
        socklen_t length = sizeof from;
        int flags = (one.flags & leave_sockets_blocking) != 0 ? 0 : SOCK_NONBLOCK;
        if ((one.flags & close_on_exec) != 0) flags |= SOCK_CLOEXEC;
        const int fd =
            does("direct_accept")
                ? static_cast<int>(::syscall(SYS_accept4, one.fd, address, &length, flags))
                : ::accept4(one.fd, address, &length, flags);
        if (fd == -1) {
            const bool passes = errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
            if (!passes && one.error_callback != nullptr) one.error_callback(&one, one.argument);
            return;
        }
        if (does("throws")) throw std::runtime_error("the subject throws");
        const AcceptCallback callback = one.callback;
        void* argument = one.argument;
        static int nobodys;
        if (does("wrong_pointer")) argument = &nobodys;
        if (does("deliver_twice")) callback(&one, fd, address, static_cast<int>(length), argument);
        constexpr int never_open = 1 << 20;
        callback(&one, does("garbage_fd") ? never_open : fd, address, static_cast<int>(length),
                 argument);
    }

    std::string_view mode_;
    pid_t opened_in_;
};

}  // namespace

}  // namespace hark

extern "C" hark::Subject* hark_open_subject_1(const char*, std::string*) {
    const char* named = std::getenv("HARK_HOSTILE");
    const std::string_view mode = named == nullptr ? "" : named;
    // A real fault: the first process of a process namespace is deaf to a signal that it raises.
    if (mode == "crash_in_open") hark::hostile::misbehave("segv");
    static hark::Hostile subject(mode);
    return &subject;
}
