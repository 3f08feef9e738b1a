// libuv: uv_listen on a uv_tcp_t or a uv_pipe_t.
//
// A status below zero of the connection callback is what the contract calls an error, so it goes to
// the error callback, as errno.  All memory here is static: what the adapter allocated would count
// as the library's, and be failed by rules.

#include <dlfcn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "harness/subject/listener_api.h"

namespace {

using namespace hark;

// What libuv asks the caller to keep for it: a listener, or for a moment an accepted connection.
struct Handle {
    union {
        uv_handle_t any;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    };
    AcceptCallback callback;
    ErrorCallback error_callback;
    void* argument;
    bool is_taken;
};

// Far more than the largest burst of connections in a case, each of which takes one for a turn.
std::array<Handle, 4096> handles;

struct Loop {
    uv_loop_t loop;
    bool is_taken;
};
std::array<Loop, 256> loops;

template <typename Room>
auto& take(Room& room, const char* what) {
    const auto free =
        std::find_if(room.begin(), room.end(), [](const auto& each) { return !each.is_taken; });
    if (free == room.end()) {
        std::fprintf(stderr, "the libuv adapter has no room for another %s\n", what);
        std::abort();
    }
    *free = {};
    free->is_taken = true;
    return *free;
}

Handle& take_handle() { return take(handles, "handle"); }

uv_loop_t* loop_of(ForeignLoop* loop) { return reinterpret_cast<uv_loop_t*>(loop); }
Handle* handle_of(ForeignListener* one) { return reinterpret_cast<Handle*>(one); }
ForeignListener* foreign(Handle& one) { return reinterpret_cast<ForeignListener*>(&one); }

void close(Handle& one) {
    uv_close(&one.any,
             [](uv_handle_t* closed) { reinterpret_cast<Handle*>(closed)->is_taken = false; });
}

int init(Handle& one, uv_loop_t* loop, bool is_pipe) {
    return is_pipe ? uv_pipe_init(loop, &one.pipe, 0) : uv_tcp_init(loop, &one.tcp);
}

struct PeerName {
    sockaddr_storage address{};
    int length = 0;  // zero where there is no name to be had any more
};

// The callback is told of no address; this is how a program learns it.
PeerName peer_name(const Handle& client) {
    PeerName name;
    if (client.any.type == UV_TCP) {
        int length = sizeof name.address;
        if (uv_tcp_getpeername(&client.tcp, reinterpret_cast<sockaddr*>(&name.address), &length) ==
            0) {
            name.length = length;
        }
        return name;
    }
    auto& path = reinterpret_cast<sockaddr_un&>(name.address);
    std::size_t length = sizeof path.sun_path;
    if (uv_pipe_getpeername(&client.pipe, path.sun_path, &length) == 0) {
        path.sun_family = AF_UNIX;
        const std::size_t end = length != 0 && path.sun_path[0] != '\0' ? 1 : 0;
        name.length = static_cast<int>(offsetof(sockaddr_un, sun_path) + length + end);
    }
    return name;
}

void tell_error(Handle& server, int status) {
    if (server.error_callback == nullptr) return;
    errno = -status;
    server.error_callback(foreign(server), server.argument);
}

void on_connection(uv_stream_t* stream, int status) {
    auto& server = *reinterpret_cast<Handle*>(stream);
    if (status < 0) return tell_error(server, status);
    Handle& client = take_handle();
    status = init(client, stream->loop, stream->type == UV_NAMED_PIPE);
    if (status == 0) status = uv_accept(stream, &client.stream);
    uv_os_fd_t fd = -1;
    if (status == 0) status = uv_fileno(&client.any, &fd);
    PeerName name = peer_name(client);
    // libuv has no function by which a handle lets go of its descriptor, which belongs to the
    // callback from now on; uv_close closes none where this says so.
    client.stream.io_watcher.fd = -1;
    close(client);
    if (status < 0) return tell_error(server, status);
    auto* address = name.length == 0 ? nullptr : reinterpret_cast<sockaddr*>(&name.address);
    server.callback(foreign(server), fd, address, name.length, server.argument);
}

constexpr const char* no_pause =
    "libuv has no function that pauses a listener: it listens from uv_listen to uv_close";
constexpr const char* not_thread_safe =
    "\"The libuv event loop (or any other API involving the loop or handles, for that matter) is "
    "not thread-safe except where stated otherwise\" (docs.libuv.org, Design overview)";

class Libuv final : public Subject {
  public:
    Identity identity() const override {
        Dl_info found{};
        const bool is_found = dladdr(reinterpret_cast<void*>(&uv_listen), &found) != 0;
        return {"libuv", uv_version_string(), is_found ? found.dli_fname : ""};
    }

    std::string lacks(Feature feature) const override {
        switch (feature) {
            case Feature::enable_disable:
                return no_pause;
            case Feature::set_callback:
                return "libuv takes the callback in uv_listen, and has no function to change it";
            case Feature::null_callback:
                return "libuv calls the callback that uv_listen was given, unasked";
            case Feature::threads:
                return not_thread_safe;
            case Feature::address_length:
                return "uv_tcp_bind and uv_pipe_bind take no length of the address";
            case Feature::abstract_address:
                return "uv_pipe_bind takes the path as a string, so none that begins with a zero "
                       "byte (uv_pipe_bind2 of libuv 1.46 does)";
            default:
                return "";
        }
    }

    std::string lacks_flag(unsigned flag) const override {
        switch (flag) {
            case leave_sockets_blocking:
                return "libuv makes every socket non-blocking";
            case threadsafe:
                return not_thread_safe;
            case disabled:
                return no_pause;
            case deferred_accept:
                return "libuv has no TCP_DEFER_ACCEPT";
            case reuseable_port:
                return "UV_TCP_REUSEPORT came with libuv 1.49";
            default:
                return "";
        }
    }

    std::string always_flag(unsigned flag) const override {
        switch (flag) {
            case close_on_free:
                return "\"Handles that wrap file descriptors are closed immediately\" "
                       "(docs.libuv.org, uv_close)";
            case close_on_exec:
                return "libuv makes and accepts every socket with SOCK_CLOEXEC";
            default:
                return "";
        }
    }

    int use_threads() override { return -1; }

    ForeignLoop* loop_new() override {
        Loop& one = take(loops, "loop");
        const int status = uv_loop_init(&one.loop);
        if (status == 0) return reinterpret_cast<ForeignLoop*>(&one);
        one.is_taken = false;
        errno = -status;
        return nullptr;
    }
    // "The user should … call uv_loop_close when all handles are closed": the closing of each ends
    // in a turn of the loop.
    void loop_free(ForeignLoop* loop) override {
        (void)uv_run(loop_of(loop), UV_RUN_NOWAIT);
        if (uv_loop_close(loop_of(loop)) == 0) reinterpret_cast<Loop*>(loop)->is_taken = false;
    }
    int loop_turn(ForeignLoop* loop) override { return uv_run(loop_of(loop), UV_RUN_NOWAIT); }
    int loop_run(ForeignLoop* loop) override { return uv_run(loop_of(loop), UV_RUN_DEFAULT); }
    int loop_wait(ForeignLoop* loop) override { return uv_run(loop_of(loop), UV_RUN_ONCE); }
    void loop_exit(ForeignLoop* loop) override { uv_stop(loop_of(loop)); }
    void loop_break(ForeignLoop* loop) override { uv_stop(loop_of(loop)); }

    ForeignListener* listener_new(ForeignLoop* loop, AcceptCallback callback, void* argument,
                                  unsigned, int backlog, int fd) override {
        const bool is_pipe = uv_guess_handle(fd) == UV_NAMED_PIPE;
        Handle& one = take_handle();
        int status = init(one, loop_of(loop), is_pipe);
        if (status == 0) {
            status = is_pipe ? uv_pipe_open(&one.pipe, fd) : uv_tcp_open(&one.tcp, fd);
        }
        return listening(one, status, backlog, callback, argument);
    }

    ForeignListener* listener_new_bind(ForeignLoop* loop, AcceptCallback callback, void* argument,
                                       unsigned flags, int backlog, const sockaddr* address,
                                       int length) override {
        const bool is_pipe = address != nullptr && address->sa_family == AF_UNIX;
        Handle& one = take_handle();
        int status = init(one, loop_of(loop), is_pipe);
        if (status == 0 && is_pipe) {
            std::array<char, sizeof(sockaddr_un)> path{};  // with a zero behind the longest
            std::memcpy(path.data(), reinterpret_cast<const sockaddr_un*>(address)->sun_path,
                        static_cast<std::size_t>(length) - offsetof(sockaddr_un, sun_path));
            status = uv_pipe_bind(&one.pipe, path.data());
        } else if (status == 0) {
            status = uv_tcp_bind(&one.tcp, address,
                                 (flags & bind_ipv6only) != 0 ? unsigned{UV_TCP_IPV6ONLY} : 0);
        }
        return listening(one, status, backlog, callback, argument);
    }

    void listener_free(ForeignListener* one) override { close(*handle_of(one)); }
    int listener_enable(ForeignListener*) override { return -1; }
    int listener_disable(ForeignListener*) override { return -1; }
    void listener_set_cb(ForeignListener*, AcceptCallback, void*) override {}
    void listener_set_error_cb(ForeignListener* one, ErrorCallback callback) override {
        handle_of(one)->error_callback = callback;
    }
    int listener_get_fd(ForeignListener* one) override {
        uv_os_fd_t fd = -1;
        (void)uv_fileno(&handle_of(one)->any, &fd);
        return fd;
    }
    ForeignLoop* listener_get_base(ForeignListener* one) override {
        return reinterpret_cast<ForeignLoop*>(uv_handle_get_loop(&handle_of(one)->any));
    }

  private:
    // `status` is what came of the handle so far.
    static ForeignListener* listening(Handle& one, int status, int backlog, AcceptCallback callback,
                                      void* argument) {
        one.callback = callback;
        one.argument = argument;
        if (status == 0) status = uv_listen(&one.stream, backlog, &on_connection);
        if (status == 0) return foreign(one);
        close(one);
        errno = -status;
        return nullptr;
    }
};

}  // namespace

extern "C" Subject* hark_open_subject_1(const char* path, std::string* why) {
    if (*path != '\0') {
        *why = "this adapter is linked with the system's libuv, and binds no other";
        return nullptr;
    }
    static Libuv subject;
    return &subject;
}
