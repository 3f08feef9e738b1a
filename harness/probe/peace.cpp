#include "harness/probe/peace.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "harness/must.h"

namespace hark::probe {

namespace {

// Long enough that a tick of the processor's time is a small part of it.
constexpr Milliseconds busy_time{400};
constexpr Milliseconds idle_time{300};

// Of what serving clients without a pause costs, how much a server that serves nobody may spend.
constexpr double fair_share = 0.25;
// And how much is enough to be a spin, if it calls accept or wakes up more often than then as well:
// on a busy machine a spin may get no more.
constexpr double small_share = 0.1;

// Lines of log for each client that came and could not be served, beside what it writes of a client
// that is.
constexpr double fair_lines = 3;

// A copy of another process's descriptor; pidfd_getfd(2).  Closed soon: a socket lives as long as
// anybody has it.
Fd copy_of(pid_t process, int descriptor) {
    const Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
    if (!handle.is_open()) return Fd();
    return Fd(static_cast<int>(::syscall(SYS_pidfd_getfd, handle.get(), descriptor, 0)));
}

struct SocketOption {
    const char* name;
    int level;
    int number;
};
constexpr SocketOption options[] = {
    {"SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE},
    {"SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR},
    {"SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT},
    {"TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT},
    {"TCP_FASTOPEN", IPPROTO_TCP, TCP_FASTOPEN},
    {"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY},
};

std::string options_of(const Fd& socket) {
    std::string text;
    for (const auto& each : options) {
        int value = 0;
        socklen_t size = sizeof value;
        const bool is_set =
            ::getsockopt(socket.get(), each.level, each.number, &value, &size) == 0 && value != 0;
        if (is_set) text += (text.empty() ? "" : " ") + std::string(each.name);
    }
    return text.empty() ? "none" : text;
}

std::string flags_text(int flags) {
    const bool close_on_exec = (flags & O_CLOEXEC) != 0;
    const bool non_blocking = (flags & O_NONBLOCK) != 0;
    return std::string(close_on_exec ? "close-on-exec" : "not close-on-exec") + ", " +
           (non_blocking ? "non-blocking" : "blocking");
}

// The limit of the queue of connections: of a socket that listens tcp(7)'s info tells it in the
// field that otherwise counts acknowledgements.
std::optional<unsigned> backlog_of(const Fd& socket) {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(socket.get(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
    return info.tcpi_sacked;
}

void tell_listening(Ground& ground, Answer& answer) {
    (void)ground.settle(0);
    for (const auto& each : ground.all()) {
        const auto holders = ground.holders_at_rest(each);
        if (holders.empty()) continue;
        const pid_t process = holders.front().id;
        const auto number = descriptor_of_socket(process, each.inode);
        if (!number) continue;
        const std::string name = "listening on " + each.text();
        answer.record(name, flags_text(flags_of(process, *number).value_or(0)));
        const Fd copy = copy_of(process, *number);
        if (!copy.is_open()) continue;
        answer.record(name + ", options", options_of(copy));
        if (const auto backlog = backlog_of(copy)) answer.record(name + ", backlog", *backlog);
        answer.record(name + ", held by",
                      std::to_string(holders.size()) + " x " + holders.front().name);
    }
}

// The server's end of a client's connection is a socket that it had not before.
void tell_accepted(Ground& ground, Answer& answer) {
    (void)ground.settle(0);
    std::map<pid_t, std::map<int, std::string>> before;
    for (const auto& each : ground.server().family()) before[each.id] = descriptors_of(each.id);
    Client client = ground.connect();
    (void)ground.wait_until_served(client, ground.setup().scaled(recovery_limit));
    for (const auto& each : ground.server().family()) {
        for (const auto& [number, target] : descriptors_of(each.id)) {
            const bool is_new = !before[each.id].contains(number);
            if (!is_new || !target.starts_with("socket:")) continue;
            answer.record("accepted", flags_text(flags_of(each.id, number).value_or(0)));
            const Fd copy = copy_of(each.id, number);
            if (copy.is_open()) answer.record("accepted, options", options_of(copy));
            return;
        }
    }
    answer.record("accepted", "closed again before it could be looked at");
}

}  // namespace

Peace measure_peace(Ground& ground) {
    Peace peace;
    (void)ground.settle(0);
    const Counters start = ground.count();
    (void)ground.wait_until([] { return false; }, idle_time, {ground.server().handle()});
    const Counters rested = ground.count();
    std::uint64_t served = 0;
    while (Clock::now() - rested.at < busy_time) {
        Client client = ground.connect();
        if (!ground.wait_until_served(client, ground.setup().scaled(recovery_limit))) break;
        ++served;
    }
    const Counters worked = ground.count();
    peace.idle = rates_between(start, rested);
    peace.busy = rates_between(rested, worked);
    peace.clients = static_cast<double>(served) / peace.busy.seconds;
    peace.is_seen = ground.faults().accepts() != 0 || ground.faults().is_by_seccomp();
    if (!peace.is_seen) {
        peace.why_not = ground.faults().is_seen()
                            ? "no call of accept was seen: the server makes it in another way"
                            : "the shim is not in the server: a static program, or one that "
                              "cleans its environment";
    }
    return peace;
}

std::vector<Answer> tell_sockets(Ground& ground, const Trial& trial, const Peace& peace) {
    std::vector<Answer> all;
    for (const Question* question : questions_of(trial)) {
        Answer answer(trial, *question);
        tell_listening(ground, answer);
        tell_accepted(ground, answer);
        answer.record("clients served one after another, a second", rounded(peace.clients));
        answer.record("processor then", rounded(peace.busy.processor));
        answer.record("processor at rest", rounded(peace.idle.processor));
        answer.record("log lines a client",
                      rounded(peace.clients == 0 ? 0 : peace.busy.lines / peace.clients));
        answer.record("made to fail by", ground.faults().is_by_seccomp() ? "seccomp" : "the shim");
        if (!peace.is_seen) answer.record("shim", peace.why_not);
        answer.recorded();
        all.push_back(std::move(answer));
    }
    return all;
}

std::optional<Way> excess(const Rates& rates, double came, const Peace& peace) {
    const double room = std::max(peace.busy.processor - peace.idle.processor, small_share);
    const double spent = rates.processor - peace.idle.processor;
    const bool is_restless = rates.accepts > std::max(peace.busy.accepts, peace.clients) ||
                             rates.waits > std::max(peace.busy.waits, peace.clients);
    if (spent > fair_share * room || (is_restless && spent > small_share * room)) {
        // Of a call that fails some make a great deal else.
        const bool calls_at_all = rates.accepts > small_share * fair_share * peace.clients;
        return Way{"spin", calls_at_all
                               ? "it spins: accept is tried again and again without a pause"
                               : "it spins: the processor is busy, and accept is not even called"};
    }
    const double lines_a_client =
        peace.clients == 0 ? 0 : (peace.busy.lines - peace.idle.lines) / peace.clients;
    if (rates.lines > peace.idle.lines + fair_lines * came * std::max(lines_a_client, 1.0)) {
        return Way{"flood", "it floods its log: many lines for each client that came"};
    }
    return std::nullopt;
}

void record_rates(Answer& answer, const Rates& rates) {
    answer.record("accepts a second", rounded(rates.accepts));
    answer.record("waits a second", rounded(rates.waits));
    answer.record("processor", rounded(rates.processor));
    answer.record("log lines a second", rounded(rates.lines));
}

}  // namespace hark::probe
