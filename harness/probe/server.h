// A server that the probe started: its processes, its sockets, its log, its end.
//
// The probe is the first process of a process namespace, so whatever the server starts descends
// from it, whoever is its parent by then, and nothing outlives it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/fd.h"
#include "harness/inject/injection.h"
#include "harness/probe/listening.h"
#include "harness/probe/process.h"

namespace hark::probe {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

// It can't be probed, and why: for whoever wrote the command.
struct NotServing : std::runtime_error {
    using runtime_error::runtime_error;
};

struct Launch {
    std::vector<std::string> command;
    std::filesystem::path program;        // what the first word means
    std::filesystem::path folder;         // where it is started; empty: where the probe is
    std::filesystem::path said;           // the file for its standard output and error
    std::vector<std::string> logs;        // further files that it writes a log to
    std::vector<std::string> rules = {};  // faults that wait to be switched on
    bool first_is_on = false;             // but for the first one
};

class Server {
  public:
    explicit Server(Launch launch);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Until it listens on that port, or on any.  Throws NotServing where it ends, or the time does.
    void wait_until_it_listens(std::optional<std::uint16_t> port, Milliseconds patience);

    // Its sockets that listen, the first one first.
    [[nodiscard]] std::vector<Listening> listening() const;
    // The processes that have a socket open.
    [[nodiscard]] std::vector<Process> holders_of(const Listening& socket) const;
    [[nodiscard]] std::vector<Process> family() const;
    // Of its processor time, since it began.
    [[nodiscard]] std::uint64_t ticks();
    // How it ended: exit status, or the signal's number negated; empty while its first process
    // runs.
    [[nodiscard]] std::optional<int> ended();
    // What it is made to suffer.
    [[nodiscard]] Injection& injection() { return *injection_; }
    // Readable once its first process has ended.
    [[nodiscard]] int handle() const { return handle_.get(); }

    [[nodiscard]] std::uint64_t log_lines() const;
    // The last of what it wrote, cut to that size.
    [[nodiscard]] std::string said(std::size_t room) const;

    // Asks all of it to end and waits; whoever stays is killed.  The names of those that had to be.
    std::vector<std::string> stop(Milliseconds patience);

  private:
    [[nodiscard]] std::set<pid_t> members() const;
    [[nodiscard]] std::string how_it_ended();
    [[nodiscard]] bool wait_for_none(Milliseconds patience);
    void pause() const;

    Launch launch_;
    std::unique_ptr<Injection> injection_;
    Fd handle_;
};

// Words for how a process ended.
[[nodiscard]] std::string ending_text(int status);

// Waits for one of the descriptors to become readable, or for the time to pass.
void wait_for(std::initializer_list<int> descriptors, Milliseconds time);

}  // namespace hark::probe
