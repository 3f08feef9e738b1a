// GLib: a GSocketService, whose signal "incoming" is the callback.
//
// An accepted connection is a GSocketConnection, which closes its descriptor when it goes.  The
// contract gives the descriptor to the callback, so what is handed over is a duplicate.

#include <dlfcn.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <new>
#include <string>

#include "harness/subject/listener_api.h"

namespace {

using namespace hark;

struct Listener {
    GMainContext* context = nullptr;
    GSocketService* service = nullptr;
    GSocket* socket = nullptr;
    gulong handler = 0;
    AcceptCallback callback = nullptr;
    void* argument = nullptr;
    bool is_taken = false;
};

// Static, since memory of the adapter's would count as the library's.
std::array<Listener, 1024> listeners;

GMainContext* context_of(ForeignLoop* loop) { return reinterpret_cast<GMainContext*>(loop); }
Listener& listener_of(ForeignListener* one) { return *reinterpret_cast<Listener*>(one); }

// GLib watches in the context that is the thread's default while a function is called.
class InContext {
  public:
    explicit InContext(GMainContext* context) : context_(context) {
        g_main_context_push_thread_default(context_);
    }
    ~InContext() { g_main_context_pop_thread_default(context_); }
    InContext(const InContext&) = delete;
    InContext& operator=(const InContext&) = delete;

  private:
    GMainContext* context_;
};

// GIO has codes of its own: g_io_error_from_errno, read backwards.  What it knows no code for is
// "failed", and nobody learns more.
int errno_of(const GError& error) {
    static constexpr struct {
        int code;
        int number;
    } known[] = {
        {G_IO_ERROR_ADDRESS_IN_USE, EADDRINUSE}, {G_IO_ERROR_FILENAME_TOO_LONG, ENAMETOOLONG},
        {G_IO_ERROR_INVALID_ARGUMENT, EINVAL},   {G_IO_ERROR_INVALID_FILENAME, EINVAL},
        {G_IO_ERROR_NOT_FOUND, ENOENT},          {G_IO_ERROR_NOT_DIRECTORY, ENOTDIR},
        {G_IO_ERROR_NOT_SUPPORTED, EOPNOTSUPP},  {G_IO_ERROR_NO_SPACE, ENOSPC},
        {G_IO_ERROR_PERMISSION_DENIED, EACCES},  {G_IO_ERROR_READ_ONLY, EROFS},
        {G_IO_ERROR_TIMED_OUT, ETIMEDOUT},       {G_IO_ERROR_TOO_MANY_OPEN_FILES, EMFILE},
    };
    for (const auto& [code, number] : known) {
        if (g_error_matches(&error, G_IO_ERROR, code)) return number;
    }
    return EIO;
}

gboolean on_incoming(GSocketService*, GSocketConnection* connection, GObject*, gpointer given) {
    auto& one = *static_cast<Listener*>(given);
    GSocket* const socket = g_socket_connection_get_socket(connection);
    sockaddr_storage room{};
    int length = 0;
    if (GSocketAddress* const from = g_socket_connection_get_remote_address(connection, nullptr)) {
        if (g_socket_address_to_native(from, &room, sizeof room, nullptr) != FALSE) {
            length = static_cast<int>(g_socket_address_get_native_size(from));
        }
        g_object_unref(from);
    }
    const int fd = fcntl(g_socket_get_fd(socket), F_DUPFD_CLOEXEC, 0);
    if (fd < 0) return TRUE;
    auto* const address = length == 0 ? nullptr : reinterpret_cast<sockaddr*>(&room);
    one.callback(reinterpret_cast<ForeignListener*>(&one), fd, address, length, one.argument);
    return TRUE;
}

void on_event(GSocketListener*, GSocketListenerEvent event, GSocket* socket, gpointer given) {
    if (event != G_SOCKET_LISTENER_BINDING) return;
    static_cast<Listener*>(given)->socket = G_SOCKET(g_object_ref(socket));
}

void drop(Listener& one) {
    if (one.handler != 0) g_signal_handler_disconnect(one.service, one.handler);
    g_socket_service_stop(one.service);
    g_socket_listener_close(G_SOCKET_LISTENER(one.service));
    g_clear_object(&one.socket);
    g_clear_object(&one.service);
    one.is_taken = false;
}

class Glib final : public Subject {
  public:
    Identity identity() const override {
        Dl_info found{};
        const bool is_found = dladdr(reinterpret_cast<void*>(&g_socket_service_new), &found) != 0;
        return {"glib",
                std::to_string(glib_major_version) + "." + std::to_string(glib_minor_version) +
                    "." + std::to_string(glib_micro_version),
                is_found ? found.dli_fname : ""};
    }

    std::string lacks(Feature feature) const override {
        switch (feature) {
            case Feature::set_error_callback:
                return "GSocketService has no signal for an accept that failed: it prints a "
                       "warning";
            case Feature::null_callback:
                return "a GSocketService without a handler accepts all the same, and closes";
            default:
                return "";
        }
    }

    std::string lacks_flag(unsigned flag) const override {
        switch (flag) {
            case leave_sockets_blocking:
                return "\"the file descriptor will be set to non-blocking mode, independent on the "
                       "blocking mode of the GSocket\" (docs.gtk.org, g_socket_new_from_fd)";
            case threadsafe:
                return "of a GSocketService only start and stop are documented as thread-safe";
            case deferred_accept:
                return "GSocketListener cannot set TCP_DEFER_ACCEPT before it listens";
            case reuseable_port:
                return "g_socket_listener_add_address sets SO_REUSEADDR alone";
            case bind_ipv6only:
                return "g_socket_bind makes every IPv6 socket serve IPv4 as well where it can";
            default:
                return "";
        }
    }

    std::string always_flag(unsigned flag) const override {
        switch (flag) {
            case close_on_free:
                return "\"the returned GSocket takes ownership of fd\" (docs.gtk.org, "
                       "g_socket_new_from_fd), and closes it when it goes";
            case close_on_exec:
                return "GSocket makes and accepts every socket with SOCK_CLOEXEC";
            default:
                return "";
        }
    }

    // A GMainContext is safe as it is.
    int use_threads() override { return 0; }

    ForeignLoop* loop_new() override {
        return reinterpret_cast<ForeignLoop*>(g_main_context_new());
    }
    // What was stopped ends in a turn of its context.
    void loop_free(ForeignLoop* loop) override {
        for (int turns = 0; turns < 100 && turn(loop, FALSE) != FALSE; ++turns) {
        }
        g_main_context_unref(context_of(loop));
    }
    int loop_turn(ForeignLoop* loop) override { return turn(loop, FALSE); }
    int loop_wait(ForeignLoop* loop) override { return turn(loop, TRUE); }
    int loop_run(ForeignLoop* loop) override {
        const InContext here(context_of(loop));
        GMainLoop* const main = g_main_loop_new(context_of(loop), FALSE);
        running_ = main;
        g_main_loop_run(main);
        running_ = nullptr;
        g_main_loop_unref(main);
        return 0;
    }
    void loop_exit(ForeignLoop*) override {
        if (running_ != nullptr) g_main_loop_quit(running_);
    }
    void loop_break(ForeignLoop* loop) override { loop_exit(loop); }

    ForeignListener* listener_new(ForeignLoop* loop, AcceptCallback callback, void* argument,
                                  unsigned flags, int backlog, int fd) override {
        const InContext here(context_of(loop));
        GError* error = nullptr;
        GSocket* const socket = g_socket_new_from_fd(fd, &error);
        if (socket == nullptr) return refused(error);
        if (backlog > 0) g_socket_set_listen_backlog(socket, backlog);
        // "The socket must be bound to a local address and listened to": by us, or by the caller.
        if (backlog != 0 && g_socket_listen(socket, &error) == FALSE) {
            g_object_unref(socket);
            return refused(error);
        }
        Listener& one = take(loop, callback, argument, flags);
        one.socket = socket;
        if (g_socket_listener_add_socket(G_SOCKET_LISTENER(one.service), socket, nullptr, &error) ==
            FALSE) {
            drop(one);
            return refused(error);
        }
        return reinterpret_cast<ForeignListener*>(&one);
    }

    ForeignListener* listener_new_bind(ForeignLoop* loop, AcceptCallback callback, void* argument,
                                       unsigned flags, int backlog, const sockaddr* address,
                                       int length) override {
        const InContext here(context_of(loop));
        // A gsize cannot be negative.
        GSocketAddress* const at =
            length < 0 ? nullptr
                       : g_socket_address_new_from_native(const_cast<sockaddr*>(address),
                                                          static_cast<gsize>(length));
        if (at == nullptr) {
            errno = EINVAL;
            return nullptr;
        }
        Listener& one = take(loop, callback, argument, flags);
        auto* const listener = G_SOCKET_LISTENER(one.service);
        if (backlog >= 0) g_socket_listener_set_backlog(listener, backlog);
        g_signal_connect(listener, "event", G_CALLBACK(on_event), &one);
        GError* error = nullptr;
        const gboolean is_bound =
            g_socket_listener_add_address(listener, at, G_SOCKET_TYPE_STREAM,
                                          G_SOCKET_PROTOCOL_DEFAULT, nullptr, nullptr, &error);
        g_object_unref(at);
        if (is_bound != FALSE) return reinterpret_cast<ForeignListener*>(&one);
        drop(one);
        return refused(error);
    }

    void listener_free(ForeignListener* one) override { drop(listener_of(one)); }
    int listener_enable(ForeignListener* one) override {
        const InContext here(listener_of(one).context);
        g_socket_service_start(listener_of(one).service);
        return 0;
    }
    int listener_disable(ForeignListener* one) override {
        g_socket_service_stop(listener_of(one).service);
        return 0;
    }
    void listener_set_cb(ForeignListener* one, AcceptCallback callback, void* argument) override {
        listener_of(one).callback = callback;
        listener_of(one).argument = argument;
    }
    void listener_set_error_cb(ForeignListener*, ErrorCallback) override {}
    int listener_get_fd(ForeignListener* one) override {
        GSocket* const socket = listener_of(one).socket;
        return socket == nullptr ? -1 : g_socket_get_fd(socket);
    }
    ForeignLoop* listener_get_base(ForeignListener* one) override {
        return reinterpret_cast<ForeignLoop*>(listener_of(one).context);
    }

  private:
    static int turn(ForeignLoop* loop, gboolean waits) {
        const InContext here(context_of(loop));
        return g_main_context_iteration(context_of(loop), waits);
    }

    static ForeignListener* refused(GError* error) {
        const int number = errno_of(*error);
        g_error_free(error);
        errno = number;
        return nullptr;
    }

    static Listener& take(ForeignLoop* loop, AcceptCallback callback, void* argument,
                          unsigned flags) {
        auto* free = listeners.data();
        while (free->is_taken) ++free;
        *free = {};
        free->is_taken = true;
        free->context = context_of(loop);
        free->callback = callback;
        free->argument = argument;
        free->service = g_socket_service_new();
        if ((flags & disabled) != 0) g_socket_service_stop(free->service);
        free->handler = g_signal_connect(free->service, "incoming", G_CALLBACK(on_incoming), free);
        return *free;
    }

    GMainLoop* running_ = nullptr;
};

// GLib registers types and keeps tables from their first use on, as long as the process lives. They
// are used here once, so that they are no run's leak.
void use_once(Glib& glib, const sockaddr* address, socklen_t length) {
    ForeignLoop* const loop = glib.loop_new();
    const auto take = [](ForeignListener*, int fd, sockaddr*, int, void*) { (void)close(fd); };
    const int size = static_cast<int>(length);
    ForeignListener* const first =
        glib.listener_new_bind(loop, take, nullptr, 0, -1, address, size);
    // Tables that grow with the number of services are grown once.
    std::array<ForeignListener*, 16> more{};
    for (auto& each : more) {
        each = glib.listener_new_bind(loop, take, nullptr, 0, -1, address, size);
    }
    for (auto* each : more) {
        if (each != nullptr) glib.listener_free(each);
    }
    if (first != nullptr) {
        sockaddr_storage room{};
        socklen_t named = sizeof room;
        auto* const name = reinterpret_cast<sockaddr*>(&room);
        (void)getsockname(glib.listener_get_fd(first), name, &named);
        (void)glib.listener_new_bind(loop, take, nullptr, 0, -1, name, static_cast<int>(named));
        const int client = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        (void)connect(client, name, named);
        for (int turns = 0; turns < 4; ++turns) (void)glib.loop_turn(loop);
        (void)close(client);
        glib.listener_free(first);
    }
    glib.loop_free(loop);
}

// GLib's first warning looks at what it writes to.
void warn_nobody() {
    const int kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    (void)dup2(nowhere, STDERR_FILENO);
    g_log("hark", G_LOG_LEVEL_WARNING, "none");
    (void)dup2(kept, STDERR_FILENO);
    (void)close(nowhere);
    (void)close(kept);
}

void use_everything_once(Glib& glib) {
    sockaddr_in ipv4{};
    ipv4.sin_family = AF_INET;
    ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    use_once(glib, reinterpret_cast<const sockaddr*>(&ipv4), sizeof ipv4);
    sockaddr_in6 ipv6{};
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_addr = in6addr_loopback;
    use_once(glib, reinterpret_cast<const sockaddr*>(&ipv6), sizeof ipv6);
    sockaddr_un local{};
    local.sun_family = AF_UNIX;  // and no name: the kernel gives it one
    use_once(glib, reinterpret_cast<const sockaddr*>(&local), sizeof local.sun_family);
    // Through a pointer: g_strerror is declared to have no effect, and what it keeps is one.
    const gchar* (*const volatile text_of)(gint) = &g_strerror;
    for (int number = 1; number < 134; ++number) (void)text_of(number);
    warn_nobody();
}

}  // namespace

extern "C" Subject* hark_open_subject_1(const char* path, std::string* why) {
    if (*path != '\0') {
        *why = "this adapter is linked with the system's GLib, and binds no other";
        return nullptr;
    }
    static Glib subject;
    use_everything_once(subject);
    return &subject;
}
