#include "harness/probe/shortage.h"

#include <algorithm>

#include "harness/probe/lasting.h"

namespace hark::probe {

namespace {

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
    Seen seen = see_lasting(setup, trial, 0);
    // Of a server with a descriptor in reserve the second call succeeds, and that connection is
    // closed.  One without such a thing would serve whoever gets through.
    const bool is_of_descriptors = trial.fault == "EMFILE" || trial.fault == "ENFILE";
    const bool may_shed = is_of_descriptors && seen.struck && seen.deaths.empty() &&
                          excess(seen.rates, seen.came, peace).has_value();
    if (may_shed) {
        Seen again = see_lasting(setup, trial, 1);
        if (again.struck && again.shed) seen = std::move(again);
    }
    return Judge(trial, peace, seen).answers();
}

}  // namespace hark::probe
