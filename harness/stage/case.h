// What a case is: one proof of one clause, a function over a Stage, with the variants it is run in.
// Clauses and cases register themselves; nothing lists them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hark {

class Stage;

enum class Level {
    must,       // the document says so
    may,        // the document allows it: what is seen is recorded
    undefined,  // the document says that anything may happen: recorded, never failed
    example,    // the document's own program does it
    header,     // libevent's header says so, beyond the document
    recorded,   // no document says anything: a fact for the subject's profile
};
[[nodiscard]] std::string_view to_word(Level);
// Whether a run can fail its clause; the rest is recorded.
[[nodiscard]] constexpr bool is_judged(Level level) {
    return level == Level::must || level == Level::example || level == Level::header;
}

// Whose promise it is; verdicts of one policy are never mixed with another's.
enum class Policy {
    document,
    linux_robust,
    adapter,  // no listener's: what Hark needs of the adapter (cases/adapter.def)
};
[[nodiscard]] std::string_view to_word(Policy);

struct Clause {
    std::string_view id;  // "NBL_1"
    Level level;
    Policy policy;
    std::string_view chapter;      // the document's section, in English
    std::string_view place;        // where in the document: "line 40"; empty beyond it
    std::string_view sentence;     // the document's own words; empty beyond it
    std::string_view promise;      // the same in English
    std::string_view contradicts;  // the clause that says the opposite, or empty
};

enum class Family { ipv4, ipv6, unix_path, unix_abstract };
[[nodiscard]] std::string_view to_word(Family);

// evconnlistener_new_bind, or a socket bound by the harness and evconnlistener_new.
enum class Maker { bind, adopt };

// What a case is run with, beside its subject.  Stage::make takes its defaults from here.
struct Variant {
    std::string
        label;  // part of the run's id: lower case, digits, '-', '+'; empty for the only one
    Family family = Family::ipv4;
    Maker maker = Maker::bind;
    unsigned flags = 0;
    std::string plan;  // a fault, for the case to inject where it wants it
};

using Variants = std::vector<Variant>;

// The usual sets.
[[nodiscard]] Variants only_once();
[[nodiscard]] Variants every_family();  // ipv4, ipv6, unix-path, unix-abstract
[[nodiscard]] Variants every_maker();   // bind, adopt
[[nodiscard]] Variants every_family_and_maker();
[[nodiscard]] Variants every_flags();  // all 128 combinations of the seven, bind
[[nodiscard]] Variants every_flags_and_maker();

struct Case {
    const Clause* clause;
    std::string_view name;      // unique within the clause, snake_case
    std::string_view sentence;  // what the subject does, in the present tense
    std::string_view file;
    int line;
    void (*body)(Stage&);
    Variants (*variants)();
    bool slow = false;      // waits for the kernel's clock: run only when asked for
    bool scenario = false;  // threads beside each other: run under schedules only

    [[nodiscard]] std::string id() const {
        return std::string(clause->id) + "." + std::string(name);
    }
};

// In the order of the document and, within a clause, of the file.
[[nodiscard]] std::span<const Clause* const> clauses();
[[nodiscard]] std::span<const Case> cases();
// A case's variants, made when they are first asked for.  Not for two threads at once.
[[nodiscard]] const Variants& variants_of(const Case& one);

// Registration, by static objects of the cases' translation units only.
struct RegisterClauses {
    explicit RegisterClauses(std::span<const Clause* const> in_document_order);
};
struct RegisterCase {
    explicit RegisterCase(const Case& one);
};

}  // namespace hark
