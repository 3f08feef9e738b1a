// What is expected of a subject: its expected.toml, one [[known]] table an entry.
//
//   match    glob on the run's id, without the subject: "NBL_3.*"; needed
//   verdict  what comes out: fail, unreached, …; needed
//   reason   why, for whoever reads the report; needed
//   how      which kind of fail; any if it is not said
//   message  a piece of what was seen or said that must be there
//   version  glob on the version that the subject tells; any if it is not said
//   link     where it is discussed
//
// And one [[finding]] table for each kind of misbehaviour that a sweep is known to find:
//
//   how, call, errno, site   globs, all needed; reason needed, version and link as above
//
// Reality may differ from it in no direction: a known failure that passes is as loud as a new one.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace toml::inline v3 {
class table;
}

namespace hark {

// The file is not what it should be; the message names the file, the line and what was expected.
struct BadExpectations : std::runtime_error {
    using runtime_error::runtime_error;
};

class Expectations {
  public:
    Expectations() = default;  // everything passes
    static Expectations read(const std::string& file, const std::string& version);

    // Puts expected_verdict, known and as_expected into the row, by its id, verdict and how.
    void judge(const std::string& run_id, nlohmann::json& row);

    // Whether a sweep's finding is foreseen, and the reason, which is empty if it isn't.
    [[nodiscard]] bool foresees(const std::string& how, const std::string& call,
                                const std::string& error, const std::string& site) const {
        return !reason(how, call, error, site).empty();
    }
    [[nodiscard]] std::string reason(const std::string& how, const std::string& call,
                                     const std::string& error, const std::string& site) const;

    // Entries that no run matched, by their globs, in the file's order.
    [[nodiscard]] std::vector<std::string> unmatched() const;

  private:
    struct Known {
        std::string match;
        std::string verdict;
        std::string how;
        std::string message;
        std::string reason;
        std::string link;
        bool matched = false;
    };
    struct KnownFinding {
        std::string how;
        std::string call;
        std::string error;
        std::string site;
        std::string reason;
    };
    static Known known_in(const std::string& file, const toml::table& entry);
    static KnownFinding finding_in(const std::string& file, const toml::table& entry);
    std::vector<Known> known_;
    std::vector<KnownFinding> findings_;
};

}  // namespace hark
