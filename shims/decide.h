// What the rules say of one call: the same for the shim, which sits in the process that makes it,
// and for the supervisor, which is told of it by the kernel.  They differ in how they find out
// about a descriptor, and so bring that along:
//
//   Role role_of(std::int64_t fd)            what it is to the listener
//   Place place_of(std::int64_t fd)          what it is bound to
//   std::uint32_t inode_of(std::int64_t fd)  the file's number
#pragma once

#include <cstdint>

#include "shims/ledger.h"
#include "shims/place.h"

namespace shim {

struct Asked {
    Call call;
    bool on_descriptor;  // the first argument is one
    const std::int64_t* arguments;
    std::int32_t process;
};

// The rule that decides, if any does, and the tally of this socket in this process, if it has one.
struct Decision {
    Rule* rule = nullptr;
    Tally* tally = nullptr;
};

template <typename Facts>
bool matches(const Rule& rule, const Asked& asked, Facts& facts) {
    if (!rule.has(asked.call)) return false;
    const bool on_two = asked.call == Call::epoll_ctl;
    const std::int64_t* const of = asked.arguments;
    if (rule.fd != -1) {
        const bool same = asked.on_descriptor && of[0] == rule.fd;
        if (!same && !(on_two && of[2] == rule.fd)) return false;
    }
    if (rule.role != Role::none) {
        const bool same = asked.on_descriptor && facts.role_of(of[0]) == rule.role;
        if (!same && !(on_two && facts.role_of(of[2]) == rule.role)) return false;
    }
    for (std::size_t i = 0; i < rule.condition_count; ++i) {
        const Rule::Condition& condition = rule.conditions[i];
        if (of[condition.argument] != condition.equals) return false;
    }
    // What a wait says is changed of the listeners that are meant; the epoll itself is bound
    // nowhere.
    if (!asks_for_place(rule) || rule.action == Action::ready) return true;
    return asked.on_descriptor && means(rule, facts.place_of(of[on_two ? 2 : 0]));
}

// How many invocations the rule has seen with this one, by what it counts.
template <typename Facts>
std::uint32_t count(Ledger& page, std::uint32_t number, const Asked& asked, Facts& facts,
                    Tally*& here) {
    Rule& rule = page.rules[number];
    const std::uint32_t all = 1 + rule.seen.fetch_add(1, std::memory_order_relaxed);
    const bool is_one = page.family.is_one.load(std::memory_order_relaxed) != 0;
    if (!is_one && rule.per == Per::family) return all;
    const std::int64_t fd = asked.arguments[0];
    const bool is_on_listener = asked.on_descriptor && facts.role_of(fd) == Role::listener;
    const TallyKey key{number, is_on_listener ? facts.inode_of(fd) : 0, asked.process};
    here = tally_of(page.family, key);
    const std::uint32_t of_process =
        here == nullptr ? all : 1 + here->seen.fetch_add(1, std::memory_order_relaxed);
    switch (rule.per) {
        case Per::family:
            return all;
        case Per::process:
            return of_process;
        case Per::listener:
            break;
    }
    Tally* const together = tally_of(page.family, {number, key.inode, 0});
    return together == nullptr ? all : 1 + together->seen.fetch_add(1, std::memory_order_relaxed);
}

// Every rule counts what matches it; the first that covers this invocation acts.
template <typename Facts>
Decision decide(Ledger& page, const Asked& asked, Facts& facts) {
    Decision decision;
    for (std::uint32_t i = 0; i < page.rule_count && i < rule_room; ++i) {
        Rule& rule = page.rules[i];
        if (rule.is_off.load(std::memory_order_relaxed) != 0) continue;
        if (!matches(rule, asked, facts)) continue;
        Tally* here = nullptr;
        const std::uint32_t nth = count(page, i, asked, facts, here);
        if (decision.rule == nullptr && rule.covers(nth)) decision = {&rule, here};
    }
    return decision;
}

inline void count_as_fired(const Decision& decision) {
    decision.rule->fired.fetch_add(1, std::memory_order_relaxed);
    if (decision.tally != nullptr) decision.tally->fired.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace shim
