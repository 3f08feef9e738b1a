#include "harness/probe/server.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>

#include "harness/must.h"

namespace hark::probe {

namespace {

// How often a thing is looked at that nothing tells of: the table of sockets, the family.
constexpr Milliseconds look_again{2};

std::vector<char*> pointers_to(std::vector<std::string>& words) {
    std::vector<char*> all;
    for (auto& each : words) all.push_back(each.data());
    all.push_back(nullptr);
    return all;
}

// What `environ` has, but for names that are given anew.
std::vector<std::string> whole_environment(const std::vector<std::string>& more) {
    std::vector<std::string> all = more;
    for (char** each = environ; *each != nullptr; ++each) {
        const std::string one(*each);
        const std::string name = one.substr(0, one.find('=') + 1);
        const bool is_given = std::any_of(more.begin(), more.end(), [&](const std::string& given) {
            return given.starts_with(name);
        });
        if (!is_given) all.push_back(one);
    }
    return all;
}

// In the child: becomes the program, or tells the errno and ends.
[[noreturn]] void become(const Launch& launch, std::vector<std::string> words,
                         std::vector<std::string> environment, int tell) {
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)::setsid();
    for (const int number : {SIGINT, SIGTERM, SIGPIPE, SIGXFSZ}) (void)::signal(number, SIG_DFL);
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int said = ::open(launch.said.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    (void)::dup2(null, STDIN_FILENO);
    (void)::dup2(said, STDOUT_FILENO);
    (void)::dup2(said, STDERR_FILENO);
    if (launch.folder.empty() || ::chdir(launch.folder.c_str()) == 0) {
        (void)::execve(launch.program.c_str(), pointers_to(words).data(),
                       pointers_to(environment).data());
    }
    const int error = errno;
    (void)!::write(tell, &error, sizeof error);
    ::_exit(127);
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
    std::array<int, 2> ends{};
    must(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
    const Fd from_child(ends[0]);
    Fd to_parent(ends[1]);
    first_ = must(::fork(), "fork for the server");
    if (first_ == 0) {
        become(launch_, launch_.command, whole_environment(launch_.environment), to_parent.get());
    }
    to_parent.reset();
    handle_.reset(static_cast<int>(must(::syscall(SYS_pidfd_open, first_, 0), "pidfd_open")));
    int error = 0;
    if (::read(from_child.get(), &error, sizeof error) == sizeof error) {
        reap();
        throw NotServing(launch_.command.front() + " cannot be started: " + Errno(error).text());
    }
}

Server::~Server() {
    try {
        (void)stop(Milliseconds(0));
    } catch (const std::exception&) {
        // Whoever ends because of another trouble tells that one; the namespace ends with him.
    }
}

void Server::reap() {
    for (;;) {
        int status = 0;
        rusage used{};
        const pid_t ended = ::wait4(-1, &status, WNOHANG, &used);
        if (ended <= 0) return;
        const auto a_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
        for (const timeval& each : {used.ru_utime, used.ru_stime}) {
            ticks_of_ended_ += static_cast<std::uint64_t>(each.tv_sec) * a_second +
                               static_cast<std::uint64_t>(each.tv_usec) * a_second / 1'000'000;
        }
        if (ended == first_) {
            status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
        }
    }
}

std::optional<int> Server::ended() {
    reap();
    return status_;
}

std::vector<Process> Server::family() const { return descendants_of(::getpid()); }

std::uint64_t Server::ticks() {
    reap();
    std::uint64_t sum = ticks_of_ended_;
    for (const auto& each : all_descendants_of(::getpid())) sum += each.ticks;
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

std::string Server::how_it_ended() const {
    const std::string said = this->said(600);
    return (status_ ? ending_text(*status_) : "ended") +
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
        // Of a server that is its own child the first process is long gone.
        wait_for(status_ ? std::initializer_list<int>{} : std::initializer_list<int>{handle()},
                 look_again);
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
        reap();
        if (all_descendants_of(::getpid()).empty()) return true;
        if (Clock::now() >= deadline) return false;
        wait_for(status_ ? std::initializer_list<int>{} : std::initializer_list<int>{handle()},
                 look_again);
    }
}

std::vector<std::string> Server::stop(Milliseconds patience) {
    // A master sees to its workers; who has none left is asked itself.
    const bool has_first = !ended();
    for (const auto& each : family()) {
        if (!has_first || each.id == first_) (void)::kill(each.id, SIGTERM);
    }
    if (patience > Milliseconds(0) && wait_for_none(patience)) return {};
    std::vector<std::string> stubborn;
    // More may be started while the first are killed.
    for (int round = 0; round < 100; ++round) {
        for (const auto& each : family()) {
            if (round == 0) stubborn.push_back(each.name);
            (void)::kill(each.id, SIGKILL);
        }
        if (wait_for_none(Milliseconds(50))) return stubborn;
    }
    throw Broken("processes of the server are still there after SIGKILL");
}

}  // namespace hark::probe
