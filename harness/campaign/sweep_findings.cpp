#include "harness/campaign/sweep_findings.h"

#include "harness/campaign/row.h"

namespace hark {

using nlohmann::json;

void SweepFindings::add(const Selected& run, const PlannedFault& fault, const Misbehaviour& shown,
                        const std::string& id) {
    SweepFinding& finding = found_[{shown.how, fault.call, shown.site, fault.error}];
    ++finding.runs;
    // Fewest rules, then once before for ever, then the earliest call; of equals the first.
    const auto size = [](const auto& of) { return std::tuple(of.plan.size(), of.lasting, of.nth); };
    if (finding.runs != 1 && size(finding) <= size(fault)) return;
    finding.how = shown.how;
    finding.policy = shown.policy;
    finding.call = fault.call;
    finding.site = shown.site;
    finding.error = fault.error;
    finding.lasting = fault.lasting;
    finding.id = id;
    finding.run = run;
    finding.plan = fault.plan;
    finding.nth = fault.nth;
    finding.seen = shown.seen;
}

std::vector<SweepFinding*> SweepFindings::all() {
    std::vector<SweepFinding*> findings;
    for (auto& [kind, finding] : found_) findings.push_back(&finding);
    return findings;
}

json to_json(const SweepFinding& finding) {
    json line = {{"kind", "finding"},
                 {"how", finding.how},
                 {"policy", finding.policy},
                 {"call", finding.call},
                 {"site", finding.site},
                 {"errno", finding.error},
                 {"lasting", finding.lasting},
                 {"id", finding.id},
                 {"plan", finding.plan},
                 {"seen", finding.seen},
                 {"runs", finding.runs},
                 {"again", finding.again},
                 {"tries", finding.tries},
                 {"stable", finding.is_stable()},
                 {"known", finding.known},
                 {"repeat", repeating_command(finding.id, finding.plan) + " --oracles"},
                 {"did", json::array()},
                 {"trace", json::array()}};
    if (finding.row.is_object()) {
        line["did"] = finding.row["did"];
        line["trace"] = finding.row["trace"];
    }
    return line;
}

}  // namespace hark
