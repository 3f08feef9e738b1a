// What is expected of a subject: its expected.toml, or the file that --baseline names, one
// [[known]] table an entry.
//
//   match    glob on the run's id, without the subject: "NBL_3.*"; needed
//   verdict  what comes out: fail, unreached, …; needed.  Of an array the first is what usually
//            comes out, and the others are what comes out now and then: ["fail", "pass"]
//   reason   why, for whoever reads the report; needed
//   how      which kind of fail; any if it is not said
//   message  a piece of what was seen or said that must be there
//   subject  glob on the subject's name; any if it is not said
//   version  glob on the version that the subject tells; any if it is not said
//   link     where it is discussed
//   expires  a date, as 2027-03-01; from that day on the entry counts no more
//
// And one [[finding]] table for each kind of misbehaviour that a sweep is known to find:
//
//   how, call, errno, site   globs, all needed; reason needed; subject, version, link and expires
//   as
//                            above
//   pairs    true where it takes two faults to show it
//
// The first entry that matches a run is what counts.  Reality may differ from it in no direction: a
// known failure that passes is as loud as a new one.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/campaign/worker.h"
#include "harness/results/machine.h"

namespace hark {

// The file is not what it should be; the message names the file, the line and what was expected.
struct BadExpectations : std::runtime_error {
    using runtime_error::runtime_error;
};

// Whom the entries must be about.
struct About {
    std::string subject;  // as the user named it
    std::string version;  // as it tells it
};

// An entry, and what runs made of it.
struct EntryUse {
    std::uint32_t line = 0;        // of its [[known]] or [[finding]]
    std::string name = {};         // for people: what it matches
    std::string expired = {};      // the day; empty if it counts
    bool is_of_pairs = false;      // only two faults show it
    bool is_of_schedules = false;  // it is about scenarios, and no run of the contract
    std::uint64_t matched = 0;     // runs that it is about
    std::uint64_t held = 0;        // of these, came out as it says
};

class Expectations {
  public:
    Expectations() = default;  // everything passes
    // Refuses an entry that names a run, a call, an errno or a verdict that does not exist, unless
    // it is being looked at only to be dropped.
    static Expectations read(const std::string& file, const About& about, bool strict = true,
                             std::chrono::year_month_day today = today_utc());

    // Puts expected_verdict, known and as_expected into the row, by its id, verdict and how.
    void judge(const std::string& run_id, nlohmann::json& row);

    // Whether a sweep's finding is foreseen: the reason, which is empty if it isn't.
    [[nodiscard]] std::string reason(const std::string& how, const std::string& call,
                                     const std::string& error, const std::string& site);

    [[nodiscard]] const std::string& file() const { return file_; }
    // Of the [[known]] entries and of the [[finding]] entries about this subject, in the file's
    // order.
    [[nodiscard]] std::vector<EntryUse> known() const;
    [[nodiscard]] std::vector<EntryUse> findings() const;

  private:
    friend class ExpectationsFile;
    struct Known {
        EntryUse use;
        std::string match;
        std::vector<std::string> verdicts;  // the usual one first
        std::string how;
        std::string message;
        std::string reason;
    };
    struct KnownFinding {
        EntryUse use;
        std::string how;
        std::string call;
        std::string error;
        std::string site;
        std::string reason;
    };
    std::string file_;
    std::vector<Known> known_;
    std::vector<KnownFinding> findings_;
};

// By the subject's baseline, or else by its own expected.toml; a baseline that is not there yet is
// an empty one.
[[nodiscard]] Expectations expectations_of(const SubjectChoice& choice, const std::string& version);

// Those that a run of the contract can say something about.
[[nodiscard]] std::vector<EntryUse> of_contract(std::vector<EntryUse> entries);

// What a user should be told of the entries: those that expired, and, after all runs that they
// could be about, those that matched nothing.
[[nodiscard]] std::vector<std::string> remarks(const std::string& file,
                                               const std::vector<EntryUse>& entries, bool all_ran);

}  // namespace hark
