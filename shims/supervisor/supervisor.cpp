#include "shims/supervisor/supervisor.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <seccomp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <vector>

#include "shims/decide.h"
#include "shims/supervisor/filter.h"
#include "shims/supervisor/target.h"

namespace shim {

namespace {

using std::chrono::milliseconds;

bool is_on_descriptor(Call call) {
    return call != Call::socket && call != Call::socketpair && call != Call::pipe &&
           call != Call::pipe2 && call != Call::poll && call != Call::ppoll &&
           call != Call::select && call != Call::pselect && call != Call::eventfd &&
           call != Call::epoll_create && call != Call::epoll_create1 &&
           call != Call::timerfd_create;
}

bool is_readable(int fd) {
    pollfd one{fd, POLLIN, 0};
    return ::poll(&one, 1, 0) == 1;
}

// The kernel wants the whole of its own structure empty, which may be longer than the one that this
// was compiled with; libseccomp leaves that to its callers.
int receive_into(int notifications, seccomp_notif* asked) {
    static const std::size_t size = [] {
        seccomp_notif_sizes sizes{};
        const long answer = ask_kernel(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes);
        return answer == 0 ? sizes.seccomp_notif : sizeof(seccomp_notif);
    }();
    std::memset(static_cast<void*>(asked), 0, size);
    return seccomp_notify_receive(notifications, asked);
}

// Has an accept, which would wait if somebody else came first, come back after all.
class Impatience {
  public:
    Impatience() {
        struct sigaction action {};
        action.sa_handler = [](int) {};
        (void)::sigaction(SIGRTMAX, &action, nullptr);
        sigevent event{};
        event.sigev_notify = SIGEV_THREAD_ID;
        event.sigev_signo = SIGRTMAX;
        event._sigev_un._tid = ::gettid();
        is_made_ = ::timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;
        // Again and again, for the first may come before the wait has begun.
        const itimerspec often{{0, 20'000'000}, {0, 20'000'000}};
        if (is_made_) (void)::timer_settime(timer_, 0, &often, nullptr);
    }
    ~Impatience() {
        if (is_made_) (void)::timer_delete(timer_);
    }
    Impatience(const Impatience&) = delete;
    Impatience& operator=(const Impatience&) = delete;

  private:
    timer_t timer_{};
    bool is_made_ = false;
};

}  // namespace

Supervisor::Supervisor(int notifications, Ledger& ledger)
    : notifications_(notifications), ledger_(ledger) {
    (void)seccomp_notify_alloc(&asked_, &answer_);
}

Supervisor::~Supervisor() {
    for (const Kept& each : kept_) {
        if (each.listener >= 0) (void)::close(each.listener);
    }
    seccomp_notify_free(asked_, answer_);
}

void Supervisor::run(int stop) {
    for (;;) {
        std::vector<pollfd> all{{stop, POLLIN, 0}, {notifications_, POLLIN, 0}};
        for (const Kept& each : kept_) {
            if (each.listener >= 0) all.push_back({each.listener, POLLIN, 0});
        }
        if (::poll(all.data(), all.size(), pause_ms()) < 0 && errno != EINTR) return;
        if (all[0].revents != 0) return;
        if ((all[1].revents & POLLIN) != 0) receive();
        if ((all[1].revents & (POLLHUP | POLLERR)) != 0) return;
        look_after_kept();
    }
}

int Supervisor::pause_ms() const {
    auto pause = milliseconds(1000);
    for (const Kept& each : kept_) {
        if (each.listener >= 0) continue;
        pause = std::min(pause, std::chrono::ceil<milliseconds>(each.until - Clock::now()));
    }
    return static_cast<int>(std::max(pause, milliseconds(0)).count());
}

void Supervisor::receive() {
    // ENOENT: whoever asked was killed before the question was read; EINTR is a signal to us.
    if (receive_into(notifications_, asked_) != 0) return;
    ledger_.family.last_asked.store(asked_->id, std::memory_order_relaxed);
    Target target(static_cast<std::int32_t>(asked_->pid));
    judge(target);
}

bool Supervisor::is_still_there(std::uint64_t id) const {
    return seccomp_notify_id_valid(notifications_, id) == 0;
}

void Supervisor::judge(Target& target) {
    const Call call = call_of(asked_->data.nr);
    if (call == Call::count_) {
        ledger_.family.uring_process = target.process();
        return go_on(asked_->id);
    }
    const std::int32_t only = ledger_.family.only.load(std::memory_order_relaxed);
    if (only != 0 && only != target.process()) return go_on(asked_->id);
    if (ledger_.family.accept_mark != 0) {
        ledger_.family.escaped.fetch_add(1, std::memory_order_relaxed);
        ledger_.family.escaped_process = target.process();
    }
    ledger_.calls[static_cast<std::size_t>(call)].fetch_add(1, std::memory_order_relaxed);
    note(target, call);
    std::int64_t arguments[6];
    for (std::size_t i = 0; i < 6; ++i)
        arguments[i] = static_cast<std::int64_t>(asked_->data.args[i]);
    // An int in a register may have anything above it.
    if (is_on_descriptor(call)) arguments[0] = static_cast<std::int32_t>(arguments[0]);
    const Decision decision =
        decide(ledger_, {call, is_on_descriptor(call), arguments, target.process()}, target);
    if (target.is_closed_to_us()) ledger_.family.closed_process = target.process();
    // What was found out of a number is of the process that asked only if that still waits.
    if (!is_still_there(asked_->id)) return finish(record_, 0, 0, mark_unseen);
    if (decision.rule != nullptr) return obey(target, decision);
    finish(record_, 0, 0, mark_unseen);
    go_on(asked_->id);
}

void Supervisor::obey(Target& target, const Decision& decision) {
    const Rule& rule = *decision.rule;
    const bool can = rule.action == Action::report || rule.action == Action::return_value ||
                     rule.action == Action::delay;
    if (can) {
        count_as_fired(decision);
        if (record_ != 0) {
            ledger_.records[(record_ - 1) % record_room].rule =
                static_cast<std::uint16_t>(decision.rule - ledger_.rules + 1);
        }
    }
    if (rule.action == Action::report) return fail(target, rule);
    if (rule.action == Action::return_value) {
        finish(record_, rule.value, 0, mark_injected | mark_pretended);
        return answer(asked_->id, rule.value, 0);
    }
    finish(record_, 0, 0, can ? mark_injected | mark_unseen : mark_unseen);
    if (rule.action != Action::delay) return go_on(asked_->id);
    kept_.push_back(
        {.id = asked_->id, .until = Clock::now() + std::chrono::microseconds(rule.value)});
}

void Supervisor::fail(Target& target, const Rule& rule) {
    const Call call = call_of(asked_->data.nr);
    const bool takes =
        rule.consequence == Class::consuming && (call == Call::accept || call == Call::accept4);
    const auto fd = static_cast<std::int32_t>(asked_->data.args[0]);
    if (takes) {
        const int listener = target.take_copy_of(fd);
        const bool waits = listener >= 0 && (::fcntl(listener, F_GETFL) & O_NONBLOCK) == 0;
        if (waits && !is_readable(listener)) {
            kept_.push_back({asked_->id, {}, listener, rule.error, record_});
            return;
        }
        (void)consume(listener, record_);  // where none waits, the error is reported all the same
        if (listener >= 0) (void)::close(listener);
    }
    finish(record_, -1, rule.error, mark_injected);
    answer(asked_->id, 0, rule.error);
}

// Takes the connection that the fault is said to have cost, so that the peer sees it reset.
bool Supervisor::consume(int listener, std::uint32_t record) {
    if (listener < 0 || !is_readable(listener)) return false;
    const Impatience impatience;
    const int taken = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (taken < 0) return false;
    const linger at_once{1, 0};
    (void)::setsockopt(taken, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    (void)::close(taken);
    finish(record, -1, 0, mark_consumed | mark_unfinished);
    return true;
}

void Supervisor::look_after_kept() {
    kept_.remove_if([this](const Kept& each) {
        if (!is_still_there(each.id)) {
            if (each.listener >= 0) (void)::close(each.listener);
            return true;
        }
        if (each.listener < 0) {
            if (Clock::now() < each.until) return false;
            go_on(each.id);
            return true;
        }
        if (!consume(each.listener, each.record)) return false;
        (void)::close(each.listener);
        finish(each.record, -1, each.error, mark_injected);
        answer(each.id, 0, each.error);
        return true;
    });
}

void Supervisor::answer(std::uint64_t id, std::int64_t value, int error) {
    *answer_ = {};
    answer_->id = id;
    answer_->val = value;
    answer_->error = -error;
    // ENOENT: it was killed, or interrupted and will ask again.
    (void)seccomp_notify_respond(notifications_, answer_);
}

void Supervisor::go_on(std::uint64_t id) {
    *answer_ = {};
    answer_->id = id;
    answer_->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    (void)seccomp_notify_respond(notifications_, answer_);
}

void Supervisor::note(const Target& target, Call call) {
    record_ = 1 + ledger_.record_count.fetch_add(1, std::memory_order_relaxed);
    Record& record = ledger_.records[(record_ - 1) % record_room];
    record.number.store(0, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    record.call = call;
    record.marks = mark_unfinished;
    record.thread = static_cast<std::int32_t>(asked_->pid);
    record.process = target.process();
    record.error = 0;
    record.result = 0;
    record.caller = 0;
    for (std::size_t i = 0; i < 6; ++i) {
        record.arguments[i] = static_cast<std::int64_t>(asked_->data.args[i]);
    }
    if (is_on_descriptor(call)) {
        record.arguments[0] = static_cast<std::int32_t>(record.arguments[0]);
    }
    record.rule = 0;
    record.payload_size = 0;
    record.number.store(record_, std::memory_order_release);
}

// Marks that were set before stay, but for mark_unfinished.
void Supervisor::finish(std::uint32_t number, std::int64_t result, int error, unsigned marks) {
    Record& record = ledger_.records[(number - 1) % record_room];
    if (record.number.load(std::memory_order_relaxed) != number) return;
    record.result = result;
    record.error = error;
    const unsigned before = record.marks & ~static_cast<unsigned>(mark_unfinished);
    record.marks = static_cast<std::uint16_t>(before | marks);
}

// The kernel tells of a call once, and numbers them one after the other.  Of those that are not
// waiting for an answer it says so.
static void answer_for(int notifications, std::uint64_t last_asked) {
    constexpr std::uint64_t around = 1024;
    for (std::uint64_t id = last_asked - around; id != last_asked + around; ++id) {
        seccomp_notif_resp answer{};
        answer.id = id;
        answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        (void)seccomp_notify_respond(notifications, &answer);
    }
}

void let_go_on(int notifications, std::uint64_t last_asked) {
    if (last_asked != 0) answer_for(notifications, last_asked);
    seccomp_notif* asked = nullptr;
    seccomp_notif_resp* answer = nullptr;
    if (seccomp_notify_alloc(&asked, &answer) != 0) return;
    for (;;) {
        pollfd one{notifications, POLLIN, 0};
        if (::poll(&one, 1, -1) < 0 && errno != EINTR) break;
        if ((one.revents & (POLLHUP | POLLERR)) != 0) break;
        if ((one.revents & POLLIN) == 0) continue;
        if (receive_into(notifications, asked) != 0) continue;
        *answer = {};
        answer->id = asked->id;
        answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        (void)seccomp_notify_respond(notifications, answer);
    }
    seccomp_notify_free(asked, answer);
}

}  // namespace shim
