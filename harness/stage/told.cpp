// What the subject's callbacks tell the stage, and how a voice finds its listener.  The subject is
// not believed: the pointer may be one that nobody gave, the descriptor may be anything.

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "harness/stage/stage.h"

namespace hark {

namespace {

// The pointers given to the subject.  Only their addresses matter.
constexpr std::size_t pointer_room = 4096;
std::array<char, pointer_room> pointers;

}  // namespace

template <int function>
void Stage::accept_callback(ForeignListener* listener, int fd, sockaddr* address, int length,
                            void* argument) {
    if (current_ != nullptr) {
        current_->told_accepted(function, listener, fd, address, length, argument);
    }
}

template <int function>
void Stage::error_callback(ForeignListener* listener, void* argument) {
    const Errno error = Errno::last();
    if (current_ != nullptr) current_->told_error(function, listener, error, argument);
}

template void Stage::error_callback<0>(ForeignListener*, void*);
template void Stage::error_callback<1>(ForeignListener*, void*);

AcceptCallback Stage::function_of(const Voice& voice) {
    static constexpr AcceptCallback functions[] = {&accept_callback<0>, &accept_callback<1>,
                                                   &accept_callback<2>, &accept_callback<3>};
    return functions[voice.function];
}

void* Stage::pointer_of(const Voice& voice) {
    if (voice.argument == Voice::null_argument) return nullptr;
    return &pointers.at(static_cast<std::size_t>(voice.argument));
}

int Stage::argument_of(const void* pointer) const {
    if (pointer == nullptr) return Voice::null_argument;
    const auto* byte = static_cast<const char*>(pointer);
    const auto* first = pointers.data();
    if (byte < first || byte >= first + voice_count_) return -1;
    return static_cast<int>(byte - first);
}

void Stage::adopt_voice(const Voice& voice, Listener& listener) {
    const std::lock_guard lock(mutex_);
    voices_[voice.argument] = &listener;
}

// A peer of another listener may have the same port: it is both ends that make a connection.
int Stage::peer_behind(int fd) const {
    if (!kernel::is_connected(fd)) return 0;
    const Address from = Address::peer_of(fd).unmapped();
    const Address to = Address::local_of(fd);
    for (const Peer& peer : peers_) {
        if (peer.address().unmapped() != from) continue;
        if (to.family() == AF_UNIX || peer.destination().port() == to.port()) return peer.number();
    }
    return 0;
}

void Stage::hand_over(int fd, bool to_subject) {
    if (fd < 0 || static_cast<std::size_t>(fd) >= shim::descriptor_room) return;
    ledger_.descriptors[fd].of_subject.store(to_subject);
}

void Stage::told_accepted(int function, ForeignListener* foreign, int fd, sockaddr* address,
                          int length, void* argument) {
    Accepted told;
    told.number = fd;
    told.heard_by = {function, argument_of(argument)};
    told.length = length;
    told.thread = std::this_thread::get_id();
    if (address != nullptr && length > 0) told.address = {address, static_cast<socklen_t>(length)};
    Listener* listener = nullptr;
    {
        const std::lock_guard lock(mutex_);
        const auto known = voices_.find(told.heard_by.argument);
        if (known == voices_.end()) {
            ++strays_;
            note("the callback is called with a pointer that nobody gave");
            return;
        }
        listener = known->second;
        listener->count_call();  // now: what follows takes its time
        told.right_listener = foreign == listener->foreign_;
        if (fd >= 0 && static_cast<std::size_t>(fd) < shim::descriptor_room &&
            ledger_.descriptors[fd].role.load() != shim::Role::accepted) {
            ++unseen_;
        }
        hand_over(fd, false);
        told.peer = peer_behind(fd);
        told.was_readable = kernel::is_open(fd) && kernel::is_readable(fd);
        if (kernel::is_open(fd)) told.fd.reset(fd);
    }
    note({"  the callback is told of descriptor " + std::to_string(fd) + " from " +
              told.address.text() + ", peer " + std::to_string(told.peer),
          Told::accepted, listener->fd_, fd});
    Accepted* kept = nullptr;
    {
        const std::lock_guard lock(mutex_);
        listener->accepted_.push_back(std::move(told));
        kept = &listener->accepted_.back();
    }
    if (listener->on_accept_) act([&] { listener->on_accept_(*kept); });
}

void Stage::told_error(int function, ForeignListener* foreign, Errno error, void* argument) {
    ErrorTold told{function, error, argument_of(argument), false, std::this_thread::get_id()};
    Listener* listener = nullptr;
    {
        const std::lock_guard lock(mutex_);
        const auto known = voices_.find(told.argument);
        if (known == voices_.end()) {
            ++strays_;
            note("the error callback is called with a pointer that nobody gave");
            return;
        }
        listener = known->second;
        listener->count_call();  // now: what follows takes its time
        told.right_listener = foreign == listener->foreign_;
        listener->errors_.push_back(told);
    }
    note({"  the error callback is told of " + error.name(), Told::error, listener->fd_,
          error.value()});
    if (listener->on_error_) act([&] { listener->on_error_(told); });
}

void Stage::act(const std::function<void()>& in_callback) {
    try {
        in_callback();
    } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!thrown_) thrown_ = std::current_exception();
    }
}

void Stage::throw_what_was_thrown() {
    std::exception_ptr thrown;
    {
        const std::lock_guard lock(mutex_);
        thrown = std::exchange(thrown_, nullptr);
    }
    if (thrown) std::rethrow_exception(thrown);
}

std::size_t Stage::deliveries() {
    const std::lock_guard lock(mutex_);
    std::size_t all = 0;
    for (const auto& each : listeners_) all += each->accepted_.size();
    return all;
}

}  // namespace hark
