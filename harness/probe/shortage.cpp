#include "harness/probe/shortage.h"

#include <algorithm>
#include <memory>

#include "harness/probe/limit.h"

namespace hark::probe {

namespace {

// Clients who come and go while nobody is accepted; hundreds, so that one descriptor for each
// can't be taken for anything else.
constexpr std::size_t passers_by = 200;
// Calls of accept that were already waiting when the fault began take a client each.
constexpr int most_openers = 64;

struct Seen {
    bool struck = false;
    unsigned taken = 0;  // by calls that were waiting already
    bool shed = false;   // who waited was accepted and closed
    std::string deaths;
    bool all_dead = false;
    bool crashed = false;
    bool is_listening = true;
    bool told = false;  // its log has something of it
    std::uint64_t fired = 0;
    Rates rates;
    double came = 0;  // clients a second, meanwhile
    std::optional<bool> connected_is_served;
    std::optional<Milliseconds> waited_for;  // how long who waited was not served after the end
    bool waiter_is_gone = false;
    bool woken = false;  // only the new client made it serve the old one
    std::optional<Milliseconds> new_after;
    bool freed = false;  // nobody was served before a client that was connected went
    std::size_t before = 0;
    std::size_t after = 0;
    std::string said;
    trace::Lines trace;
    std::vector<std::string> did;
};

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

class Judge {
  public:
    Judge(const Trial& trial, const Peace& peace, const Seen& seen)
        : trial_(trial), peace_(peace), seen_(seen) {}

    [[nodiscard]] std::vector<Answer> answers() const;

  private:
    [[nodiscard]] std::string died() const {
        return seen_.all_dead ? "it died" : "processes of it died";
    }
    void judge(Answer& answer) const;
    void judge_pauses(Answer& answer) const;
    void judge_connected(Answer& answer) const;
    void judge_recovery(Answer& answer) const;
    void judge_leak(Answer& answer) const;
    void judge_for_good(Answer& answer) const;

    const Trial& trial_;
    const Peace& peace_;
    const Seen& seen_;
};

std::vector<Answer> Judge::answers() const {
    std::vector<Answer> all;
    for (const Question* question : questions_of(trial_)) {
        Answer answer(trial_, *question);
        for (const auto& each : seen_.did) answer.did(each);
        answer.said(seen_.said);
        if (!trial_.rules.empty()) answer.fired(trial_.rules.front(), seen_.fired);
        if (!seen_.struck) {
            answer.unreached("the server was never seen to fail at accept");
        } else {
            judge(answer);
            answer.trace(seen_.trace);
        }
        all.push_back(std::move(answer));
    }
    return all;
}

void Judge::judge(Answer& answer) const {
    const std::string id = answer.row()["case"];
    const auto name = id.substr(id.find('.') + 1);
    if (name == "stops") return judge_for_good(answer);
    if (name == "pauses") return judge_pauses(answer);
    if (name == "connected_is_served") return judge_connected(answer);
    if (name == "recovers") return judge_recovery(answer);
    judge_leak(answer);
}

void Judge::judge_pauses(Answer& answer) const {
    const std::string expected = "it lives, and waits or sheds without spending the processor";
    record_rates(answer, seen_.rates);
    if (seen_.shed) answer.record("sheds", true);
    if (!seen_.deaths.empty()) return answer.fail("died", expected, died());
    if (!seen_.is_listening) {
        return answer.fail("deaf", expected, "it closed its listening socket");
    }
    if (const auto way = excess(seen_.rates, seen_.came, peace_)) {
        return answer.fail(way->how, expected, way->seen);
    }
    answer.pass();
}

void Judge::judge_connected(Answer& answer) const {
    if (!seen_.connected_is_served) {
        return answer.unsupported("its clients say nothing twice on one connection");
    }
    if (*seen_.connected_is_served) return answer.pass();
    answer.fail(seen_.deaths.empty() ? "starved" : "died", "an answer while the fault lasts",
                seen_.deaths.empty() ? "no answer" : died());
}

void Judge::judge_recovery(Answer& answer) const {
    const std::string expected = "both are served within two seconds";
    if (seen_.waited_for) answer.record("who waited, ms", seen_.waited_for->count());
    if (seen_.new_after) answer.record("who came anew, ms", seen_.new_after->count());
    if (!seen_.new_after) {
        if (!seen_.deaths.empty()) return answer.fail("died", expected, died());
        return answer.fail("deaf", expected,
                           seen_.freed ? "nobody is served until a client that is connected goes"
                                       : "nobody is served any more");
    }
    if (seen_.shed || seen_.waited_for) {
        const bool is_late = seen_.waited_for.value_or(*seen_.new_after) > recovery_limit ||
                             *seen_.new_after > recovery_limit;
        if (is_late) return answer.fail("late", expected, "they were served later than that");
        return answer.pass();
    }
    if (seen_.waiter_is_gone) {
        return answer.fail("lost", expected, "who waited was sent away once the fault was over");
    }
    answer.fail("deaf", expected,
                seen_.woken ? "who waited was served only when another client came"
                            : "who waited was never served");
}

void Judge::judge_leak(Answer& answer) const {
    if (!seen_.new_after) {
        return answer.fail(seen_.deaths.empty() ? "deaf" : "died", "as many descriptors as before",
                           "it serves nobody any more, so what it holds can't be compared");
    }
    answer.record("descriptors before", seen_.before);
    answer.record("descriptors after", seen_.after);
    // A few may be a log, or a file that it opens once.  Who fails often, leaks often.
    const std::uint64_t chances =
        trial_.rules.empty() ? passers_by : std::min<std::uint64_t>(seen_.fired, passers_by);
    const std::size_t most = seen_.before + std::max<std::size_t>(3, chances / 10);
    if (seen_.after > most) {
        return answer.fail("leak", "as many descriptors as before", "many more descriptors");
    }
    answer.pass();
}

void Judge::judge_for_good(Answer& answer) const {
    const std::string expected = "it tells, and stops trying or ends in an orderly way";
    record_rates(answer, seen_.rates);
    if (seen_.crashed) return answer.fail("crash", expected, "it was killed by a signal");
    if (!seen_.deaths.empty()) {
        answer.record("ends", seen_.deaths);
        if (seen_.told) return answer.pass();
        return answer.fail("silent", expected, "it ended without a word");
    }
    if (const auto way = excess(seen_.rates, seen_.came, peace_)) {
        return answer.fail(way->how, expected, way->seen);
    }
    if (!seen_.told) return answer.fail("silent", expected, "its log has not a word of it");
    answer.pass();
}

}  // namespace

std::vector<Answer> try_lasting(const Setup& setup, const Trial& trial, const Peace& peace) {
    Seen seen = Lasting(setup, trial, 0).run();
    // Of a server with a descriptor in reserve the second call succeeds, and that connection is
    // closed.  One without such a thing would serve whoever gets through.
    const bool is_of_descriptors = trial.fault == "EMFILE" || trial.fault == "ENFILE";
    const bool may_shed = is_of_descriptors && seen.struck && seen.deaths.empty() &&
                          excess(seen.rates, seen.came, peace).has_value();
    if (may_shed) {
        Seen again = Lasting(setup, trial, 1).run();
        if (again.struck && again.shed) seen = std::move(again);
    }
    return Judge(trial, peace, seen).answers();
}

}  // namespace hark::probe
