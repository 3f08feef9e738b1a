// libevent, and whatever has its evconnlistener ABI: bound by name at run time, so that any build
// of any version runs without this file being compiled again.

#include <dlfcn.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <event2/thread.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "harness/subject/listener_api.h"

using namespace hark;

extern "C" Subject* hark_open_subject_1(const char* path, std::string* why);

namespace {

static_assert(leave_sockets_blocking == LEV_OPT_LEAVE_SOCKETS_BLOCKING &&
                  close_on_free == LEV_OPT_CLOSE_ON_FREE &&
                  close_on_exec == LEV_OPT_CLOSE_ON_EXEC && reuseable == LEV_OPT_REUSEABLE &&
                  threadsafe == LEV_OPT_THREADSAFE && disabled == LEV_OPT_DISABLED &&
                  deferred_accept == LEV_OPT_DEFERRED_ACCEPT &&
                  reuseable_port == LEV_OPT_REUSEABLE_PORT &&
                  bind_ipv6only == LEV_OPT_BIND_IPV6ONLY,
              "the flags are passed on as they are");

// Every function that is bound.  A library without one of the first kind is no listener at all.
struct Functions {
#define NEEDED(name) decltype(&::name) name = nullptr;
#define OPTIONAL(name) NEEDED(name)
#include "harness/subjects/libevent/functions.def"
};

// This file is also the adapter of other libraries with this ABI: whoever compiles it for one gives
// OWN_NAME, OWN_VERSION, and OWN_LIBRARY, its place seen from the adapter's folder.
#ifdef OWN_NAME
constexpr bool is_libevent = false;
constexpr char subject_name[] = OWN_NAME;
constexpr char own_version[] = OWN_VERSION;
constexpr const char* library_names[] = {OWN_LIBRARY};
#else
constexpr bool is_libevent = true;
constexpr char subject_name[] = "libevent";
constexpr char own_version[] = "";
// The names under which it has been installed, newest first.
constexpr const char* library_names[] = {"libevent_core-2.2.so.1", "libevent_core-2.1.so.7",
                                         "libevent_core-2.1.so.6", "libevent_core-2.0.so.5",
                                         "libevent_core.so"};
#endif

constexpr unsigned version_2_1 = 0x02010000;
constexpr unsigned version_2_1_1 = 0x02010100;
constexpr unsigned version_2_2 = 0x02020000;

class Libevent final : public Subject {
  public:
    Libevent(Functions functions, std::string path, void* pthreads)
        : call_(functions), path_(std::move(path)) {
        // The pthreads part may be in the same object, or in one beside it.
        if (pthreads != nullptr) {
            call_.evthread_use_pthreads = reinterpret_cast<decltype(&::evthread_use_pthreads)>(
                dlsym(pthreads, "evthread_use_pthreads"));
        }
    }

    Identity identity() const override {
        const std::string loop = call_.event_get_version();
        return {subject_name, is_libevent ? loop : own_version + (" on libevent " + loop), path_};
    }

    std::string lacks(Feature feature) const override {
        const auto without = [](const char* name) {
            return std::string("the library has no ") + name;
        };
        switch (feature) {
            case Feature::set_error_callback:
                return call_.evconnlistener_set_error_cb ? ""
                                                         : without("evconnlistener_set_error_cb");
            case Feature::set_callback:
                return call_.evconnlistener_set_cb ? "" : without("evconnlistener_set_cb");
            case Feature::threads:
                return call_.evthread_use_pthreads ? "" : without("evthread_use_pthreads");
            case Feature::null_callback:
                return number() >= version_2_1 ? "" : "null callbacks came with libevent 2.1";
            default:
                return "";
        }
    }

    std::string lacks_flag(unsigned flag) const override {
        const auto since = [](const char* name, const char* version) {
            return std::string(name) + " came with libevent " + version;
        };
        if (flag == disabled && number() < version_2_1_1) return since("LEV_OPT_DISABLED", "2.1.1");
        if (flag == deferred_accept && number() < version_2_1_1) {
            return since("LEV_OPT_DEFERRED_ACCEPT", "2.1.1");
        }
        if (flag == reuseable_port && number() < 0x02010700) {
            return since("LEV_OPT_REUSEABLE_PORT", "2.1.7");
        }
        if (flag == bind_ipv6only && number() < 0x02010900) {
            return since("LEV_OPT_BIND_IPV6ONLY", "2.1.9");
        }
        if (flag == bind_ipv4_and_ipv6 && number() < version_2_2) {
            return since("LEV_OPT_BIND_IPV4_AND_IPV6", "2.2");
        }
        return "";
    }

    int use_threads() override { return call_.evthread_use_pthreads(); }

    ForeignLoop* loop_new() override {
        return reinterpret_cast<ForeignLoop*>(call_.event_base_new());
    }
    void loop_free(ForeignLoop* loop) override { call_.event_base_free(base(loop)); }
    // EVLOOP_NONBLOCK alone goes on for as long as anything is ready: for ever, under a lasting
    // fault.
    int loop_turn(ForeignLoop* loop) override {
        return call_.event_base_loop(base(loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
    }
    int loop_run(ForeignLoop* loop) override { return call_.event_base_loop(base(loop), 0); }
    int loop_wait(ForeignLoop* loop) override {
        return call_.event_base_loop(base(loop), EVLOOP_ONCE);
    }
    void loop_exit(ForeignLoop* loop) override {
        (void)call_.event_base_loopexit(base(loop), nullptr);
    }
    void loop_break(ForeignLoop* loop) override { (void)call_.event_base_loopbreak(base(loop)); }

    ForeignListener* listener_new(ForeignLoop* loop, AcceptCallback callback, void* argument,
                                  unsigned flags, int backlog, int fd) override {
        return reinterpret_cast<ForeignListener*>(call_.evconnlistener_new(
            base(loop), translated(callback), argument, flags, backlog, fd));
    }
    ForeignListener* listener_new_bind(ForeignLoop* loop, AcceptCallback callback, void* argument,
                                       unsigned flags, int backlog, const sockaddr* address,
                                       int length) override {
        return reinterpret_cast<ForeignListener*>(call_.evconnlistener_new_bind(
            base(loop), translated(callback), argument, flags, backlog, address, length));
    }
    void listener_free(ForeignListener* one) override { call_.evconnlistener_free(listener(one)); }
    int listener_enable(ForeignListener* one) override {
        return call_.evconnlistener_enable(listener(one));
    }
    int listener_disable(ForeignListener* one) override {
        return call_.evconnlistener_disable(listener(one));
    }
    void listener_set_cb(ForeignListener* one, AcceptCallback callback, void* argument) override {
        call_.evconnlistener_set_cb(listener(one), translated(callback), argument);
    }
    void listener_set_error_cb(ForeignListener* one, ErrorCallback callback) override {
        call_.evconnlistener_set_error_cb(listener(one),
                                          reinterpret_cast<evconnlistener_errorcb>(callback));
    }
    int listener_get_fd(ForeignListener* one) override {
        return call_.evconnlistener_get_fd(listener(one));
    }
    ForeignLoop* listener_get_base(ForeignListener* one) override {
        return reinterpret_cast<ForeignLoop*>(call_.evconnlistener_get_base(listener(one)));
    }

  private:
    // The stage's types stand for the library's own, which it only ever sees as pointers.
    static event_base* base(ForeignLoop* loop) { return reinterpret_cast<event_base*>(loop); }
    static evconnlistener* listener(ForeignListener* one) {
        return reinterpret_cast<evconnlistener*>(one);
    }
    static evconnlistener_cb translated(AcceptCallback callback) {
        return reinterpret_cast<evconnlistener_cb>(callback);
    }
    // What libevent has learnt with time, a library that is built with Hark has.
    unsigned number() const { return is_libevent ? call_.event_get_version_number() : ~0u; }

    Functions call_;
    std::string path_;
};

std::string path_of(void* function) {
    Dl_info found{};
    return dladdr(function, &found) != 0 ? found.dli_fname : "";
}

// The loader looks for a mere name by itself; a path is one from this adapter.
std::string place_of(const std::string& library) {
    if (library.find('/') == std::string::npos) return library;
    const std::filesystem::path here = path_of(reinterpret_cast<void*>(&hark_open_subject_1));
    return (here.parent_path() / library).lexically_normal();
}

// libevent_core-2.1.so.7 and libevent-2.1.so.7 both have libevent_pthreads-2.1.so.7 beside them.
void* open_pthreads_beside(const std::filesystem::path& library) {
    std::string name = library.filename().string();
    for (const std::string_view stem : {"libevent_core", "libevent"}) {
        if (!name.starts_with(stem)) continue;
        name.replace(0, stem.size(), "libevent_pthreads");
        return dlopen((library.parent_path() / name).c_str(), RTLD_NOW | RTLD_GLOBAL);
    }
    return nullptr;
}

void* open_library(const std::string& path, std::string& why) {
    // Global, so that the pthreads part finds this very library and no second one.
    if (!path.empty()) {
        void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
        if (library == nullptr) why = dlerror();
        return library;
    }
    std::string tried;
    for (const char* name : library_names) {
        const std::string place = place_of(name);
        if (void* library = dlopen(place.c_str(), RTLD_NOW | RTLD_GLOBAL)) return library;
        tried += (tried.empty() ? "" : ", ") + place;
    }
    why = std::string("no ") + subject_name + " is installed; looked for " + tried + " (" +
          dlerror() + ")";
    return nullptr;
}

}  // namespace

extern "C" Subject* hark_open_subject_1(const char* path, std::string* why) {
    void* library = open_library(path, *why);
    if (library == nullptr) return nullptr;
    Functions found;
#define BIND(name) found.name = reinterpret_cast<decltype(&::name)>(dlsym(library, #name));
#define NEEDED(name)                                                   \
    BIND(name)                                                         \
    if (found.name == nullptr) {                                       \
        *why = "it has no " #name ", so it has no evconnlistener ABI"; \
        return nullptr;                                                \
    }
#define OPTIONAL(name) BIND(name)
#include "harness/subjects/libevent/functions.def"
    const std::string where = path_of(reinterpret_cast<void*>(found.evconnlistener_new));
    // A drop-in has its listener in one object, and libevent's loop in another.
    const std::string loop = path_of(reinterpret_cast<void*>(found.event_base_new));
    void* pthreads = found.evthread_use_pthreads != nullptr ? nullptr : open_pthreads_beside(loop);
    static Libevent subject(found, where, pthreads);
    return &subject;
}
