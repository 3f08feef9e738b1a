#include "harness/stage/case.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <map>

#include "harness/subject/listener_api.h"

namespace hark {

namespace {

// Function-local, since registration runs before main in an order that nobody chose.
std::span<const Clause* const>& registered_clauses() {
    static std::span<const Clause* const> all;
    return all;
}

std::vector<Case>& registered_cases() {
    static std::vector<Case> all;
    return all;
}

std::size_t place_of(const Clause* clause) {
    const auto all = clauses();
    return static_cast<std::size_t>(
        std::find_if(all.begin(), all.end(),
                     [&](const Clause* each) { return each->id == clause->id; }) -
        all.begin());
}

constexpr std::array families = {Family::ipv4, Family::ipv6, Family::unix_path,
                                 Family::unix_abstract};

struct NamedFlag {
    unsigned flag;
    const char* word;
};
constexpr NamedFlag short_flag_names[] = {
    {leave_sockets_blocking, "blocking"},
    {close_on_free, "free"},
    {close_on_exec, "exec"},
    {reuseable, "reuse"},
    {threadsafe, "threads"},
    {disabled, "disabled"},
    {deferred_accept, "deferred"},
};

std::string flags_label(unsigned flags) {
    std::string label;
    for (const auto& each : short_flag_names) {
        if ((flags & each.flag) == 0) continue;
        if (!label.empty()) label += '+';
        label += each.word;
    }
    return label.empty() ? "none" : label;
}

}  // namespace

std::string_view to_word(Level level) {
    switch (level) {
        case Level::must:
            return "must";
        case Level::may:
            return "may";
        case Level::undefined:
            return "undefined";
        case Level::example:
            return "example";
        case Level::header:
            return "header";
        case Level::recorded:
            return "recorded";
    }
    std::abort();
}

std::string_view to_word(Policy policy) {
    switch (policy) {
        case Policy::document:
            return "document";
        case Policy::linux_robust:
            return "linux";
        case Policy::adapter:
            return "adapter";
    }
    std::abort();
}

std::string_view to_word(Family family) {
    switch (family) {
        case Family::ipv4:
            return "ipv4";
        case Family::ipv6:
            return "ipv6";
        case Family::unix_path:
            return "unix-path";
        case Family::unix_abstract:
            return "unix-abstract";
    }
    std::abort();
}

Variants only_once() { return {Variant{}}; }

Variants every_family() {
    Variants all;
    for (const Family family : families) {
        all.push_back({.label = std::string(to_word(family)), .family = family, .plan = ""});
    }
    return all;
}

Variants every_maker() {
    return {{.label = "bind", .maker = Maker::bind, .plan = ""},
            {.label = "adopt", .maker = Maker::adopt, .plan = ""}};
}

Variants every_family_and_maker() {
    Variants all;
    for (const Family family : families) {
        for (const auto& maker : every_maker()) {
            all.push_back({.label = std::string(to_word(family)) + "-" + maker.label,
                           .family = family,
                           .maker = maker.maker,
                           .plan = ""});
        }
    }
    return all;
}

Variants every_flags() {
    Variants all;
    for (unsigned flags = 0; flags <= documented_flags; ++flags) {
        all.push_back({.label = flags_label(flags), .flags = flags, .plan = ""});
    }
    return all;
}

Variants every_flags_and_maker() {
    Variants all;
    for (const auto& maker : every_maker()) {
        for (auto variant : every_flags()) {
            variant.label = maker.label + "-" + variant.label;
            variant.maker = maker.maker;
            all.push_back(std::move(variant));
        }
    }
    return all;
}

std::span<const Clause* const> clauses() { return registered_clauses(); }

std::span<const Case> cases() {
    static const bool sorted = [] {
        auto& all = registered_cases();
        std::stable_sort(all.begin(), all.end(), [](const Case& a, const Case& b) {
            if (a.clause->id != b.clause->id) return place_of(a.clause) < place_of(b.clause);
            if (a.file != b.file) return a.file < b.file;
            return a.line < b.line;
        });
        return true;
    }();
    (void)sorted;
    return registered_cases();
}

const Variants& variants_of(const Case& one) {
    static std::map<const Case*, Variants> made;
    const auto [place, is_new] = made.try_emplace(&one);
    if (is_new) place->second = one.variants();
    return place->second;
}

RegisterClauses::RegisterClauses(std::span<const Clause* const> in_document_order) {
    registered_clauses() = in_document_order;
}

RegisterCase::RegisterCase(const Case& one) { registered_cases().push_back(one); }

}  // namespace hark
