// The checks of an adapter: what Hark must be able to rely on before a verdict means anything.
//
// They are cases like any other, in cells of their own and judged by the same oracles; only that
// `hark smoke` alone runs them, and none is a promise of the contract.

#include <dlfcn.h>
#include <link.h>

#include <filesystem>
#include <string>
#include <vector>

#include "cases/adapter_clause.h"
#include "harness/must.h"
#include "harness/stage/guarded_subject.h"

using namespace hark;

namespace {

using Words = std::vector<std::string>;

constexpr unsigned first_flag = leave_sockets_blocking;
constexpr unsigned last_flag = bind_ipv4_and_ipv6;

// For the messages.
std::string flag_word(unsigned flag) { return "flag " + std::to_string(flag); }

// Everything that the adapter says it lacks, in a fixed order.
Words reasons(const Subject& subject) {
    Words all;
    for (const Feature each : every_feature) all.push_back(subject.lacks(each));
    for (unsigned flag = first_flag; flag <= last_flag; flag <<= 1) {
        all.push_back(subject.lacks_flag(flag));
        all.push_back(subject.always_flag(flag));
    }
    return all;
}

// A report shows it to somebody who does not know the library: one word tells nothing.
bool is_sentence(const std::string& text) { return text.find(' ') != std::string::npos; }

bool is_loaded(const std::string& path) {
    struct Search {
        const std::string& path;
        bool found;
    } search{std::filesystem::canonical(path).string(), false};
    dl_iterate_phdr(
        [](dl_phdr_info* object, std::size_t, void* given) {
            auto& wanted = *static_cast<Search*>(given);
            std::error_code none;
            wanted.found = std::filesystem::canonical(object->dlpi_name, none) == wanted.path;
            return wanted.found ? 1 : 0;
        },
        &search);
    return search.found;
}

}  // namespace

CASE(ADP_1, named, "has a name and a version") {
    const Identity who = stage.subject().identity();

    CHECK(who.name != "");
    CHECK(who.version != "");
}

CASE(ADP_1, path, "is in the object file that is named, which is loaded") {
    const std::string path = stage.subject().identity().path;

    REQUIRE(path != "");
    REQUIRE(std::filesystem::exists(path));
    CHECK(is_loaded(path));
}

CASE(ADP_2, sentences, "has a sentence for each thing that it lacks") {
    Words no_sentences;
    for (const std::string& each : reasons(stage.subject())) {
        if (!each.empty() && !is_sentence(each)) no_sentences.push_back(each);
    }

    CHECK(no_sentences == Words{});
}

CASE(ADP_2, same_answer, "gives the same answer each time it is asked") {
    CHECK(reasons(stage.subject()) == reasons(stage.subject()));
}

CASE(ADP_2, a_maker, "has one of the two makers at least") {
    const bool lacks_both = !stage.subject().lacks(Feature::new_by_binding).empty() &&
                            !stage.subject().lacks(Feature::new_from_descriptor).empty();

    CHECK_FALSE(lacks_both);
}

CASE(ADP_2, not_both, "is not said to lack a flag and to have it always") {
    Words both;
    for (unsigned flag = first_flag; flag <= last_flag; flag <<= 1) {
        const Subject& subject = stage.subject();
        if (!subject.lacks_flag(flag).empty() && !subject.always_flag(flag).empty()) {
            both.push_back(flag_word(flag));
        }
    }

    CHECK(both == Words{});
}

CASE(ADP_3, prepared, "is prepared for threads") {
    stage.require(Feature::threads);

    CHECK(stage.subject().use_threads() == 0);
}

CASE(ADP_4, each_its_own, "gives two loops that are not the same, and takes both back") {
    Subject& subject = stage.subject();
    ForeignLoop* const first = subject.loop_new();
    ForeignLoop* const second = subject.loop_new();
    REQUIRE(first != nullptr);
    REQUIRE(second != nullptr);

    CHECK(first != second);
    subject.loop_free(first);
    subject.loop_free(second);
}

CASE(ADP_5, nothing_to_do, "returns from a turn of an empty loop") {
    Subject& subject = stage.subject();
    ForeignLoop* const loop = subject.loop_new();
    REQUIRE(loop != nullptr);

    // One that waits is ended there, and fails so.
    for (int turn = 0; turn < 3; ++turn) CHECK(subject.loop_turn(loop) != -1);
    subject.loop_free(loop);
}
