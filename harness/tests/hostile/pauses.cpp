// A listener that does what accept(2) asks: the control that the clauses of robustness can be kept.
// One of the three keeps time by a clock that someone may set, and that is all that is wrong with
// it.

#include <fcntl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "harness/tests/hostile/deeds.h"

namespace hostile {

namespace {

constexpr std::int64_t millisecond = 1'000'000;  // nanoseconds
constexpr std::int64_t shortest_pause = 5 * millisecond;
constexpr std::int64_t longest_pause = 1000 * millisecond;
constexpr int most_tries = 8;

enum class Meaning { nothing_waits, try_again, shortage, for_good };

Meaning meaning_of(int error) {
    switch (error) {
        case EAGAIN:
            return Meaning::nothing_waits;
        case EINVAL:
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
            return Meaning::shortage;
        case EBADF:
        case EFAULT:
        case ENOTSOCK:
            return Meaning::for_good;
        default:
            return Meaning::try_again;
    }
}

std::int64_t now(clockid_t clock) {
    timespec time{};
    (void)clock_gettime(clock, &time);
    return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

class Timekeeper {
  public:
    virtual bool is_over(Listener& listener) const = 0;
    virtual void begin(Listener& listener) const = 0;

  protected:
    ~Timekeeper() = default;
};

class ByClock final : public Timekeeper {
  public:
    explicit ByClock(clockid_t clock) : clock_(clock) {}
    bool is_over(Listener& listener) const override { return now(clock_) >= listener.resumes_at; }
    void begin(Listener& listener) const override {
        listener.resumes_at = now(clock_) + listener.pause;
    }

  private:
    clockid_t clock_;
};

class ByTimer final : public Timekeeper {
  public:
    // The timer is made in time: where descriptors have run out there is none to be had.
    bool is_over(Listener& listener) const override {
        if (listener.timer == -1) {
            listener.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
        }
        std::uint64_t times = 0;
        const bool has_rung = read(listener.timer, &times, sizeof times) == sizeof times;
        listener.is_pausing = listener.is_pausing && !has_rung;
        return !listener.is_pausing;
    }
    void begin(Listener& listener) const override {
        listener.is_pausing = true;
        itimerspec due{};
        due.it_value.tv_sec = listener.pause / 1'000'000'000;
        due.it_value.tv_nsec = listener.pause % 1'000'000'000;
        (void)timerfd_settime(listener.timer, 0, &due, nullptr);
    }
};

int take_one(Listener& listener, sockaddr* address, socklen_t* length) {
    if (listener.has_accept4) {
        const int fd = accept4(listener.fd, address, length, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd != -1 || errno != ENOSYS) return fd;
        listener.has_accept4 = false;
    }
    const int fd = accept(listener.fd, address, length);
    if (fd == -1) return -1;
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

void tell(Listener& listener) {
    if (listener.error_callback == nullptr) return;
    listener.error_callback(reinterpret_cast<hark::ForeignListener*>(&listener), listener.argument);
}

bool take_patiently(Listener& listener, const Timekeeper& time) {
    if (listener.has_stopped || !time.is_over(listener)) return true;
    const auto pause = [&] {
        listener.pause = std::clamp(2 * listener.pause, shortest_pause, longest_pause);
        time.begin(listener);
    };
    for (int tries = 0; tries < most_tries;) {
        sockaddr_storage address{};
        socklen_t length = sizeof address;
        auto* const where = reinterpret_cast<sockaddr*>(&address);
        const int fd = take_one(listener, where, &length);
        if (fd != -1) {
            listener.pause = 0;
            listener.callback(reinterpret_cast<hark::ForeignListener*>(&listener), fd, where,
                              static_cast<int>(length), listener.argument);
            continue;
        }
        switch (meaning_of(errno)) {
            case Meaning::nothing_waits:
                return true;
            case Meaning::try_again:
                ++tries;
                break;
            case Meaning::shortage:
                tell(listener);
                pause();
                return true;
            case Meaning::for_good:
                tell(listener);
                listener.has_stopped = true;
                return true;
        }
    }
    pause();
    return true;
}

}  // namespace

bool pauses(Listener& listener) { return take_patiently(listener, ByClock(CLOCK_MONOTONIC)); }

bool pauses_by_timer(Listener& listener) { return take_patiently(listener, ByTimer()); }

bool pauses_by_wall_clock(Listener& listener) {
    return take_patiently(listener, ByClock(CLOCK_REALTIME));
}

}  // namespace hostile
