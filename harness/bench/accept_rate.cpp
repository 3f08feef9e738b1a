// How fast each implementation accepts, through its adapter and without the shim: a burst that
// waits in the queue, and a steady stream.  All in one go, each in a process of its own, in turns
// whose order changes with the round; what is compared is compared within a round.
//
//   accept_rate [ROUNDS [SUBJECT...]]     5, and every subject that was built
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "harness/fd.h"
#include "harness/must.h"
#include "harness/places.h"
#include "harness/stage/peer.h"
#include "harness/subject/loading.h"

namespace {

using Clock = std::chrono::steady_clock;
using Words = std::vector<std::string>;

constexpr char measure[] = "libevent";  // what the others are compared with
constexpr int burst_length = 1000;
constexpr int bursts = 20;
constexpr int stream_length = 3000;
constexpr auto stream_gap = std::chrono::microseconds(100);

double microseconds(Clock::duration span) {
    return std::chrono::duration<double, std::micro>(span).count();
}

double quantile(std::vector<double> figures, double part) {
    std::sort(figures.begin(), figures.end());
    return figures[static_cast<std::size_t>(part * static_cast<double>(figures.size() - 1))];
}

// What one process measures, in microseconds.
struct Measured {
    double burst = 0;         // a connection of a burst, from the first turn to the last callback
    double stream = 0;        // the median from connect's call to the callback
    double stream_worst = 0;  // the 99th percentile
};

// What the callback is given.
struct Heard {
    std::size_t count = 0;
    std::array<Clock::time_point, stream_length> at{};
};

void on_accept(hark::ForeignListener*, int fd, sockaddr*, int, void* argument) {
    auto& heard = *static_cast<Heard*>(argument);
    if (heard.count < heard.at.size()) heard.at[heard.count] = Clock::now();
    ++heard.count;
    (void)::close(fd);
}

class Bench {
  public:
    explicit Bench(hark::Subject& subject) : subject_(subject), loop_(subject.loop_new()) {
        const auto anywhere = hark::Address::loopback(hark::Family::ipv4);
        listener_ = subject.listener_new_bind(loop_, on_accept, &heard_, hark::close_on_free, 4096,
                                              anywhere.get(), static_cast<int>(anywhere.length()));
        if (listener_ == nullptr) throw hark::Broken("no listener", hark::Errno::last());
        address_ = hark::Address::local_of(subject.listener_get_fd(listener_));
    }
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;
    ~Bench() {
        subject_.listener_free(listener_);
        subject_.loop_free(loop_);
    }

    double burst() {
        std::vector<hark::Peer> peers;
        connect(peers, burst_length);
        heard_.count = 0;
        const auto began = Clock::now();
        while (heard_.count < burst_length) (void)subject_.loop_turn(loop_);
        const double each = microseconds(Clock::now() - began) / burst_length;
        for (auto& peer : peers) peer.reset();
        return each;
    }

    void stream(Measured& measured) {
        std::vector<hark::Peer> peers;
        std::array<Clock::time_point, stream_length> called{};
        heard_.count = 0;
        std::thread client([&] {
            peers.reserve(stream_length);
            auto next = Clock::now();
            for (auto& each : called) {
                next += stream_gap;
                while (Clock::now() < next) continue;
                each = Clock::now();
                connect(peers, 1);
            }
        });
        while (heard_.count < stream_length) (void)subject_.loop_wait(loop_);
        client.join();
        std::vector<double> waits;
        for (std::size_t i = 0; i < called.size(); ++i) {
            waits.push_back(microseconds(heard_.at[i] - called[i]));
        }
        for (auto& peer : peers) peer.reset();
        measured.stream = quantile(waits, 0.5);
        measured.stream_worst = quantile(waits, 0.99);
    }

  private:
    void connect(std::vector<hark::Peer>& peers, int many) const {
        for (int i = 0; i < many; ++i) {
            const auto& peer = peers.emplace_back(i, address_);
            if (!peer.is_connected()) throw hark::Broken("no connection", peer.refusal());
        }
    }

    hark::Subject& subject_;
    hark::ForeignLoop* loop_;
    hark::ForeignListener* listener_ = nullptr;
    hark::Address address_;
    Heard heard_;
};

Measured measure_here(const std::string& adapter) {
    rlimit descriptors{};
    hark::must(::getrlimit(RLIMIT_NOFILE, &descriptors), "RLIMIT_NOFILE");
    descriptors.rlim_cur = descriptors.rlim_max;
    hark::must(::setrlimit(RLIMIT_NOFILE, &descriptors), "RLIMIT_NOFILE");
    Bench bench(*hark::load_subject(adapter, "").subject);
    (void)bench.burst();  // what is cold the first time
    std::vector<double> each;
    for (int i = 0; i < bursts; ++i) each.push_back(bench.burst());
    Measured measured;
    measured.burst = quantile(each, 0);  // whatever else the machine does only adds to it
    bench.stream(measured);
    return measured;
}

Measured measure_in_child(const std::string& name) {
    std::array<int, 2> ends{};
    hark::must(::pipe(ends.data()), "pipe");
    hark::Fd reads(ends[0]);
    hark::Fd writes(ends[1]);
    const pid_t child = hark::must(::fork(), "fork");
    if (child == 0) {
        try {
            const auto measured = measure_here(hark::places::adapter(name).value());
            (void)!::write(writes.get(), &measured, sizeof measured);
            ::_exit(0);
        } catch (const std::exception& why) {
            std::fprintf(stderr, "%s: %s\n", name.c_str(), why.what());
            ::_exit(1);
        }
    }
    Measured measured;
    const auto got = ::read(reads.get(), &measured, sizeof measured);
    int status = 0;
    hark::must(::waitpid(child, &status, 0), "waitpid");
    if (status != 0 || got != sizeof measured) throw hark::Broken(name + " was not measured");
    return measured;
}

using Rounds = std::vector<Measured>;

std::vector<double> all(const Rounds& rounds, double Measured::*figure) {
    std::vector<double> figures;
    for (const auto& each : rounds) figures.push_back(each.*figure);
    return figures;
}

// The median of the ratios within each round, and their range.
std::string compared(const Rounds& rounds, const Rounds& with, double Measured::*figure) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < rounds.size(); ++i) {
        ratios.push_back(rounds[i].*figure / with[i].*figure);
    }
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.2f (%.2f to %.2f)", quantile(ratios, 0.5),
                  quantile(ratios, 0), quantile(ratios, 1));
    return text.data();
}

void print(const std::map<std::string, Rounds>& measured) {
    std::printf(
        "| subject | burst: accepts a second | time, libevent = 1 | stream: median us | 99 %% us | "
        "median, libevent = 1 |\n|---|--:|--:|--:|--:|--:|\n");
    const auto& with = measured.at(measure);
    for (const auto& [name, rounds] : measured) {
        std::printf("| %s | %.0f | %s | %.1f | %.1f | %s |\n", name.c_str(),
                    1e6 / quantile(all(rounds, &Measured::burst), 0.5),
                    compared(rounds, with, &Measured::burst).c_str(),
                    quantile(all(rounds, &Measured::stream), 0.5),
                    quantile(all(rounds, &Measured::stream_worst), 0.5),
                    compared(rounds, with, &Measured::stream).c_str());
    }
}

}  // namespace

int main(int count, char** given) {
    try {
        const int rounds = count > 1 ? std::atoi(given[1]) : 5;
        Words subjects(given + std::min(count, 2), given + count);
        if (subjects.empty()) subjects = hark::places::adapters();
        if (std::find(subjects.begin(), subjects.end(), measure) == subjects.end()) {
            subjects.emplace_back(measure);
        }
        std::map<std::string, Rounds> measured;
        for (int round = 0; round < std::max(rounds, 1); ++round) {
            for (const auto& each : subjects) measured[each].push_back(measure_in_child(each));
            std::rotate(subjects.begin(), subjects.begin() + 1, subjects.end());
        }
        print(measured);
    } catch (const std::exception& why) {
        std::fprintf(stderr, "accept_rate: %s\n", why.what());
        return 2;
    }
    return 0;
}
