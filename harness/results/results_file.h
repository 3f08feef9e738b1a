// results.jsonl: a header, a row a run, a footer that counts them.  Without its footer a file is
// not a run.  reports/results.schema.json describes each line.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>

#include "harness/fd.h"

namespace hark {

inline constexpr int results_schema = 1;

// The message names the file, and the line where there is one.
struct BadResults : std::runtime_error {  // what should be a results file is none
    using runtime_error::runtime_error;
};
struct UnwritableResults : std::runtime_error {
    using runtime_error::runtime_error;
};

// Opens a results file for one process alone, which a lock sees to that goes with that process,
// however it ends.  The file is made if it is not there, and left as it is if it is.  Throws
// UnwritableResults, also where another process has it.
[[nodiscard]] Fd open_alone(const std::string& path);

// What a footer says of the rows before it.
struct RowCounts {
    std::uint64_t rows = 0;
    std::uint64_t as_expected = 0;
    std::map<std::string, std::uint64_t> verdicts;

    void add(const nlohmann::json& row);
};

class ResultsWriter {
  public:
    // Makes the folder, and the file anew.  Throws UnwritableResults where that cannot be done,
    // also on a full disk, which is noticed before a row is lost: each row is written through.
    ResultsWriter(const std::string& folder, const nlohmann::json& header);
    // Goes on in a file that open_alone gave, after so many bytes of it with these rows; what
    // follows them is cut off.
    ResultsWriter(const std::string& path, Fd file, std::uint64_t size, RowCounts counted);
    ~ResultsWriter();
    ResultsWriter(const ResultsWriter&) = delete;
    ResultsWriter& operator=(const ResultsWriter&) = delete;

    void add(const nlohmann::json& row);
    // A line that is no run of its own, such as what many of them come to.
    void add_beside(const nlohmann::json& line) { write(line); }
    // `ended`: complete, interrupted or failed.
    void finish(const std::string& ended, std::uint64_t duration_us);
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    void write(const nlohmann::json& line);
    void start_at(Fd file, std::uint64_t size);
    std::string path_;
    std::FILE* file_ = nullptr;
    RowCounts counted_;
};

// Throws BadResults unless the line, the first of a file, is a header that this hark reads.
void check_header(const nlohmann::json& line, const std::string& path);

// Row `number` of a results file; throws BadResults where there is none.
[[nodiscard]] nlohmann::json read_row(const std::string& path, std::uint64_t number);

}  // namespace hark
