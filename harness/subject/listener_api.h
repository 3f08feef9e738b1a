// What an implementation offers so that Hark can drive it: the interface that the contract
// documents, and one step of its event loop.  An adapter translates; it decides nothing, works
// around nothing and retries nothing, for whatever it hid would be hidden from the verdict.
//
// An adapter is a shared object with one function, `hark_open_subject`.  It includes this header
// and its own library, nothing else of Hark.
#pragma once

#include <sys/socket.h>

#include <string>
#include <vector>

namespace hark {

// The flags have the values of <event2/listener.h>; an adapter for another library maps them.
enum Flag : unsigned {
    leave_sockets_blocking = 1u << 0,
    close_on_free = 1u << 1,
    close_on_exec = 1u << 2,
    reuseable = 1u << 3,
    threadsafe = 1u << 4,
    disabled = 1u << 5,
    deferred_accept = 1u << 6,
    // Beyond the document, from the header.
    reuseable_port = 1u << 7,
    bind_ipv6only = 1u << 8,
    bind_ipv4_and_ipv6 = 1u << 9,
};

// The seven of the document.
inline constexpr unsigned documented_flags = (1u << 7) - 1;

// Opaque: the subject's own objects, never looked into.
struct ForeignLoop;
struct ForeignListener;

using AcceptCallback = void (*)(ForeignListener*, int fd, sockaddr* address, int length,
                                void* argument);
using ErrorCallback = void (*)(ForeignListener*, void* argument);

// What a subject may lack.  A flag lacks by its own name.
enum class Feature {
    new_from_descriptor,  // evconnlistener_new
    new_by_binding,       // evconnlistener_new_bind
    enable_disable,
    set_callback,
    set_error_callback,
    get_fd,
    get_base,
    null_callback,
    threads,           // a loop that other threads may call
    address_length,    // an address whose length the caller tells
    abstract_address,  // binding an AF_UNIX address without a path
};
inline constexpr Feature every_feature[] = {
    Feature::new_from_descriptor,
    Feature::new_by_binding,
    Feature::enable_disable,
    Feature::set_callback,
    Feature::set_error_callback,
    Feature::get_fd,
    Feature::get_base,
    Feature::null_callback,
    Feature::threads,
    Feature::address_length,
    Feature::abstract_address,
};

struct Identity {
    std::string name;     // "libevent"
    std::string version;  // as the library itself tells it
    std::string path;     // the object that holds the listener
};

class Subject {
  public:
    Subject() = default;
    Subject(const Subject&) = delete;
    Subject& operator=(const Subject&) = delete;
    virtual ~Subject() = default;

    [[nodiscard]] virtual Identity identity() const = 0;

    // The reason why the subject lacks this, in words for the report; empty if it has it.
    [[nodiscard]] virtual std::string lacks(Feature feature) const = 0;
    [[nodiscard]] virtual std::string lacks_flag(unsigned flag) const = 0;
    // The reason why every listener is as this flag makes it, asked for or not; empty if it isn't.
    [[nodiscard]] virtual std::string always_flag(unsigned) const { return ""; }

    // Prepares the library for threads (evthread_use_pthreads); once a process, before any loop.
    // Zero, or -1.
    virtual int use_threads() = 0;

    virtual ForeignLoop* loop_new() = 0;
    virtual void loop_free(ForeignLoop*) = 0;
    // One turn that doesn't wait: whatever is ready is handled, once (EVLOOP_ONCE|EVLOOP_NONBLOCK).
    virtual int loop_turn(ForeignLoop*) = 0;
    // Turns, waiting where there is nothing to do, until loop_exit or until nothing is left to wait
    // for.
    virtual int loop_run(ForeignLoop*) = 0;
    // One turn that waits until something is ready or a timer has run out (EVLOOP_ONCE).
    virtual int loop_wait(ForeignLoop*) = 0;
    // Ends loop_run after the callbacks of this turn, from a callback or from another thread.
    virtual void loop_exit(ForeignLoop*) = 0;
    // Ends it after the callback that is running (event_base_loopbreak).
    virtual void loop_break(ForeignLoop*) = 0;

    // evconnlistener_new and evconnlistener_new_bind.  Null and errno where they fail.
    virtual ForeignListener* listener_new(ForeignLoop*, AcceptCallback, void* argument,
                                          unsigned flags, int backlog, int fd) = 0;
    virtual ForeignListener* listener_new_bind(ForeignLoop*, AcceptCallback, void* argument,
                                               unsigned flags, int backlog, const sockaddr* address,
                                               int length) = 0;
    virtual void listener_free(ForeignListener*) = 0;
    virtual int listener_enable(ForeignListener*) = 0;
    virtual int listener_disable(ForeignListener*) = 0;
    virtual void listener_set_cb(ForeignListener*, AcceptCallback, void* argument) = 0;
    virtual void listener_set_error_cb(ForeignListener*, ErrorCallback) = 0;
    [[nodiscard]] virtual int listener_get_fd(ForeignListener*) = 0;
    [[nodiscard]] virtual ForeignLoop* listener_get_base(ForeignListener*) = 0;
};

// What an adapter's object exports, extern "C".  `path` is the library to bind, or empty for the
// system's.  On failure: null, and a sentence for the user in `*why`.  The subject lives until the
// process ends.
inline constexpr char open_subject_symbol[] = "hark_open_subject_1";
using OpenSubject = Subject* (*)(const char* path, std::string* why);

}  // namespace hark
