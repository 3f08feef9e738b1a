#include "harness/campaign/sweep_request.h"

#include "harness/fault/model.h"
#include "harness/results/results_file.h"
#include "harness/version.h"

namespace hark {

using nlohmann::json;

namespace {

// Every call of the model with all that can become of it, for whoever asks what a sweep never
// reached.
json model_as_json() {
    json model = json::object();
    for (const CallRow& row : call_table) {
        const auto ways = ways_to_fail(row.call);
        if (!ways.empty()) model[std::string(row.name)] = ways;
    }
    return model;
}

}  // namespace

bool is_of_everything(const SweepRequest& request) {
    return request.selection.clauses.empty() && request.selection.filters.empty() &&
           request.limits.calls.empty() && request.limits.errnos.empty() && request.shallow == 0 &&
           request.shard.is_whole();
}

void write_request(const SweepRequest& request, json& header) {
    header["sweep"] = {{"clauses", request.selection.clauses},
                       {"filters", request.selection.filters},
                       {"calls", request.limits.calls},
                       {"errnos", request.limits.errnos},
                       {"per_site", request.limits.per_site},
                       {"pairs", request.limits.pairs},
                       {"shallow", request.shallow}};
    header["model"] = model_as_json();
}

void read_request(const json& header, const std::string& path, SweepRequest& request) {
    const auto refuse = [&](const std::string& why) { throw BadResults(path + ":1: " + why); };
    if (!header.contains("sweep"))
        refuse("it is of no sweep, and only a sweep can be gone on with");
    try {
        const json& sweep = header.at("sweep");
        sweep.at("clauses").get_to(request.selection.clauses);
        sweep.at("filters").get_to(request.selection.filters);
        sweep.at("calls").get_to(request.limits.calls);
        sweep.at("errnos").get_to(request.limits.errnos);
        sweep.at("per_site").get_to(request.limits.per_site);
        sweep.at("pairs").get_to(request.limits.pairs);
        sweep.at("shallow").get_to(request.shallow);
        header.at("seed").get_to(request.seed);
        header.at("subjects").at(0).at("name").get_to(request.subject.label);
        request.shard = {};
        if (header.contains("shard")) {
            header.at("shard").at("index").get_to(request.shard.index);
            header.at("shard").at("count").get_to(request.shard.count);
        }
        if (request.shard.index == 0 || request.shard.index > request.shard.count) {
            refuse("its header does not say what was swept");
        }
        const auto made_by = header.at("tool").at("version").get<std::string>();
        if (made_by != version) refuse("it was begun by hark " + made_by + ", this is " + version);
        if (header.at("model") != model_as_json()) {
            refuse("it was begun with another fault model (hark list faults)");
        }
    } catch (const json::exception&) {
        refuse("its header does not say what was swept");
    }
}

}  // namespace hark
