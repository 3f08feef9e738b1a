// Recipes are read, filled in, and refused where they are wrong, with the place and what was
// expected.
#include "harness/probe/recipe.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "harness/probe/trial.h"
#include "harness/tests/scratch_file.h"

using namespace hark;
using namespace hark::probe;

namespace {

const std::string head = "title = \"One\"\ncommand = [\"one\", \"{port}\"]\n";

Recipe read(const std::string& more) {
    const ScratchFile file(head + more, "one.toml");
    return read_recipe(file.path());
}

// What is said after the path.
std::string refusal_of(const std::string& content) {
    const ScratchFile file(content, "one.toml");
    try {
        (void)read_recipe(file.path());
    } catch (const BadRecipe& bad) {
        const std::string what = bad.what();
        REQUIRE(what.starts_with(file.path()));
        return what.substr(file.path().size());
    }
    return "";
}

}  // namespace

TEST_CASE("a recipe says how a server is started and spoken to") {
    const Recipe recipe = read(
        "package = \"one-server\"\nsend = \"PING\\r\\n\"\nanswer = \"+PONG\"\nlogs = [\"log\"]\n"
        "[files]\n\"one.conf\" = \"port {port}\"\n[documented]\nsays = \"Nothing.\"\nwhere = "
        "\"one(8)\"\n");
    CHECK(recipe.name == "one");
    CHECK(recipe.command == std::vector<std::string>{"one", "{port}"});
    CHECK(recipe.send == "PING\r\n");
    CHECK(recipe.answers());
    CHECK(recipe.can_ask_again());
    CHECK(recipe.files.at("one.conf") == "port {port}");
    CHECK(recipe.where == "one(8)");
}

TEST_CASE("a client that says nothing, or says it once, cannot ask again") {
    CHECK_FALSE(read("answer = \"220\"\n").can_ask_again());
    CHECK_FALSE(read("send = \"a\"\nanswer = \"b\"\nagain = false\n").can_ask_again());
    CHECK_FALSE(read("").answers());
}

TEST_CASE("of what is said a character up to U+00FF is a byte") {
    CHECK(read("send = \"\\u0000\\u00d2\\u0016\\u00ff\"\n").send ==
          std::string("\0\xd2\x16\xff", 4));
    CHECK(refusal_of(head + "send = \"\\u0100\"\n").starts_with(":3: 'send' has a character"));
}

TEST_CASE("a recipe with a mistake is refused with its line") {
    CHECK(refusal_of("title = \"One\"\n").find("'command' is missing") != std::string::npos);
    CHECK(refusal_of("command = [\"one\"]\n").find("'title' is missing") != std::string::npos);
    CHECK(refusal_of(head + "port = 7\n").starts_with(":3: unknown key 'port'; one of title, "));
    CHECK(refusal_of(head + "send = 7\n").starts_with(":3: 'send' is no text"));
    CHECK(refusal_of(head + "again = 1\n").starts_with(":3: 'again' is neither"));
    CHECK(refusal_of(head + "logs = \"log\"\n").starts_with(":3: 'logs' is no array of strings"));
    CHECK(refusal_of(head + "package = \"a b\"\n").starts_with(":3: 'package' is no name"));
    CHECK(refusal_of(head + "[files]\n\"../up\" = \"\"\n").starts_with(":4: '../up' lies outside"));
    CHECK(refusal_of(head + "[files]\n\"/up\" = \"\"\n").starts_with(":4: '/up' lies outside"));
    CHECK(refusal_of(head + "[documented]\nsays = \"x\"\n").find("'says' and 'where'") !=
          std::string::npos);
    CHECK(refusal_of(head + "send = \"\n").starts_with(":3: "));
}

TEST_CASE("placeholders are filled in, and other braces stay") {
    const Places places{.folder = "/f", .port = 7, .programs = "/p"};
    CHECK(filled("{folder}/x {port} {programs} {other} {", places) == "/f/x 7 /p {other} {");
}

TEST_CASE("a program is found as execvp finds it, and where servers lie") {
    CHECK(program_of("sh").has_value());
    CHECK(program_of("/bin/sh") == std::filesystem::path("/bin/sh"));
    CHECK_FALSE(program_of("/etc").has_value());
    CHECK_FALSE(program_of("/etc/passwd").has_value());
    CHECK_FALSE(program_of("no-such-program").has_value());
}

TEST_CASE("every error of accept is tried, in the way that its class asks for") {
    const auto trial_of = [](const std::string& variant) {
        const auto& all = trials();
        const auto found = std::find_if(all.begin(), all.end(),
                                        [&](const Trial& each) { return each.variant == variant; });
        REQUIRE(found != all.end());
        return *found;
    };
    CHECK(trial_of("emfile").kind == Kind::shortage);
    CHECK(trial_of("emfile").rules.back() == "accept,accept4:error=EMFILE:when=1+2");
    CHECK(trial_of("econnaborted").kind == Kind::lost);
    CHECK(trial_of("eperm").kind == Kind::passing);
    CHECK(trial_of("ebadf").kind == Kind::for_good);
    CHECK(trial_of("enosys").rules.front() == "accept4:error=ENOSYS:when=1+");
    CHECK(trial_of("nofile").kind == Kind::kernel);
    for (const Trial& each : trials()) CHECK_FALSE(questions_of(each).empty());
}
