// Faults for a server that runs: the ledger that it shares with the shim.
//
// The ledger is a file in shared memory that everybody in the namespace may open, since a server
// may have become somebody else before it starts its workers, and have closed what it was given.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "harness/cell/ledger_file.h"
#include "harness/fault/plan.h"

namespace hark::probe {

class Faults {
  public:
    // Rules that are to be switched on one at a time.  Throws PlanError.
    explicit Faults(const std::vector<std::string>& rules);
    ~Faults();
    Faults(const Faults&) = delete;
    Faults& operator=(const Faults&) = delete;

    // What the server is started with.
    [[nodiscard]] std::vector<std::string> environment() const;

    void begin(std::size_t rule);
    void end();

    // How often the rule that was begun last has fired since.
    [[nodiscard]] std::uint32_t fired() const;
    // Since the server started: calls of accept, and calls that wait for something to happen.
    [[nodiscard]] std::uint64_t accepts() const;
    [[nodiscard]] std::uint64_t waits() const;
    // Whether the shim got into the server at all.
    [[nodiscard]] bool is_seen() const;

  private:
    std::string path_;
    std::vector<Fault> rules_;
    std::unique_ptr<LedgerFile> ledger_;
};

}  // namespace hark::probe
