// A file that is not whole: what of it is kept, what is refused, and that one process has it.
#include "harness/results/unfinished.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "harness/results/results_file.h"
#include "harness/tests/scratch_file.h"

using namespace hark;
using nlohmann::json;

namespace {

const std::string header = json{{"kind", "header"}, {"schema", results_schema}}.dump() + "\n";

std::string run(int number) {
    return json{{"kind", "fault"}, {"number", number}, {"verdict", "pass"}, {"as_expected", true}}
               .dump() +
           "\n";
}

std::string footer(const char* ended) {
    return json{{"kind", "footer"}, {"ended", ended}, {"duration_us", 7}}.dump() + "\n";
}

std::string content_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

// How many runs are read, and the file as it is gone on with.
std::pair<int, std::string> kept_of(const std::string& content) {
    const ScratchFile file(content);
    UnfinishedResults unfinished(file.path());
    RowCounts counted;
    while (const auto one = unfinished.next_run()) counted.add(*one);
    const int runs = static_cast<int>(counted.rows);
    {
        const std::uint64_t size = unfinished.size_kept();
        ResultsWriter writer(file.path(), unfinished.release(), size, std::move(counted));
        writer.add(json::parse(run(9)));
    }
    return {runs, content_of(file.path())};
}

std::string refusal_of(const std::string& content) {
    const ScratchFile file(content);
    try {
        UnfinishedResults unfinished(file.path());
        while (unfinished.next_run()) continue;
    } catch (const BadResults& bad) {
        CHECK(content_of(file.path()) == content);
        return std::string(bad.what()).substr(file.path().size());
    }
    return "";
}

}  // namespace

TEST_CASE("whole lines are kept, and what follows the runs is written anew") {
    const std::string two = header + run(1) + run(2);
    const std::string three = two + run(9);
    const std::string finding = R"({"kind":"finding"})"
                                "\n";
    CHECK(kept_of(two) == std::pair(2, three));
    CHECK(kept_of(two + run(3).substr(0, 9)) == std::pair(2, three));
    CHECK(kept_of(two + R"({"kind":"fault"})") == std::pair(2, three));
    CHECK(kept_of(two + finding) == std::pair(2, three));
    CHECK(kept_of(two + finding + footer("interrupted")) == std::pair(2, three));
    CHECK(kept_of(two + footer("failed")) == std::pair(2, three));
    CHECK(kept_of(header) == std::pair(0, header + run(9)));
}

TEST_CASE("a footer tells how long it took, and whether anything is left to do") {
    const ScratchFile file(header + run(1) + footer("interrupted"));
    CHECK(UnfinishedResults(file.path()).duration_us() == 7);
    CHECK(refusal_of(header + run(1) + footer("complete")) ==
          ": it is complete, there is nothing left of it to run");
    CHECK(UnfinishedResults(ScratchFile(header).path()).duration_us() == 0);
}

TEST_CASE("what is none is refused with its line, and left as it is") {
    CHECK(refusal_of("") == ":1: it ends within its header, so nothing of it can be kept");
    CHECK(refusal_of(header.substr(0, 9)) ==
          ":1: it ends within its header, so nothing of it can be kept");
    CHECK(refusal_of("hello\n") == ":1: this is no results file: a header was expected");
    CHECK(refusal_of(run(1)) == ":1: this is no results file: a header was expected");
    CHECK(refusal_of(header + "hello\n" + run(1)) == ":2: this is no line of a results file");
    CHECK(refusal_of(header + run(1) + header) == ":3: a run of a sweep was expected");
}

TEST_CASE("a results file is one writer's at a time") {
    const ScratchFile file("", "results.jsonl");
    const json first = json::parse(header);
    {
        ResultsWriter writer(file.folder(), first);
        CHECK_THROWS_WITH_AS(ResultsWriter(file.folder(), first),
                             doctest::Contains("another hark is writing its results there"),
                             UnwritableResults);
        CHECK_THROWS_AS(UnfinishedResults(file.path()), UnwritableResults);
        CHECK(content_of(file.path()) == header);
    }
    {
        UnfinishedResults reader(file.path());
        CHECK_THROWS_AS(ResultsWriter(file.folder(), first), UnwritableResults);
    }
    CHECK_NOTHROW(ResultsWriter(file.folder(), first));
}
