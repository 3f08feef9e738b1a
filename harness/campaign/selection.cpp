#include "harness/campaign/selection.h"

#include <fnmatch.h>

#include <algorithm>

#include "harness/fault/nearest.h"

namespace hark {

namespace {

bool matches(const std::string& glob, const std::string& id) {
    return fnmatch(glob.c_str(), id.c_str(), 0) == 0;
}

std::vector<std::string> split(const std::string& list) {
    std::vector<std::string> parts;
    std::size_t from = 0;
    while (from <= list.size()) {
        const auto comma = std::min(list.find(',', from), list.size());
        if (comma > from) parts.push_back(list.substr(from, comma - from));
        from = comma + 1;
    }
    return parts;
}

// GoogleTest's habit: what is named is in, unless a '-' part names it too; only '-' parts mean all
// but these.
void require_clause(const std::string& id) {
    std::vector<std::string_view> known;
    for (const Clause* each : clauses()) {
        if (each->id == id) return;
        known.push_back(each->id);
    }
    throw UnknownName("clause", id, nearest(id, known), "clauses");
}

}  // namespace

UnknownName::UnknownName(const std::string& kind, const std::string& name,
                         std::optional<std::string_view> near, const std::string& listing)
    : runtime_error("there is no " + kind + " '" + name + "'" +
                    (near ? "; did you mean " + std::string(*near) + "?" : "") + " (hark list " +
                    listing + ")") {}

bool is_chosen(const std::vector<std::string>& filters, const std::string& id) {
    bool any_positive = false;
    bool in = false;
    for (const auto& filter : filters) {
        for (const auto& part : split(filter)) {
            if (part.starts_with('-')) {
                if (matches(part.substr(1), id)) return false;
                continue;
            }
            any_positive = true;
            in = in || matches(part, id);
        }
    }
    return in || !any_positive;
}

std::vector<Selected> select(const Selection& selection) {
    for (const auto& id : selection.clauses) require_clause(id);
    std::vector<Selected> all;
    const auto every = cases();
    for (std::uint32_t number = 0; number < every.size(); ++number) {
        const Case& one = every[number];
        const auto& wanted = selection.clauses;
        if (!wanted.empty() &&
            std::find(wanted.begin(), wanted.end(), one.clause->id) == wanted.end()) {
            continue;
        }
        if (one.slow && !selection.slow) continue;
        if (one.scenario != selection.scenarios) continue;
        if ((one.clause->policy == Policy::adapter) != selection.of_adapter) continue;
        const Variants& variants = variants_of(one);
        for (std::uint32_t variant = 0; variant < variants.size(); ++variant) {
            const std::string& label = variants[variant].label;
            const std::string id = one.id() + (label.empty() ? "" : "@" + label);
            if (is_chosen(selection.filters, id)) all.push_back({number, variant, id});
        }
    }
    return all;
}

Selected select_one(const std::string& id) {
    auto all = select({.clauses = {}, .filters = {}, .slow = true});
    const auto of_adapter =
        select({.clauses = {}, .filters = {}, .slow = true, .of_adapter = true});
    all.insert(all.end(), of_adapter.begin(), of_adapter.end());
    const auto scenarios = select({.clauses = {}, .filters = {}, .slow = true, .scenarios = true});
    all.insert(all.end(), scenarios.begin(), scenarios.end());
    std::vector<std::string_view> known;
    for (const auto& each : all) {
        if (each.id == id) return each;
        known.push_back(each.id);
    }
    // Who names a case that has variants has forgotten to say which.
    const auto variant = std::find_if(known.begin(), known.end(), [&](std::string_view each) {
        return each.starts_with(id + "@");
    });
    const auto near = variant == known.end() ? nearest(id, known) : *variant;
    throw UnknownName("run", id, near, "cases");
}

}  // namespace hark
