// A file of expectations brought up to date: what no longer holds is dropped, what a campaign
// showed otherwise is added, and everything else stays as people wrote it, comments and order
// included.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "harness/campaign/expectations.h"
#include "harness/campaign/run.h"
#include "harness/campaign/sweep.h"

namespace hark {

class BaselineFile {
  public:
    // A file that is not there is an empty one.  Throws BadExpectations, also for an entry that
    // does not begin with [[known]] or [[finding]] on a line of its own, since such a one cannot be
    // taken out.
    explicit BaselineFile(std::string path);

    // Drops the entries of which nothing held; where all runs were made that they could be about,
    // also those that matched nothing.  Entries of several subjects are summed by their lines.
    void drop_what_failed(const std::vector<EntryUse>& entries, bool all_ran);
    // `entry` is a whole [[known]] or [[finding]] table; the first that matches counts, so it goes
    // before those that are there.
    void add(const std::string& entry);
    // Throws UnwritableResults; what was there is then still there.
    void save() const;

    [[nodiscard]] std::size_t added() const { return added_.size(); }
    [[nodiscard]] std::size_t dropped() const { return dropped_.size(); }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string text() const;

  private:
    [[nodiscard]] std::size_t first_line_of(std::size_t entry) const;

    std::string path_;
    std::vector<std::string> lines_;
    std::vector<std::uint32_t> entries_;  // their first lines, from one, in order
    std::set<std::uint32_t> dropped_;
    std::vector<std::string> added_;
};

// Brings the file up to date with what a campaign showed of its subjects.  A run that Hark failed
// at is nobody's habit, and never becomes an entry.  A new entry has the reason that the subject's
// own expected.toml knows, or says that there is none yet.
void update(BaselineFile& file, const std::vector<SubjectChoice>& subjects,
            const RunReport& report);
void update(BaselineFile& file, const SubjectChoice& subject, const SweepReport& report);

}  // namespace hark
