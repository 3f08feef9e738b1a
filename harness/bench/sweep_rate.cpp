// What a run of a sweep costs, beside the same libevent calls in other hands: in a bare loop of one
// process, with a fork or an exec a run, under strace's injection and under libfiu.  All in one go,
// in turns, since a machine's pace changes from one minute to the next.
//
// The run is NEW_1.delivers@ipv4 with a fault that is harmless, an interrupted epoll_wait, so that
// nothing of it is left out; run_cost makes the same calls without Hark.  Called as
// "sweep_rate zygote ..." by itself, as hark is by hark.
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/campaign/pool.h"
#include "harness/campaign/selection.h"
#include "harness/cell/batch.h"
#include "harness/cell/zygote.h"
#include "harness/must.h"
#include "harness/places.h"
#include "harness/results/results_file.h"

namespace {

using Clock = std::chrono::steady_clock;
using Words = std::vector<std::string>;
using nlohmann::json;

constexpr char run_id[] = "NEW_1.delivers@ipv4";
constexpr char fault[] = "epoll_wait:error=EINTR:when=1";

struct Measured {
    double a_second = 0;      // runs
    double microseconds = 0;  // of processor time a run, of all processes together
};

double used(int whom) {
    rusage usage{};
    hark::must(::getrusage(whom, &usage), "getrusage");
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Measured measure(long runs, const std::function<void()>& work) {
    const double before = used(RUSAGE_SELF) + used(RUSAGE_CHILDREN);
    const auto began = Clock::now();
    work();
    const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
    const double after = used(RUSAGE_SELF) + used(RUSAGE_CHILDREN);
    const auto count = static_cast<double>(runs);
    return {count / seconds, 1e6 * (after - before) / count};
}

pid_t start(const Words& words) {
    std::vector<char*> arguments;
    for (const auto& each : words) arguments.push_back(const_cast<char*>(each.c_str()));
    arguments.push_back(nullptr);
    char path[] = "PATH=/usr/bin:/bin";
    char* environment[] = {path, nullptr};
    pid_t process = 0;
    const int refused =
        ::posix_spawnp(&process, arguments[0], nullptr, nullptr, arguments.data(), environment);
    if (refused != 0) throw hark::Broken("starting " + words[0], hark::Errno(refused));
    return process;
}

// So many processes one after another, as many at a time as there are processors.
Measured processes(long count, long runs_each, const Words& words) {
    return measure(count * runs_each, [&] {
        const long at_a_time = std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN));
        long started = 0;
        for (long ended = 0; ended < count; ++ended) {
            for (; started < count && started - ended < at_a_time; ++started) (void)start(words);
            int status = 0;
            hark::must(::waitpid(-1, &status, 0), "waitpid");
            if (status != 0) throw hark::Broken(words[0] + " did not succeed");
        }
    });
}

// Zygotes, cells, oracles and rows in a file, as hark sweep has them.
Measured sweep(long runs, hark::Mode mode, const hark::SubjectChoice& choice, unsigned workers) {
    const hark::Selected selected = hark::select_one(run_id);
    const std::string folder = std::filesystem::temp_directory_path() / "hark-sweep-rate";
    Measured measured;
    {
        auto pool = std::make_unique<hark::Pool>(choice, workers);
        hark::ResultsWriter writer(folder, {{"kind", "header"}});
        long given = 0;
        const auto next = [&]() -> std::optional<hark::Job> {
            if (given >= runs) return std::nullopt;
            const auto size = std::min<long>(runs - given, hark::batch_room);
            hark::Job job{.number = static_cast<std::uint32_t>(given + 1),
                          .case_number = selected.case_number,
                          .variant_number = selected.variant_number,
                          .plans = {static_cast<std::size_t>(size), {fault}},
                          .mode = mode};
            given += size;
            return job;
        };
        const auto keep = [&](const hark::Job&, json& row) {
            if (row["verdict"] != "pass") throw hark::Broken("a run did not pass: " + row.dump());
            row.update({{"kind", "fault"},
                        {"id", std::string("libevent/") + run_id + "!" + fault},
                        {"subject", "libevent"},
                        {"clause", "NEW_1"},
                        {"case", run_id},
                        {"plan", json::array({fault})},
                        {"call", "epoll_wait"},
                        {"errno", "EINTR"},
                        {"nth", 1},
                        {"lasting", false},
                        {"as_expected", true}});
            writer.add(row);
            return true;
        };
        measured = measure(runs, [&] {
            (void)pool->run(next, keep, [] { return false; });
            pool.reset();  // what the zygotes used is known once they have ended
        });
    }
    std::filesystem::remove_all(folder);
    return measured;
}

struct Way {
    const char* name;
    std::function<Measured()> measure;
};

std::vector<Way> ways(const hark::SubjectChoice& choice) {
    const Words inject{
        "strace", "-o", "/dev/null", "-e", "trace=epoll_wait", "-e", std::string("inject=") + fault,
        RUN_COST, "1"};
    // libfiu knows neither epoll_wait nor accept4: what is enabled never fires, and the run is
    // whole.
    const Words fiu{"fiu-run", "-x", "-c", "enable name=posix/io/net/accept", RUN_COST, "1"};
    const unsigned workers = hark::Pool::usual_size();
    return {
        {"bare loop, one process",
         [] {
             return processes(1, 4000, {RUN_COST, "4000"});
         }},
        {"bare loop, a process a processor",
         [] {
             return processes(::sysconf(_SC_NPROCESSORS_ONLN), 4000, {RUN_COST, "4000"});
         }},
        {"hark sweep", [=] { return sweep(20'000, hark::Mode::sweep, choice, workers); }},
        {"hark sweep, one job", [=] { return sweep(10'000, hark::Mode::sweep, choice, 1); }},
        {"hark sweep --alone", [=] { return sweep(1'500, hark::Mode::apart, choice, workers); }},
        {"a fork a run",
         [] {
             return processes(::sysconf(_SC_NPROCESSORS_ONLN), 1000, {RUN_COST, "1000", "fork"});
         }},
        {"an exec a run",
         [] {
             return processes(600, 1, {RUN_COST, "1"});
         }},
        {"strace's injection, an exec a run", [=] { return processes(60, 1, inject); }},
        {"libfiu, an exec a run", [=] { return processes(100, 1, fiu); }},
    };
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

void compare(int rounds) {
    const auto adapter = hark::places::adapter("libevent");
    if (!adapter) throw hark::Broken("there is no adapter for libevent");
    const hark::SubjectChoice choice{"libevent", adapter->string(), "libevent", "", ""};
    const auto all = ways(choice);
    std::vector<std::vector<double>> rates(all.size());
    std::vector<std::vector<double>> costs(all.size());
    std::vector<std::vector<double>> ratios(all.size());
    for (int round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < all.size(); ++i) {
            const Measured measured = all[i].measure();
            rates[i].push_back(measured.a_second);
            costs[i].push_back(measured.microseconds);
        }
        // Of the rates of this round, which had the same neighbours.
        for (std::size_t i = 0; i < all.size(); ++i)
            ratios[i].push_back(rates[2].back() / rates[i].back());
    }
    std::printf(
        "| way                               | runs a second | CPU us a run | sweep / way |\n");
    std::printf(
        "|-----------------------------------|--------------:|-------------:|------------:|\n");
    for (std::size_t i = 0; i < all.size(); ++i) {
        std::printf("| %-33s | %13.0f | %12.1f | %11.2f |\n", all[i].name, median(rates[i]),
                    median(costs[i]), median(ratios[i]));
    }
}

}  // namespace

int main(int count, char** words) try {
    const Words given(words, words + count);
    if (count == 6 && given[1] == "zygote") {
        return hark::serve({given[2], given[3] == "-" ? "" : given[3], given[4] == "network",
                            given[5] == "processes"});
    }
    compare(count > 1 ? std::max(1, std::atoi(words[1])) : 5);
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "sweep_rate: %s\n", error.what());
    return 2;
}
