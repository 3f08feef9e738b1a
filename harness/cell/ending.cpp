#include "harness/cell/ending.h"

#include <signal.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstring>

#include "harness/cell/interleaving.h"
#include "harness/cell/ledger_file.h"
#include "harness/trace/symbol.h"
#include "harness/verdict.h"

namespace hark {

namespace {

using nlohmann::json;

// More than any log line, or any number of them that somebody would read.
constexpr std::uint64_t flood_bytes = std::uint64_t{1} << 20;

struct End {
    std::string how;
    std::string seen;
};

std::string hexadecimal(std::uint64_t number) {
    char text[24];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(number));
    return text;
}

std::string signal_name(int signal) {
    const char* name = sigabbrev_np(signal);
    return name == nullptr ? "signal " + std::to_string(signal) : std::string("SIG") + name;
}

// The call that a process was in when it ended, if it was in one.
std::string unfinished_call(const shim::Ledger& ledger) {
    const std::uint32_t made = ledger.record_count.load();
    const std::uint32_t kept = made < shim::record_room ? made : std::uint32_t{shim::record_room};
    for (std::uint32_t back = 0; back < kept; ++back) {
        const shim::Record& record = ledger.records[(made - back - 1) % shim::record_room];
        if ((record.marks & shim::mark_note) != 0) continue;
        if ((record.marks & shim::mark_unfinished) == 0) continue;
        return ", within call " + std::to_string(record.number.load()) + " of the trace";
    }
    return "";
}

End crash_end(int signal, const CrashSite& crash, const shim::Ledger& ledger) {
    if (signal == SIGXCPU) return {"hang", "it used up its CPU time" + unfinished_call(ledger)};
    std::string seen = "the process died of " + signal_name(signal);
    // No handler is asked where the kernel forbids a call (harness/cell/own_signals.h).
    if (signal == SIGSYS && crash.signal.load() != SIGSYS) {
        return {"crash", seen + ": it sent a signal to a process that is not its own"};
    }
    if (crash.signal.load() == signal) {
        seen += " at " + trace::symbol_of(crash.pc);
        if (signal == SIGSEGV || signal == SIGBUS)
            seen += ", address " + hexadecimal(crash.address);
    }
    return {ledger.memory_refused.load() != 0 ? "memory" : "crash", seen + unfinished_call(ledger)};
}

// How the process ended, if not in order.
End abnormal_end(const Ending& ending, bool has_outcome, const CrashSite& crash,
                 const shim::Ledger& ledger) {
    if (ending.scribbled) return {"wrong", "it wrote over the memory that it shares with Hark"};
    if (ledger.end.load() == shim::End::would_block) {
        return {
            "hang",
            "accept on a blocking descriptor with nothing in its queue: it would wait for ever"};
    }
    if (ledger.end.load() == shim::End::busy) {
        return {"hang", "it makes call after call and comes to no end: it tries again and again"};
    }
    if (ledger.end.load() == shim::End::deadlock) return {"deadlock", deadlock_in(ledger)};
    if (ending.deadlocked) {
        return {"hang", "deadlock: every thread waits for another" + unfinished_call(ledger)};
    }
    if (ending.timed_out) return {"hang", "it did not end in time" + unfinished_call(ledger)};
    if (WIFSIGNALED(ending.status)) return crash_end(WTERMSIG(ending.status), crash, ledger);
    if (!has_outcome || WEXITSTATUS(ending.status) != 0) {
        if (ledger.memory_refused.load() != 0) {
            return {"memory", "it ran out of memory and ended with status " +
                                  std::to_string(WEXITSTATUS(ending.status))};
        }
        return {"exit", "the process ended itself with status " +
                            std::to_string(WEXITSTATUS(ending.status)) +
                            " in the middle of the run"};
    }
    return {};
}

// What a subject did around a run that it passed.
void judge_manners(const Ending& ending, json& row) {
    const auto fail = [&row](const char* how, const char* expected, const std::string& seen) {
        row["verdict"] = to_word(Verdict::fail);
        row["how"] = how;
        row["expected"] = expected;
        row["seen"] = row["message"] = seen;
    };
    if (ending.orphans) {
        fail("leak", "nothing left behind", "it left processes running");
    } else if (ending.printed > flood_bytes) {
        fail("flood", "a library that leaves the output to its program",
             "it printed more than " + std::to_string(flood_bytes >> 20) + " MiB");
    }
}

}  // namespace

json conclude(const Ending& ending, const std::string& outcome, const CrashSite& crash,
              const shim::Ledger& ledger, bool judged) {
    json row = json::parse(outcome, nullptr, false);
    const bool has_outcome = row.is_object();
    if (!has_outcome) {
        row = {{"verdict", to_word(Verdict::fail)},
               {"how", ""},
               {"expected", ""},
               {"seen", ""},
               {"message", ""},
               {"at", ""},
               {"checks", 0},
               {"did", json::array()},
               {"recorded", json::object()},
               {"findings", json::array()},
               {"plan", json::array()}};
    }
    const End end = abnormal_end(ending, has_outcome, crash, ledger);
    if (!end.how.empty()) {
        row["verdict"] = to_word(judged ? Verdict::fail : Verdict::recorded);
        row["how"] = end.how;
        if (!judged) row["recorded"]["the run ended by"] = end.seen;
        row["expected"] = "the run comes to its end";
        row["seen"] = end.seen;
        row["message"] = end.seen;
    } else if (row["verdict"] == to_word(Verdict::pass)) {
        judge_manners(ending, row);
    }
    // A process that died told nothing of what it did; the notes are in the ledger as well.
    if (!has_outcome) {
        const std::uint32_t made = ledger.record_count.load();
        const std::uint32_t kept =
            made < shim::record_room ? made : std::uint32_t{shim::record_room};
        for (std::uint32_t i = 0; i < kept; ++i) {
            const std::uint32_t number = made - kept + 1 + i;
            const shim::Record& record = ledger.records[(number - 1) % shim::record_room];
            if (record.number.load() != number || (record.marks & shim::mark_note) == 0) continue;
            row["did"].push_back(
                std::string(record.text, strnlen(record.text, sizeof record.text)));
        }
    }
    return row;
}

}  // namespace hark
