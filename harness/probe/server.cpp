#include "harness/probe/server.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "harness/must.h"

namespace hark::probe {

namespace {

// How often a thing is looked at that nothing tells of: the table of sockets, the family.
constexpr Milliseconds look_again{2};

void redirect(int from, int to) { must(::dup2(from, to), "dup2 for the server"); }

// In the child, before it becomes the server.
void prepare_child(const Launch& launch) {
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)::setsid();
    for (const int number : {SIGINT, SIGTERM, SIGPIPE, SIGXFSZ}) (void)::signal(number, SIG_DFL);
    const Fd null(must(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open /dev/null"));
    const Fd said(must(::open(launch.said.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC),
                       "open " + launch.said.string()));
    redirect(null.get(), STDIN_FILENO);
    redirect(said.get(), STDOUT_FILENO);
    redirect(said.get(), STDERR_FILENO);
    if (launch.folder.empty()) return;
    must(::chdir(launch.folder.c_str()), "chdir " + launch.folder.string());
}

InjectRequest request_of(const Launch& launch) {
    using shim::Call;
    InjectRequest request{.command = launch.command, .plan = parse_plan(launch.rules)};
    request.command.front() = launch.program;
    request.begins_on = launch.first_is_on;
    request.is_guarded = false;  // it dies with this process
    request.in_child = [&launch] { prepare_child(launch); };
    request.watched = {Call::epoll_pwait, Call::epoll_pwait2, Call::epoll_wait, Call::poll,
                       Call::ppoll,       Call::pselect,      Call::select};
    return request;
}

}  // namespace

void wait_for(std::initializer_list<int> descriptors, Milliseconds time) {
    std::vector<pollfd> all;
    for (const int each : descriptors) all.push_back({each, POLLIN, 0});
    const auto limit = static_cast<int>(std::max<Milliseconds::rep>(time.count(), 0));
    (void)::poll(all.data(), all.size(), limit);
}

std::string ending_text(int status) {
    if (status >= 0) return "exited with " + std::to_string(status);
    const char* name = ::sigabbrev_np(-status);
    return std::string("was killed by SIG") + (name == nullptr ? "?" : name);
}

Server::Server(Launch launch) : launch_(std::move(launch)) {
    try {
        injection_ = std::make_unique<Injection>(request_of(launch_));
    } catch (const BadCommand& bad) {
        throw NotServing(bad.what());
    }
    handle_.reset(static_cast<int>(
        must(::syscall(SYS_pidfd_open, injection_->process(), 0), "pidfd_open for the server")));
}

Server::~Server() {
    try {
        (void)stop(Milliseconds(0));
    } catch (const std::exception&) {
        // Whoever ends because of another trouble tells that one; the namespace ends with him.
    }
}

std::optional<int> Server::ended() {
    injection_->turn(Milliseconds(0));
    const auto status = injection_->status();
    if (!status) return std::nullopt;
    return WIFEXITED(*status) ? WEXITSTATUS(*status) : -WTERMSIG(*status);
}

// Who sees to the injection descends from the probe as well, and is nobody's server.
std::set<pid_t> Server::members() const {
    std::set<pid_t> all;
    for (const auto& each : injection_->family()) all.insert(each.process);
    return all;
}

std::vector<Process> Server::family() const {
    auto all = descendants_of(::getpid());
    std::erase_if(all,
                  [known = members()](const Process& each) { return !known.contains(each.id); });
    return all;
}

std::uint64_t Server::ticks() {
    std::uint64_t sum = 0;
    const auto known = members();
    for (const auto& each : all_descendants_of(::getpid())) {
        if (each.has_ended() || known.contains(each.id)) sum += each.ticks;
    }
    return sum;
}

std::vector<Listening> Server::listening() const { return all_listening(); }

std::vector<Process> Server::holders_of(const Listening& socket) const {
    auto all = family();
    std::erase_if(all, [&](const Process& each) {
        return !descriptor_of_socket(each.id, socket.inode).has_value();
    });
    return all;
}

void Server::pause() const {
    // Of a server that is its own child the first process is long gone.
    if (injection_->status()) return wait_for({}, look_again);
    wait_for({handle()}, look_again);
}

std::string Server::how_it_ended() {
    const std::string said = this->said(600);
    const auto status = ended();
    return (status ? ending_text(*status) : "ended") +
           (said.empty() ? "; it wrote nothing" : "; the last it wrote:\n" + said);
}

void Server::wait_until_it_listens(std::optional<std::uint16_t> port, Milliseconds patience) {
    const auto deadline = Clock::now() + patience;
    const std::string name = launch_.command.front();
    for (;;) {
        const auto all = listening();
        const auto wanted = [&](const Listening& each) { return !port || each.port == *port; };
        if (std::any_of(all.begin(), all.end(), wanted)) return;
        if (ended() && family().empty()) {
            throw NotServing(name + " ended before it listened: it " + how_it_ended());
        }
        if (Clock::now() >= deadline) {
            const std::string where = port ? " on port " + std::to_string(*port) : "";
            std::string others;
            for (const auto& each : all) others += (others.empty() ? "" : ", ") + each.text();
            throw NotServing(name + " did not listen" + where + " within " +
                             std::to_string(patience.count()) + " ms" +
                             (others.empty() ? "" : "; it listens on " + others) +
                             (said(600).empty() ? "" : "; the last it wrote:\n" + said(600)));
        }
        pause();
    }
}

std::uint64_t Server::log_lines() const {
    std::uint64_t sum = lines_in(launch_.said);
    for (const auto& each : launch_.logs) sum += lines_in(launch_.folder / each);
    return sum;
}

std::string Server::said(std::size_t room) const {
    std::string text;
    for (const auto& each : launch_.logs) text += end_of(launch_.folder / each, room);
    text += end_of(launch_.said, room);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

bool Server::wait_for_none(Milliseconds patience) {
    const auto deadline = Clock::now() + patience;
    for (;;) {
        (void)ended();
        if (injection_->is_over()) return true;
        if (Clock::now() >= deadline) return false;
        pause();
    }
}

std::vector<std::string> Server::stop(Milliseconds patience) {
    if (!injection_) return {};
    // A master sees to its workers.  Who has none left is asked itself, and so is everyone after a
    // while, as systemd would.
    if (!ended()) (void)::kill(injection_->process(), SIGTERM);
    bool has_ended = wait_for_none(patience / 2);
    if (!has_ended) {
        for (const auto& each : family()) (void)::kill(each.id, SIGTERM);
        has_ended = wait_for_none(patience / 2);
    }
    std::vector<std::string> stubborn;
    if (!has_ended) {
        for (const auto& each : family()) stubborn.push_back(each.name);
    }
    injection_->stop([] { return true; });
    injection_.reset();
    return stubborn;
}

}  // namespace hark::probe
