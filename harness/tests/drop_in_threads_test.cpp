// The reference listener under threads that call it as they please, for ThreadSanitizer to look at:
// what a case of the contract does in a fixed order happens here in any.
//
// Every callback wants a lock that other threads hold while they call the listener, which is what
// a listener that waits for its callback locks up on.

#include <doctest/doctest.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <event2/thread.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "harness/must.h"
#include "harness/stage/peer.h"

using namespace hark;

namespace {

constexpr std::size_t makers = 3;
constexpr std::size_t rounds = 30;  // each a listener of its own
constexpr long clients = 10;        // of each listener

// A callback may be on its way still when its listener has been freed, so they outlive all of them.
using Count = std::atomic<long>;
std::array<Count, makers * rounds> delivered;
std::mutex wanted;

void accepted(evconnlistener*, evutil_socket_t fd, sockaddr*, int, void* count) {
    (void)::close(fd);
    const std::lock_guard lock(wanted);
    ++*static_cast<Count*>(count);
    static_cast<Count*>(count)->notify_all();
}

void accepted_once(evconnlistener* listener, evutil_socket_t fd, sockaddr* address, int length,
                   void* count) {
    evconnlistener_set_cb(listener, &accepted, count);
    accepted(listener, fd, address, length, count);
}

void failed(evconnlistener*, void*) {}

class RunningLoop {
  public:
    RunningLoop() : base_(event_base_new()), thread_([this] { run(); }) {}
    ~RunningLoop() {
        (void)event_base_loopexit(base_, nullptr);
        thread_.join();
        event_base_free(base_);
    }
    RunningLoop(const RunningLoop&) = delete;
    RunningLoop& operator=(const RunningLoop&) = delete;
    [[nodiscard]] event_base* base() const { return base_; }

  private:
    void run() const { (void)event_base_loop(base_, EVLOOP_NO_EXIT_ON_EMPTY); }

    event_base* base_;
    std::thread thread_;
};

void call_it_every_way(evconnlistener* listener, Count& count) {
    for (int i = 0; i < 20; ++i) {
        (void)evconnlistener_disable(listener);
        evconnlistener_set_error_cb(listener, &failed);
        (void)evconnlistener_enable(listener);
        const std::lock_guard lock(wanted);
        evconnlistener_set_cb(listener, nullptr, nullptr);
        (void)evconnlistener_disable(listener);
        evconnlistener_set_cb(listener, i % 2 == 0 ? &accepted : &accepted_once, &count);
        (void)evconnlistener_enable(listener);
    }
}

void make_and_free(event_base* base, Count& count, bool waits_for_all) {
    const Address any = Address::ipv4("127.0.0.1", 0);
    evconnlistener* listener =
        evconnlistener_new_bind(base, &accepted, &count, LEV_OPT_THREADSAFE | LEV_OPT_CLOSE_ON_FREE,
                                -1, any.get(), static_cast<int>(any.length()));
    REQUIRE(listener != nullptr);
    const Address at = Address::local_of(evconnlistener_get_fd(listener));
    std::thread other([&] { call_it_every_way(listener, count); });
    std::vector<Peer> peers;
    for (int i = 1; i <= clients; ++i) peers.emplace_back(i, at);
    other.join();
    if (waits_for_all) {
        for (long so_far = count; so_far < clients; so_far = count) count.wait(so_far);
    }
    const std::lock_guard lock(wanted);
    evconnlistener_free(listener);
}

}  // namespace

TEST_CASE("drop-in: threads call a listener as they please, and no connection is lost") {
    REQUIRE(evthread_use_pthreads() == 0);
    {
        const RunningLoop loop;
        std::vector<std::thread> all;
        for (std::size_t maker = 0; maker < makers; ++maker) {
            all.emplace_back([&loop, maker] {
                for (std::size_t i = 0; i < rounds; ++i) {
                    make_and_free(loop.base(), delivered[maker * rounds + i], i % 2 == 0);
                }
            });
        }
        for (auto& each : all) each.join();
    }
    for (std::size_t i = 0; i < delivered.size(); ++i) {
        CHECK(delivered[i] <= clients);
        if (i % rounds % 2 == 0) CHECK(delivered[i] == clients);
    }
}
