#include "harness/probe/lasting.h"

#include <memory>

#include "harness/probe/limit.h"

namespace hark::probe {

namespace {

// Calls of accept that were already waiting when the fault began take a client each.
constexpr int most_openers = 64;

class Lasting {
  public:
    Lasting(const Setup& setup, const Trial& trial, std::size_t rule)
        : trial_(trial), rule_(rule), ground_(setup, trial.rules) {}
    Seen run();

  private:
    void begin();
    void end();
    [[nodiscard]] bool has_struck(Client& opener, std::uint64_t accepts_before,
                                  Clock::time_point since);
    std::unique_ptr<Client> open_until_struck();
    void watch(Client& waiter, Client* connected);
    std::optional<Milliseconds> serve_anew(Milliseconds patience);
    void recover(Client& waiter, std::optional<Client>& connected);
    void look_for_leaks(std::size_t open);
    [[nodiscard]] bool is_kernel() const { return trial_.kind == Kind::kernel; }
    [[nodiscard]] Milliseconds scaled(Milliseconds time) const {
        return ground_.setup().scaled(time);
    }

    const Trial& trial_;
    std::size_t rule_;
    Ground ground_;
    DescriptorLimit limit_;
    Counters before_;
    Seen seen_;
};

void Lasting::begin() {
    before_ = ground_.count();
    if (is_kernel()) {
        limit_.lay_on(ground_.holders());
        seen_.did.emplace_back("lower the limit of descriptors to what the server has open");
    } else {
        ground_.faults().begin(rule_);
        seen_.did.push_back("from now on " + trial_.rules[rule_]);
    }
}

void Lasting::end() {
    if (is_kernel()) {
        limit_.lift();
    } else {
        ground_.faults().end();
    }
    seen_.did.emplace_back("the fault is over");
}

bool Lasting::has_struck(Client& opener, std::uint64_t accepts_before, Clock::time_point since) {
    if (!is_kernel()) return ground_.faults().fired() > 0;
    // The kernel tells nobody.  Who is accepted and closed at once was shed; who still waits after
    // a call of accept could not be accepted; and of a server whose calls aren't seen, who still
    // waits after a while.
    if (opener.is_gone()) return true;
    if (ground_.waiting() == 0) return false;
    return ground_.faults().accepts() > accepts_before ||
           Clock::now() - since > scaled(Milliseconds(200));
}

std::unique_ptr<Client> Lasting::open_until_struck() {
    const auto deadline = Clock::now() + scaled(strike_limit);
    for (int i = 0; i < most_openers && Clock::now() < deadline; ++i) {
        const auto accepts = ground_.faults().accepts();
        const auto since = Clock::now();
        auto opener = std::make_unique<Client>(ground_.connect());
        bool is_served = false;
        (void)ground_.wait_until(
            [&] {
                is_served = ground_.is_served(*opener);
                seen_.struck = has_struck(*opener, accepts, since);
                return is_served || seen_.struck;
            },
            std::chrono::duration_cast<Milliseconds>(deadline - Clock::now()));
        // What strikes between the two looks may have struck somebody else.
        if (seen_.struck && !ground_.is_served(*opener)) return opener;
        if (!is_served) return seen_.struck ? std::move(opener) : nullptr;
        ++seen_.taken;
    }
    return nullptr;
}

void Lasting::watch(Client& waiter, Client* connected) {
    if (connected != nullptr) connected->ask_again();
    for (std::size_t i = 0; i < passers_by; ++i) (void)ground_.connect();
    const auto over = Clock::now() + scaled(window);
    bool served = false;
    (void)ground_.wait_until(
        [&] {
            if (connected != nullptr) served = served || ground_.is_served(*connected);
            return Clock::now() >= over;
        },
        scaled(window));
    if (connected != nullptr) seen_.connected_is_served = served;
    (void)waiter.look();
    const Counters to = ground_.count();
    seen_.came =
        static_cast<double>(passers_by) / std::chrono::duration<double>(to.at - before_.at).count();
    seen_.rates = rates_between(before_, to);
    seen_.fired = ground_.faults().fired();
    seen_.trace = ground_.faults().trace();
    seen_.deaths = ground_.deaths();
    if (seen_.deaths.empty() && !ground_.is_listening()) seen_.deaths = ground_.deaths_soon();
    seen_.told = to.lines > before_.lines;
    seen_.is_listening = ground_.is_listening();
    seen_.all_dead = ground_.is_dead();
    seen_.shed =
        seen_.deaths.empty() && (waiter.stand() == Stand::closed || waiter.stand() == Stand::reset);
    const auto status = ground_.server().ended();
    seen_.crashed = status && *status < 0;
}

// New clients, a few times a second, since the kernel lets one that finds the queue full wait for a
// second and more: how long it took until one was served.
std::optional<Milliseconds> Lasting::serve_anew(Milliseconds patience) {
    const auto since = Clock::now();
    const auto passed = [&] { return std::chrono::ceil<Milliseconds>(Clock::now() - since); };
    while (passed() < patience) {
        Client fresh = ground_.connect();
        if (ground_.wait_until_served(fresh, scaled(Milliseconds(400)))) return passed();
        if (ground_.is_dead()) break;
        // Who was refused at once would otherwise be the first of thousands.
        (void)ground_.wait_until([] { return false; }, Milliseconds(20));
    }
    return std::nullopt;
}

void Lasting::recover(Client& waiter, std::optional<Client>& connected) {
    const auto since = Clock::now();
    const auto passed = [&] { return std::chrono::ceil<Milliseconds>(Clock::now() - since); };
    end();
    if (!seen_.shed && ground_.wait_until_served(waiter, scaled(recovery_limit))) {
        seen_.waited_for = passed();
    }
    // Who is late is waited for, so that it is not the next client who seems to have woken him.
    const bool may_be_late = !seen_.shed && !seen_.waited_for && ground_.deaths().empty();
    if (may_be_late && ground_.wait_until_served(waiter, scaled(never))) {
        seen_.waited_for = passed();
    }
    const bool still_waits = !seen_.shed && !seen_.waited_for;
    const Milliseconds patience = scaled(still_waits ? recovery_limit / 2 : recovery_limit);
    seen_.did.emplace_back("new clients come");
    seen_.new_after = serve_anew(patience);
    seen_.woken = still_waits && seen_.new_after && ground_.is_served(waiter);
    if (!seen_.new_after && connected) {
        connected.reset();
        seen_.did.emplace_back("the client that was connected goes");
        seen_.freed = serve_anew(patience).has_value();
    }
    seen_.waiter_is_gone = waiter.is_gone();
}

void Lasting::look_for_leaks(std::size_t open) {
    (void)ground_.settle(open);
    (void)ground_.wait_until([&] { return ground_.descriptors() <= seen_.before; },
                             scaled(stop_limit) / 2);
    seen_.after = ground_.descriptors();
}

Seen Lasting::run() {
    std::optional<Client> connected;
    if (ground_.setup().talk.again) {
        connected.emplace(ground_.connect());
        (void)ground_.wait_until_served(*connected, scaled(recovery_limit));
        seen_.did.emplace_back("a client is connected, and answered");
    }
    const std::size_t open = connected ? 1 : 0;
    (void)ground_.settle(open);
    seen_.before = ground_.descriptors();
    begin();
    auto waiter = open_until_struck();
    if (waiter != nullptr) {
        if (seen_.taken != 0) {
            seen_.did.emplace_back("who comes is served by calls that were waiting already");
        }
        seen_.did.emplace_back("a client comes, and waits");
        watch(*waiter, connected ? &*connected : nullptr);
        if (trial_.kind != Kind::for_good && !ground_.is_dead()) {
            recover(*waiter, connected);
            waiter.reset();
            if (seen_.new_after) look_for_leaks(open);
        }
    }
    seen_.said = ground_.server().said(4000);
    return std::move(seen_);
}

}  // namespace

Seen see_lasting(const Setup& setup, const Trial& trial, std::size_t rule) {
    return Lasting(setup, trial, rule).run();
}

}  // namespace hark::probe
