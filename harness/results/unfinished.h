// A results file that is not whole, to be gone on with: interrupted, failed, or cut short by
// whatever ended its writer.
#pragma once

#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "harness/fd.h"

namespace hark {

class UnfinishedResults {
  public:
    // Throws UnwritableResults while another process writes the file, and BadResults where it is
    // none or is complete.  The file has been seen to exist.
    explicit UnfinishedResults(const std::string& path);

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] const nlohmann::json& header() const { return header_; }
    // Microseconds that have gone into it, as far as it tells.
    [[nodiscard]] std::uint64_t duration_us() const { return duration_us_; }

    // The next run that is told of whole; nothing once there is no more.  A line of another kind
    // ends them, and one that is only part of a line was never written.
    [[nodiscard]] std::optional<nlohmann::json> next_run();
    // Throws BadResults about the line of that run.
    [[noreturn]] void refuse(const std::string& why) const;

    // Of the file, up to and with the run that next_run gave last.
    [[nodiscard]] std::uint64_t size_kept() const { return size_kept_; }
    // The file, which stays locked.
    [[nodiscard]] Fd release() { return std::move(file_); }

  private:
    [[nodiscard]] bool next_line(std::string& line);
    void look_at_the_end();

    std::string path_;
    Fd file_;
    std::ifstream in_;
    nlohmann::json header_;
    std::uint64_t line_number_ = 0;
    std::uint64_t size_read_ = 0;
    std::uint64_t size_kept_ = 0;
    std::uint64_t duration_us_ = 0;
};

}  // namespace hark
