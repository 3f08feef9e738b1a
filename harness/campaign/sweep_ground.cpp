#include "harness/campaign/sweep_ground.h"

#include <algorithm>

#include "harness/cell/ledger_file.h"
#include "harness/verdict.h"

namespace hark {

using nlohmann::json;

std::string why_left_out(const json& row) {
    if (row["verdict"] == to_word(Verdict::unsupported)) return row["message"];
    if (!row["plan"].empty()) return "it injects a fault of its own";
    if (!row["findings"].empty()) return "the oracles find something in it without any fault";
    if (row["how"] != "") return "it does not come to its end without any fault";
    const json& calls = row["calls"];
    if (!calls["one_thread"].get<bool>()) return "its calls come from more than one thread";
    if (calls["shared_port"].get<bool>()) {
        return "its listeners share a port, and chance decides which of them is connected to";
    }
    if (!calls["whole"].get<bool>()) return "it makes more calls than the ring holds";
    if (calls["made"].empty()) return "the subject makes no call in it";
    return "";
}

std::uint32_t most_calls_of(std::uint32_t without_fault) {
    return std::min(most_calls, 10'000 + 20 * without_fault);
}

}  // namespace hark
