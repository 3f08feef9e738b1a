// What driver and zygote say to each other: lines of JSON over a socket, jobs one way, rows the
// other. Parsing and writing them; nothing is done here.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace hark {

// What a job's runs are for.
enum class Mode {
    contract,  // the case judges; a whole row comes back
    explore,   // likewise of each schedule; rows without a trace come back
    count,     // nothing is judged; the calls that the subject made come back
    sweep,     // the oracles judge; a short row for each plan comes back
    apart,     // likewise with each plan in a cell of its own
    alone,     // likewise of one plan; a whole row comes back
};

// What is asked for: one case in one variant, a run for each plan.  Case and variant are numbers in
// cases(), the same in both processes, which are one program.
struct Job {
    std::uint32_t number = 0;  // of its first row, from one; the rows are numbered on from there
    std::uint32_t case_number = 0;
    std::uint32_t variant_number = 0;
    std::vector<std::vector<std::string>> plans = {{}};  // rules on top of what the case injects
    std::uint32_t timeout_ms = 5000;                     // a run takes a few; longer is a hang
    std::uint32_t most_calls = 0;                        // a run that makes more is a hang; zero:
                                                         // as many as any sound run
    // In which order the threads of each run go on (harness/cell/interleaving.h); empty: they are
    // let.
    std::vector<std::string> schedules = {};
    bool whole_trace = false;  // every line of it, locks and allocations too
    Mode mode = Mode::contract;

    [[nodiscard]] std::string schedule_of(std::size_t run) const {
        return run < schedules.size() ? schedules[run] : "";
    }
    // One run of it, as a job.
    [[nodiscard]] Job only(std::size_t run) const;
    // The first runs have been done.
    void forget_first(std::size_t runs);
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Job, number, case_number, variant_number, plans, timeout_ms,
                                   most_calls, schedules, whole_trace, mode)

// The first line of a zygote: what it has loaded, or why it could not.
struct Hello {
    std::string broken;        // a sentence for the user; empty if all is well
    bool bad_library = false;  // which the library that was named is to blame for
    bool bad_adapter = false;  // or the adapter
    std::string name;
    std::string version;
    std::string path;
    std::string build_id;
    std::string soname;
    std::vector<std::vector<std::string>> lacks;  // pairs of feature and reason
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Hello, broken, bad_library, bad_adapter, name, version, path,
                                   build_id, soname, lacks)

// Reads whole lines from a stream socket.
class LineReader {
  public:
    explicit LineReader(int fd) : fd_(fd) {}
    // Reads what is there, waiting for something; false when the other end is gone.
    bool fill();
    // The next whole line that has been read, without its end.
    bool next(std::string& line);

  private:
    int fd_;
    std::string buffer_;
    std::size_t taken_ = 0;      // the bytes before it have been given out
    std::size_t looked_at_ = 0;  // those before it hold no end of a line that was not
};

// The whole line, or false when the other end is gone.
bool send_line(int fd, const std::string& line);

}  // namespace hark
