// Asio: a basic_socket_acceptor that is asked for the next connection again and again.
//
// async_accept is for one connection.  What happens between two of them is what Asio's own examples
// do: the handler looks whether the acceptor is still open, then at the error, and accepts anew
// whatever it was.

#include <dlfcn.h>
#include <sys/socket.h>

#include <asio.hpp>
#include <cerrno>
#include <memory>
#include <new>
#include <string>

#include "harness/subject/listener_api.h"

namespace {

using namespace hark;
using asio::generic::stream_protocol;

class Listener : public std::enable_shared_from_this<Listener> {
  public:
    Listener(asio::io_context& loop, AcceptCallback callback, void* argument, unsigned flags)
        : loop_(loop),
          acceptor_(loop),
          peer_(loop),
          callback_(callback),
          argument_(argument),
          flags_(flags) {}

    void bind(const sockaddr* address, int length) {
        const stream_protocol::endpoint at(address, static_cast<std::size_t>(length));
        acceptor_.open(at.protocol());
        if ((flags_ & reuseable) != 0) {
            acceptor_.set_option(asio::socket_base::reuse_address(true));
        }
        if ((flags_ & bind_ipv6only) != 0) acceptor_.set_option(asio::ip::v6_only(true));
        if ((flags_ & bind_ipv4_and_ipv6) != 0) acceptor_.set_option(asio::ip::v6_only(false));
        acceptor_.bind(at);
    }

    // Which family it is matters only to whoever makes a socket by it.
    void adopt(int fd) { acceptor_.assign(stream_protocol(AF_UNSPEC, 0), fd); }

    void listen(int backlog) {
        acceptor_.listen(backlog < 0 ? int{asio::socket_base::max_listen_connections} : backlog);
    }

    void enable() {
        is_enabled_ = true;
        if (!is_accepting_) accept();
    }

    void disable() {
        is_enabled_ = false;
        acceptor_.cancel();
    }

    void close() {
        is_enabled_ = false;
        asio::error_code ignored;
        acceptor_.close(ignored);
    }

    void let_go() {
        is_enabled_ = false;
        asio::error_code ignored;
        if (acceptor_.is_open()) (void)acceptor_.release(ignored);
    }

    void set_callback(AcceptCallback callback, void* argument) {
        callback_ = callback;
        argument_ = argument;
    }
    void set_error_callback(ErrorCallback callback) { error_callback_ = callback; }
    [[nodiscard]] int fd() { return acceptor_.native_handle(); }
    [[nodiscard]] asio::io_context& loop() const { return loop_; }
    [[nodiscard]] bool closes() const { return (flags_ & close_on_free) != 0; }

    std::shared_ptr<Listener> self;  // until it is freed

  private:
    void accept() {
        is_accepting_ = true;
        from_.resize(from_.capacity());
        try {
            acceptor_.async_accept(
                peer_, from_,
                [me = shared_from_this()](const asio::error_code& error) { me->accepted(error); });
        } catch (...) {
            is_accepting_ = false;
            throw;
        }
    }

    void accepted(const asio::error_code& error) {
        is_accepting_ = false;
        if (!acceptor_.is_open()) return;
        if (!error) {
            deliver();
        } else if (error != asio::error::operation_aborted) {
            tell(error);
        }
        if (is_enabled_ && !is_accepting_) accept();
    }

    void deliver() {
        asio::error_code failed;
        if ((flags_ & leave_sockets_blocking) == 0) peer_.native_non_blocking(true, failed);
        if (failed) {
            asio::error_code ignored;
            peer_.close(ignored);
            return tell(failed);
        }
        const int fd = peer_.release();
        callback_(reinterpret_cast<ForeignListener*>(this), fd, from_.data(),
                  static_cast<int>(from_.size()), argument_);
    }

    void tell(const asio::error_code& error) {
        if (error_callback_ == nullptr) return;
        errno = error.value();
        error_callback_(reinterpret_cast<ForeignListener*>(this), argument_);
    }

    asio::io_context& loop_;
    asio::basic_socket_acceptor<stream_protocol> acceptor_;
    stream_protocol::socket peer_;
    stream_protocol::endpoint from_;
    AcceptCallback callback_;
    ErrorCallback error_callback_ = nullptr;
    void* argument_;
    unsigned flags_;
    bool is_enabled_ = false;
    bool is_accepting_ = false;  // its handler has not run yet
};

asio::io_context& loop_of(ForeignLoop* loop) { return *reinterpret_cast<asio::io_context*>(loop); }
Listener& listener_of(ForeignListener* one) { return *reinterpret_cast<Listener*>(one); }

// Asio throws; the interface says -1 or null, and errno.
template <typename Value, typename Act>
Value or_errno(Value failed, const Act& act) {
    try {
        return act();
    } catch (const std::system_error& error) {
        errno = error.code().value();
    } catch (const std::bad_alloc&) {
        errno = ENOMEM;
    }
    return failed;
}

class Asio final : public Subject {
  public:
    Identity identity() const override {
        Dl_info found{};
        const bool is_found = dladdr(static_cast<const void*>(this), &found) != 0;
        constexpr int version = ASIO_VERSION;
        return {"asio",
                std::to_string(version / 100000) + "." + std::to_string(version / 100 % 1000) +
                    "." + std::to_string(version % 100),
                is_found ? found.dli_fname : ""};
    }

    std::string lacks(Feature feature) const override {
        return feature == Feature::null_callback ? "async_accept needs a handler" : "";
    }

    std::string lacks_flag(unsigned flag) const override {
        switch (flag) {
            case close_on_exec:
                return "Asio marks no socket close-on-exec, and has no option for it";
            case threadsafe:
                return "\"Thread Safety: Distinct objects: Safe. Shared objects: Unsafe.\" "
                       "(think-async.com, basic_socket_acceptor)";
            case deferred_accept:
                return "Asio has no option for TCP_DEFER_ACCEPT";
            case reuseable_port:
                return "Asio has no option for SO_REUSEPORT";
            default:
                return "";
        }
    }

    // An io_context is safe as it is.
    int use_threads() override { return 0; }

    ForeignLoop* loop_new() override {
        return or_errno<ForeignLoop*>(
            nullptr, [] { return reinterpret_cast<ForeignLoop*>(new asio::io_context); });
    }
    void loop_free(ForeignLoop* loop) override { delete &loop_of(loop); }
    // poll() would go on for as long as a handler is ready: for ever, under a lasting fault.
    int loop_turn(ForeignLoop* loop) override {
        loop_of(loop).restart();
        return static_cast<int>(loop_of(loop).poll_one());
    }
    int loop_run(ForeignLoop* loop) override {
        loop_of(loop).restart();
        return static_cast<int>(loop_of(loop).run());
    }
    int loop_wait(ForeignLoop* loop) override {
        loop_of(loop).restart();
        return static_cast<int>(loop_of(loop).run_one());
    }
    void loop_exit(ForeignLoop* loop) override { loop_of(loop).stop(); }
    void loop_break(ForeignLoop* loop) override { loop_of(loop).stop(); }

    ForeignListener* listener_new(ForeignLoop* loop, AcceptCallback callback, void* argument,
                                  unsigned flags, int backlog, int fd) override {
        return made(loop, callback, argument, flags, false, [&](Listener& one) {
            one.adopt(fd);
            // A backlog of zero says that somebody has listened already.
            if (backlog != 0) one.listen(backlog);
        });
    }
    ForeignListener* listener_new_bind(ForeignLoop* loop, AcceptCallback callback, void* argument,
                                       unsigned flags, int backlog, const sockaddr* address,
                                       int length) override {
        return made(loop, callback, argument, flags, true, [&](Listener& one) {
            one.bind(address, length);
            one.listen(backlog);
        });
    }
    void listener_free(ForeignListener* one) override {
        Listener& listener = listener_of(one);
        listener.closes() ? listener.close() : listener.let_go();
        const auto last = std::move(listener.self);
    }
    int listener_enable(ForeignListener* one) override {
        return or_errno(-1, [&] {
            listener_of(one).enable();
            return 0;
        });
    }
    int listener_disable(ForeignListener* one) override {
        return or_errno(-1, [&] {
            listener_of(one).disable();
            return 0;
        });
    }
    void listener_set_cb(ForeignListener* one, AcceptCallback callback, void* argument) override {
        listener_of(one).set_callback(callback, argument);
    }
    void listener_set_error_cb(ForeignListener* one, ErrorCallback callback) override {
        listener_of(one).set_error_callback(callback);
    }
    int listener_get_fd(ForeignListener* one) override { return listener_of(one).fd(); }
    ForeignLoop* listener_get_base(ForeignListener* one) override {
        return reinterpret_cast<ForeignLoop*>(&listener_of(one).loop());
    }

  private:
    // Where none comes of it the socket goes if it is Asio's own, and stays if it was passed in.
    template <typename Begin>
    static ForeignListener* made(ForeignLoop* loop, AcceptCallback callback, void* argument,
                                 unsigned flags, bool is_own, const Begin& begin) {
        std::shared_ptr<Listener> one;
        auto* const foreign = or_errno<ForeignListener*>(nullptr, [&] {
            one = std::make_shared<Listener>(loop_of(loop), callback, argument, flags);
            begin(*one);
            if ((flags & disabled) == 0) one->enable();
            return reinterpret_cast<ForeignListener*>(one.get());
        });
        if (foreign != nullptr) {
            one->self = std::move(one);
        } else if (one != nullptr) {
            const int why = errno;
            is_own ? one->close() : one->let_go();
            errno = why;
        }
        return foreign;
    }
};

}  // namespace

extern "C" Subject* hark_open_subject_1(const char* path, std::string* why) {
    if (*path != '\0') {
        *why = "Asio is headers only, and compiled into its adapter: there is no library to bind";
        return nullptr;
    }
    static Asio subject;
    return &subject;
}
