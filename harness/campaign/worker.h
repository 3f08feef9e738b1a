// The driver's side of one zygote: starts it, gives it jobs, takes its rows, starts it anew if the
// subject brought it down.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/cell/isolation.h"
#include "harness/cell/ledger_file.h"
#include "harness/cell/protocol.h"
#include "harness/fd.h"

namespace hark {

// Which adapter, bound to which library.
struct SubjectChoice {
    std::string label;    // as the user named it; the first part of every run's id
    std::string adapter;  // the adapter's object
    std::string name;     // the adapter's name
    std::string library;  // a path, or empty for the system's
    // The expected.toml of what it drives; empty if there is none.
    std::string expectations;
    // What the user judges by instead; empty if that is all.
    std::string baseline = {};
    bool is_strict = true;  // an entry of theirs that names what does not exist is refused
    // Loading a library and making its first listener takes milliseconds, also where much else
    // runs.
    std::chrono::milliseconds loading_limit{20'000};
};

// Ctrl-C came while a subject was being loaded.
struct Interrupted : std::runtime_error {
    using runtime_error::runtime_error;
};

class Worker {
  public:
    // Starts the zygote, and does not wait for it: several load the subject side by side.
    explicit Worker(SubjectChoice choice);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // Returns once the zygote has said hello; before anything else is asked of it.  Throws
    // BadLibrary, BadAdapter, Broken or Interrupted with its reason if it could not.
    void be_ready();

    [[nodiscard]] const Hello& hello() const { return hello_; }
    [[nodiscard]] const Isolation& isolation() const { return isolation_; }
    [[nodiscard]] int fd() const { return control_.get(); }  // readable: call take()
    [[nodiscard]] std::size_t in_flight() const { return in_flight_.size(); }

    void give(const Job& job);
    // The rows that have come.  If the zygote died, the run that was in flight gets a row that says
    // so, and those behind it are given to a new zygote.
    [[nodiscard]] std::vector<nlohmann::json> take();

  private:
    void start();
    void wait_for_hello();
    void stop();
    // How the zygote ended, with the beginning of what it printed.
    [[nodiscard]] std::string last_words();
    nlohmann::json row_of_the_fallen(std::uint32_t number, const std::vector<std::string>& plan);

    SubjectChoice choice_;
    Hello hello_;
    Isolation isolation_;
    std::unique_ptr<LedgerFile> ledger_;
    Fd said_;  // what the zygote prints
    Fd control_;
    std::unique_ptr<LineReader> lines_;
    pid_t zygote_ = -1;
    struct Errand {
        Job job;
        std::size_t answered = 0;  // of its runs
    };
    std::deque<Errand> in_flight_;
};

}  // namespace hark
