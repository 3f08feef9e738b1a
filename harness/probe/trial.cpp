#include "harness/probe/trial.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "harness/fault/model.h"

namespace hark::probe {

namespace {

using shim::Call;

constexpr char both[] = "accept,accept4:";

std::string in_small(std::string_view word) {
    std::string text(word);
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char each) { return static_cast<char>(std::tolower(each)); });
    return text;
}

Kind kind_of(const Allowed& row) {
    static const std::map<std::string_view, Kind> by_error = {
#define KIND(error, kind) {#error, Kind::kind},
#include "harness/probe/kinds.def"
    };
    if (row.consequence == shim::Class::consuming) return Kind::lost;
    const auto found = by_error.find(row.name);
    if (found != by_error.end()) return found->second;
    return row.consequence == shim::Class::fatal ? Kind::for_good : Kind::passing;
}

std::vector<std::string> rules_for(Kind kind, const std::string& fault) {
    switch (kind) {
        case Kind::lost:
            // One at first, and then every second, since a server may well take an error that never
            // ends for one that cannot pass.
            return {fault + ":when=1", fault + ":when=1+2"};
        case Kind::empty:
        case Kind::passing:
            return {fault + ":when=1"};
        case Kind::shortage:
            // The second lets through what a server accepts to shed it, with the descriptor that it
            // keeps in reserve for that.
            return {fault + ":when=1+", fault + ":when=1+2"};
        default:
            return {fault + ":when=1+"};
    }
}

std::vector<Trial> make_trials() {
    std::vector<Trial> all = {{Kind::peace, "", "", {}},
                              {Kind::kernel, "nofile", "RLIMIT_NOFILE", {}}};
    std::set<std::string_view> seen;
    for (const Call call : {Call::accept, Call::accept4}) {
        for (const Allowed& row : allowed_for(call)) {
            if (!seen.insert(row.name).second) continue;
            const Kind kind = kind_of(row);
            const std::string name(row.name);
            const std::string fault =
                (kind == Kind::missing ? "accept4:error=" : both + std::string("error=")) + name;
            all.push_back({kind, in_small(name), name, rules_for(kind, fault)});
        }
    }
    // A call that finds nothing has no address to spoil, so the first that does can't be counted.
    all.push_back(
        {Kind::lost,
         "addrlen_0",
         "an address of length 0",
         {both + std::string("addrlen=0:when=1+"), both + std::string("addrlen=0:when=1+")}});
    return all;
}

}  // namespace

const std::vector<Question>& questions() {
    static const std::vector<Question> all = {
#define QUESTION(kind, clause, name, sentence) \
    {Kind::kind, #clause, #clause "." #name, sentence, __LINE__},
#include "harness/probe/questions.def"
    };
    return all;
}

std::string Trial::id_of(const Question& question) const {
    return std::string(question.id) + (variant.empty() ? "" : "@" + variant);
}

const std::vector<Trial>& trials() {
    static const std::vector<Trial> all = make_trials();
    return all;
}

std::vector<const Question*> questions_of(const Trial& trial) {
    std::vector<const Question*> found;
    for (const auto& each : questions()) {
        if (each.kind == trial.kind) found.push_back(&each);
    }
    return found;
}

}  // namespace hark::probe
