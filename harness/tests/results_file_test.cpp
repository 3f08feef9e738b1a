// Results written through, and read back; what is no results file is refused with its line.
#include "harness/results/results_file.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "harness/tests/scratch_file.h"

using namespace hark;
using nlohmann::json;

namespace {

const json header = {{"kind", "header"}, {"schema", results_schema}};

json row(std::uint64_t number, const char* verdict, bool as_expected = true) {
    return {
        {"kind", "row"}, {"number", number}, {"verdict", verdict}, {"as_expected", as_expected}};
}

std::vector<json> lines_of(const std::string& path) {
    std::ifstream in(path);
    std::vector<json> all;
    for (std::string line; std::getline(in, line);) all.push_back(json::parse(line));
    return all;
}

// What is said after the path when row 1 is asked for.
std::string refusal_of(std::string_view content) {
    const ScratchFile file(content);
    try {
        (void)read_row(file.path(), 1);
    } catch (const BadResults& bad) {
        const std::string what = bad.what();
        REQUIRE(what.starts_with(file.path()));
        return what.substr(file.path().size());
    }
    return "";
}

}  // namespace

TEST_CASE("a results file has a header, its rows, and a footer that counts them") {
    const ScratchFile beside("");
    const std::string folder = beside.folder() + "/made/for/it";
    ResultsWriter writer(folder, header);
    writer.add(row(1, "pass"));
    writer.add(row(2, "fail", false));
    writer.add(row(3, "pass"));
    writer.add_beside({{"kind", "finding"}});
    writer.finish("complete", 7);

    CHECK(writer.path() == folder + "/results.jsonl");
    const auto lines = lines_of(writer.path());
    REQUIRE(lines.size() == 6);
    CHECK(lines[0] == header);
    CHECK(lines[2] == row(2, "fail", false));
    CHECK(lines[5]["kind"] == "footer");
    CHECK(lines[5]["rows"] == 3);
    CHECK(lines[5]["as_expected"] == 2);
    CHECK(lines[5]["verdicts"] == json{{"fail", 1}, {"pass", 2}});
    CHECK(lines[5]["ended"] == "complete");
    CHECK(lines[5]["duration_us"] == 7);
}

TEST_CASE("a row is in the file before the next is written") {
    const ScratchFile beside("");
    ResultsWriter writer(beside.folder(), header);
    writer.add(row(1, "pass"));
    CHECK(lines_of(writer.path()).size() == 2);
    CHECK(read_row(writer.path(), 1) == row(1, "pass"));
}

TEST_CASE("a new run begins its file anew") {
    const ScratchFile beside("what was there before\n", "results.jsonl");
    ResultsWriter writer(beside.folder(), header);
    CHECK(lines_of(writer.path()).size() == 1);
}

TEST_CASE("bytes that are no UTF-8 do not make it a file that nobody can read") {
    const ScratchFile beside("");
    ResultsWriter writer(beside.folder(), header);
    json odd = row(1, "pass");
    odd["said"] = "a\xff\xfe";
    writer.add(odd);
    CHECK(lines_of(writer.path())[1]["said"] == "a\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_CASE("what cannot be written is told with its path and the reason") {
    const ScratchFile file("");
    CHECK_THROWS_WITH_AS(ResultsWriter(file.path() + "/below", header),
                         doctest::Contains("/file/below: the folder cannot be made"),
                         UnwritableResults);
    std::filesystem::create_symlink("/dev/full", file.folder() + "/results.jsonl");
    CHECK_THROWS_WITH_AS(ResultsWriter(file.folder(), header),
                         doctest::Contains("it cannot be written: No space left on device"),
                         UnwritableResults);
}

TEST_CASE("a row is found by its number, whatever its place") {
    const ScratchFile file(header.dump() + "\n" + row(5, "fail").dump() + "\n" +
                           R"({"kind":"fault","number":9,"id":"a"})" + "\n");
    CHECK(read_row(file.path(), 5)["verdict"] == "fail");
    CHECK(read_row(file.path(), 9)["kind"] == "fault");
    CHECK_THROWS_AS((void)read_row(file.path(), 6), BadResults);
}

TEST_CASE("what is no results file is refused with its line") {
    const std::string head = header.dump() + "\n";
    CHECK(refusal_of("") == ": it has no row 1");
    CHECK(refusal_of("hello\n") == ":1: this is no line of a results file");
    CHECK(refusal_of("[]\n") == ":1: this is no line of a results file");
    CHECK(refusal_of("{\"kind\":1}\n") == ":1: this is no results file: a header was expected");
    CHECK(refusal_of(row(1, "pass").dump() + "\n") ==
          ":1: this is no results file: a header was expected");
    CHECK(refusal_of(head + head) == ":2: a second header");
    CHECK(refusal_of(head + "\n") == ":2: this is no line of a results file");
    CHECK(refusal_of(head + R"({"kind":"ro)") ==
          ":2: cut short: the last line is only part of one");
    CHECK(refusal_of(head.substr(0, 10)) == ":1: cut short: the last line is only part of one");
    CHECK(refusal_of(head) == ": it has no row 1");
}

TEST_CASE("a schema that is not this one's is refused") {
    CHECK(refusal_of("{\"kind\":\"header\",\"schema\":2}\n") ==
          ":1: written by a newer hark: schema 2, this one reads 1");
    CHECK(refusal_of("{\"kind\":\"header\",\"schema\":0}\n") ==
          ":1: no known schema: 0, this one reads 1");
    CHECK(refusal_of("{\"kind\":\"header\",\"schema\":\"1\"}\n") ==
          ":1: no known schema: \"1\", this one reads 1");
    CHECK(refusal_of("{\"kind\":\"header\"}\n") == ":1: no known schema: null, this one reads 1");
}

TEST_CASE("a folder is no results file") {
    const ScratchFile file("");
    CHECK_THROWS_WITH_AS((void)read_row(file.folder(), 1), doctest::Contains("this is a folder"),
                         BadResults);
}
