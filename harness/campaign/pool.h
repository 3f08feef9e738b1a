// Jobs over several workers at once, rows back in the order of the jobs whatever the order in which
// they were done.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "harness/campaign/worker.h"

namespace hark {

class Pool {
  public:
    Pool(const SubjectChoice& choice, unsigned workers);

    // One worker more than there are processors, since a cell that waits uses none.
    [[nodiscard]] static unsigned usual_size();

    [[nodiscard]] const Worker& first() const { return *workers_.front(); }

    // The next job, or nothing once there is none.  The jobs' rows are numbered without a gap, in
    // the order of the jobs; a job is asked for shortly before it is done, so that there may be any
    // number of them.
    using Source = std::function<std::optional<Job>()>;
    using Keep = std::function<bool(const Job&, nlohmann::json&)>;  // false: no more
    // Calls `keep` with each row, in the order of the jobs.  Ends early, with the rows that are in
    // flight dropped, once `keep` or `interrupted` says so; true if every job was done.
    bool run(const Source& source, const Keep& keep, const std::function<bool()>& interrupted);
    bool run(const std::vector<Job>& jobs, const Keep& keep,
             const std::function<bool()>& interrupted);

  private:
    std::vector<nlohmann::json> rows_that_came();
    std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace hark
