// Which runs are asked for: cases by clause and by glob on their stable ids, in every variant.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "harness/stage/case.h"

namespace hark {

// A case in one variant.  Its id is CLAUSE.name, or CLAUSE.name@variant.
struct Selected {
    std::uint32_t case_number = 0;
    std::uint32_t variant_number = 0;
    std::string id;
    std::uint32_t most_calls = 0;  // of one run of it, as a job has it
};

struct Selection {
    std::vector<std::string> clauses;  // ids; empty: all
    std::vector<std::string>
        filters;        // GLOB[,-GLOB…] on ids; a run is in if any GLOB matches and no -GLOB
    bool slow = false;  // also the cases that wait for the kernel's clock
    // The checks of an adapter, and no case of the contract.
    bool of_adapter = false;
    // What has threads beside each other, and nothing else.
    bool scenarios = false;
};

// In the order of the document.  Throws UnknownName for a clause that is not in the contract.
[[nodiscard]] std::vector<Selected> select(const Selection& selection);

// GLOB[,-GLOB…], any number of them: if any GLOB matches, or there is none, and no -GLOB.
[[nodiscard]] bool is_chosen(const std::vector<std::string>& filters, const std::string& id);

// The run of this very id; throws UnknownName.
[[nodiscard]] Selected select_one(const std::string& id);

struct UnknownName : std::runtime_error {
    using runtime_error::runtime_error;
    // As "there is no clause 'NWE_1'; did you mean NEW_1? (hark list clauses)".
    UnknownName(const std::string& kind, const std::string& name,
                std::optional<std::string_view> near, const std::string& listing);
};

}  // namespace hark
