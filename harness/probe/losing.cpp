#include "harness/probe/losing.h"

#include <algorithm>
#include <memory>

namespace hark::probe {

namespace {

// Clients that are lost one after another: hundreds, so that a descriptor for each can't be taken
// for anything else.
constexpr std::size_t losses = 200;
// Calls of accept that were already waiting when the fault began take a client each.
constexpr int most_openers = 64;

class Passing {
  public:
    Passing(const Setup& setup, const Trial& trial)
        : trial_(trial), ground_(setup, trial.rules, begin_of(trial)) {}

    std::vector<Answer> run();

  private:
    static Begin begin_of(const Trial& trial) {
        // A server may remember that the call is there.
        return trial.kind == Kind::missing ? Begin::before_start : Begin::when_told;
    }
    [[nodiscard]] Milliseconds scaled(Milliseconds time) const {
        return ground_.setup().scaled(time);
    }
    std::unique_ptr<Client> strike();
    void judge(Answer& answer);
    void judge_next(Answer& answer);
    void judge_again(Answer& answer, Client* victim);
    void judge_loss(Answer& answer);
    void judge_missing(Answer& answer);
    void judge_found_once(Answer& answer);
    bool serve_one(Answer& answer, const std::string& expected);
    [[nodiscard]] std::string died() {
        return ground_.is_dead() ? "it died" : "a process of it died";
    }
    // Says what became of a server that didn't serve.
    void fail_to_serve(Answer& answer, const std::string& expected, const std::string& seen);

    const Trial& trial_;
    Ground ground_;
    bool came_back_ = true;  // from one loss
    std::uint64_t fired_ = 0;
    unsigned taken_ = 0;
};

// A client whose acceptance fails; nothing if the fault is never met.
std::unique_ptr<Client> Passing::strike() {
    ground_.faults().begin(0);
    const auto deadline = Clock::now() + scaled(strike_limit);
    for (int i = 0; i < most_openers && Clock::now() < deadline; ++i) {
        auto client = std::make_unique<Client>(ground_.connect());
        bool is_struck = false;
        const auto left = std::chrono::duration_cast<Milliseconds>(deadline - Clock::now());
        (void)ground_.wait_until(
            [&] {
                is_struck = ground_.faults().fired() != 0;
                return is_struck || ground_.is_served(*client);
            },
            left, {client->fd()});
        if (is_struck) {
            if (trial_.kind == Kind::lost) ground_.faults().end();  // for whoever comes next
            return client;
        }
        ++taken_;
    }
    return nullptr;
}

void Passing::fail_to_serve(Answer& answer, const std::string& expected, const std::string& seen) {
    if (!ground_.deaths_soon().empty()) return answer.fail("died", expected, died());
    if (!ground_.is_listening()) {
        return answer.fail("deaf", expected, "it closed its listening socket");
    }
    answer.fail("unserved", expected, seen);
}

bool Passing::serve_one(Answer& answer, const std::string& expected) {
    const auto since = Clock::now();
    Client next = ground_.connect();
    if (!ground_.wait_until_served(next, scaled(recovery_limit))) {
        fail_to_serve(answer, expected, "the next client is not served within that time");
        return false;
    }
    answer.record("the next client, ms",
                  std::chrono::ceil<Milliseconds>(Clock::now() - since).count());
    return true;
}

// The first was lost; the second stands behind it in the queue.
void Passing::judge_next(Answer& answer) {
    const std::string expected =
        "the client behind the one that was lost is served within two seconds";
    answer.did("a client comes, and " + trial_.rules.front());
    answer.did("another client comes");
    const auto before = ground_.server().log_lines();
    came_back_ = serve_one(answer, expected);
    if (!came_back_) return;
    if (!ground_.deaths_soon().empty()) return answer.fail("died", expected, died());
    answer.record("log lines of it", ground_.server().log_lines() - before);
    answer.pass();
}

void Passing::judge_again(Answer& answer, Client* victim) {
    const bool others_may_wake = trial_.kind == Kind::empty;
    const std::string expected = others_may_wake
                                     ? "both are served within two seconds"
                                     : "it is served within two seconds, and no other has to come";
    answer.did("a client comes, and " + trial_.rules.front());
    std::optional<Client> other;
    if (others_may_wake) {
        other.emplace(ground_.connect());
        answer.did("another client comes");
    }
    const auto since = Clock::now();
    if (ground_.wait_until_served(*victim, scaled(recovery_limit))) {
        answer.record("it was served after, ms",
                      std::chrono::ceil<Milliseconds>(Clock::now() - since).count());
        if (other && !ground_.wait_until_served(*other, scaled(recovery_limit))) {
            return fail_to_serve(answer, expected, "the other is not served");
        }
        if (!ground_.deaths_soon().empty()) return answer.fail("died", expected, died());
        return answer.pass();
    }
    if (victim->is_gone() && ground_.deaths_soon().empty()) {
        return answer.fail("lost", expected, "it was sent away");
    }
    Client waker = ground_.connect();
    (void)ground_.wait_until_served(waker, scaled(recovery_limit) / 2);
    fail_to_serve(answer, expected,
                  ground_.is_served(*victim) ? "it was served only when another client came"
                                             : "it was not served within that time");
}

void Passing::judge_loss(Answer& answer) {
    const std::string expected = "as many descriptors as before";
    if (!came_back_) {
        return fail_to_serve(answer, expected,
                             "it serves nobody in time, so what it holds can't be compared");
    }
    ground_.faults().end();
    (void)ground_.settle(0);
    const auto before = ground_.descriptors();
    ground_.faults().begin(1);
    const auto deadline = Clock::now() + scaled(never);
    for (std::size_t i = 0; i < 3 * losses && Clock::now() < deadline; ++i) {
        if (ground_.faults().fired() >= losses || ground_.is_dead()) break;
        Client client = ground_.connect();
        (void)ground_.wait_until_served(client, scaled(recovery_limit));
    }
    fired_ = ground_.faults().fired();
    const auto lost = static_cast<std::size_t>(fired_);
    ground_.faults().end();
    answer.did("hundreds of clients come one after another, and " + trial_.rules.back());
    answer.record("lost", lost);
    if (!serve_one(answer, expected)) return;
    (void)ground_.settle(0);
    (void)ground_.wait_until([&] { return ground_.descriptors() <= before; },
                             scaled(stop_limit) / 2);
    const auto after = ground_.descriptors();
    answer.record("descriptors before", before);
    answer.record("descriptors after", after);
    if (after > before + std::max<std::size_t>(3, lost / 10)) {
        return answer.fail("leak", expected, "many more descriptors");
    }
    answer.pass();
}

void Passing::judge_missing(Answer& answer) {
    answer.did("the server is started on a kernel without accept4");
    if (serve_one(answer, "clients are served by accept")) answer.pass();
}

void Passing::judge_found_once(Answer& answer) {
    // More clients than any has threads.
    for (int i = 0; i < most_openers; ++i) {
        if (!serve_one(answer, "clients are served by accept")) return;
    }
    fired_ = ground_.faults().fired();
    // Two threads may ask before either has heard.
    std::size_t threads = 0;
    for (const auto& each : ground_.holders()) threads += each.threads;
    answer.record("threads", threads);
    answer.record("calls of accept4", fired_);
    if (fired_ <= threads) return answer.pass();
    answer.fail("again", "each thread asks for accept4 once", "it is asked for again and again");
}

void Passing::judge(Answer& answer) {
    const std::string id = answer.row()["case"];
    const auto name = id.substr(id.find('.') + 1);
    if (name == "falls_back") return judge_missing(answer);
    if (name == "found_once") return judge_found_once(answer);
    judge_loss(answer);
}

std::vector<Answer> Passing::run() {
    std::unique_ptr<Client> victim;
    if (trial_.kind != Kind::missing) {
        (void)ground_.settle(0);
        victim = strike();
    }
    const bool is_met =
        trial_.kind == Kind::missing ? ground_.faults().fired() != 0 : victim != nullptr;
    std::vector<Answer> all;
    for (const Question* question : questions_of(trial_)) {
        Answer answer(trial_, *question);
        if (!is_met && trial_.kind == Kind::missing) {
            answer.unsupported("it does not call accept4");
        } else if (!is_met) {
            if (trial_.variant == "addrlen_0" && ground_.faults().accepts() != 0) {
                answer.unsupported("it does not ask accept for the client's address");
            } else {
                answer.unreached("the server was never seen to call accept");
            }
        } else if (all.empty() && trial_.kind == Kind::lost) {
            judge_next(answer);
            victim.reset();
        } else if (all.empty() && trial_.kind != Kind::missing) {
            judge_again(answer, victim.get());
        } else {
            judge(answer);
        }
        answer.fired(trial_.rules.front(), std::max<std::uint64_t>(fired_, is_met ? 1 : 0));
        answer.said(ground_.server().said(4000));
        answer.trace(ground_.faults().trace());
        all.push_back(std::move(answer));
    }
    return all;
}

}  // namespace

std::vector<Answer> try_passing(const Setup& setup, const Trial& trial) {
    return Passing(setup, trial).run();
}

}  // namespace hark::probe
