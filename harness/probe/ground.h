// What a trial stands on: a server that has just been started, is served by faults, spoken to by
// clients and watched.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/probe/client.h"
#include "harness/probe/faults.h"
#include "harness/probe/server.h"

namespace hark::probe {

// How a server is started, whatever is tried on it.
struct Setup {
    std::vector<std::string> command;
    std::filesystem::path program;
    std::filesystem::path scratch;             // is emptied before each start
    std::map<std::string, std::string> files;  // into scratch/own
    // As recipes want it: started in scratch/own, its words and files filled in.
    bool in_own_folder = false;
    std::filesystem::path programs;
    std::vector<std::string> logs;
    Talk talk;
    std::optional<std::uint16_t> port;
    double timeout_scale = 1;

    [[nodiscard]] Milliseconds scaled(Milliseconds time) const {
        return std::chrono::duration_cast<Milliseconds>(time * timeout_scale);
    }
};

// How often is looked at what no descriptor tells.
inline constexpr Milliseconds look_again{2};

// Every time limit of a trial, before it is scaled.
inline constexpr Milliseconds start_limit{10'000};
inline constexpr Milliseconds stop_limit{2'000};
inline constexpr Milliseconds window{1'000};          // how long a lasting fault is watched
inline constexpr Milliseconds recovery_limit{2'000};  // ROB_4
inline constexpr Milliseconds never{
    3'000};  // beyond that: who has not come back by then never will
inline constexpr Milliseconds death_limit{300};     // between a cause and its death
inline constexpr Milliseconds strike_limit{2'000};  // for a fault to be met

// All that is counted of a server, at one moment.
struct Counters {
    Clock::time_point at;
    std::uint64_t accepts = 0;
    std::uint64_t waits = 0;
    std::uint64_t ticks = 0;
    std::uint64_t lines = 0;
};

// And between two.
struct Rates {
    double seconds = 0;
    double accepts = 0;  // a second, as all of these
    double waits = 0;
    double processor = 0;  // seconds
    double lines = 0;
};
[[nodiscard]] Rates rates_between(const Counters& from, const Counters& to);

enum class Begin { when_told, before_start };

class Ground {
  public:
    // Starts the server, and waits until a first client has been served.  Throws NotServing.
    // The rules wait for faults().begin, unless the first of them is there from the start.
    Ground(const Setup& setup, const std::vector<std::string>& rules,
           Begin begin = Begin::when_told);

    [[nodiscard]] Server& server() { return *server_; }
    [[nodiscard]] Faults& faults() { return *faults_; }
    [[nodiscard]] const Listening& listening() const { return listening_; }
    [[nodiscard]] const std::vector<Listening>& all() const { return all_; }
    [[nodiscard]] const Setup& setup() const { return setup_; }

    [[nodiscard]] Client connect() const { return Client(listening_, setup_.talk); }
    // Whether the client has what a client comes for.
    [[nodiscard]] bool is_served(Client& client) const;
    // Until the client is served or gone, the server is dead, or the time is up.
    bool wait_until_served(Client& client, Milliseconds patience);
    // Until something is so; false where the time is up or the server dead.
    bool wait_until(const std::function<bool()>& is_so, Milliseconds patience,
                    std::initializer_list<int> also = {}, Milliseconds pause = look_again);
    // Connections that nobody has accepted.
    [[nodiscard]] std::uint32_t waiting() const;
    [[nodiscard]] bool is_listening() const;

    // Until the server has accepted all that waits and closed all connections but so many.
    bool settle(std::size_t open);

    // What became of the processes that had the listening socket when the trial began, in words;
    // empty while they all live.
    [[nodiscard]] std::string deaths();
    // Likewise, once whoever is about to end has had the time to.
    [[nodiscard]] std::string deaths_soon();
    // Whether nobody is there any more who could serve.
    [[nodiscard]] bool is_dead();

    [[nodiscard]] Counters count();
    [[nodiscard]] const std::vector<Process>& holders() const { return holders_; }
    // Of any socket that listens, once nothing happens.
    [[nodiscard]] std::vector<Process> holders_at_rest(const Listening& socket);
    // Open descriptors of the processes that listen, all together.
    [[nodiscard]] std::size_t descriptors() const;

  private:
    void prepare();
    void serve_first();
    void choose_port();
    Setup setup_;
    std::unique_ptr<Server> server_;
    std::unique_ptr<Faults> faults_;
    Listening listening_;
    std::vector<Listening> all_;
    std::vector<Process> holders_;  // of the listening socket, once the server was ready
};

}  // namespace hark::probe
