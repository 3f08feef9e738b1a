// A recipe: how one server is started, spoken to and understood, one TOML file each.
//
//   title     what people call it; needed
//   command   the words of its command; needed.  {folder} is a folder of its own that is gone with
//             the probe, {port} the port, {programs} where Hark's own little servers lie
//   package   the Debian package that brings it; none for what Hark brings along
//   send      what a client says, a character a byte up to U+00FF; absent where the server speaks
//   first, or nobody speaks answer    what the server's answer begins with; absent: the connection
//   is accepted, and that is
//             all that is looked at
//   again     whether a client may ask again on the same connection; true unless it is said
//   logs      files of {folder} that it writes its log to, beside its standard output and error
//   [files]   what is written into {folder} before it starts, by name; a name that ends in "/" is
//             a folder.  Everything in it belongs to whoever the server is run as
//   [documented]  says: what its documentation says of a failing accept; where: which page
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace hark::probe {

// The message names the file, the line and what was expected.
struct BadRecipe : std::runtime_error {
    using runtime_error::runtime_error;
};

struct Recipe {
    std::string name;
    std::string title;
    std::vector<std::string> command;
    std::string package;
    std::string send;
    std::string answer;
    bool again = true;
    std::vector<std::string> logs;
    std::map<std::string, std::string> files;
    std::string says;
    std::string where;
    std::filesystem::path file;  // it was read from; empty for a command that somebody typed

    // Whether a client can tell that it is served by more than being accepted.
    [[nodiscard]] bool answers() const { return !answer.empty(); }
    [[nodiscard]] bool can_ask_again() const { return again && answers() && !send.empty(); }
};

[[nodiscard]] Recipe read_recipe(const std::filesystem::path& file);

// The recipes that Hark has, by name: a recipe is found by being there.
[[nodiscard]] std::vector<Recipe> all_recipes();
[[nodiscard]] std::optional<Recipe> recipe_named(const std::string& name);

// What {folder}, {port} and {programs} stand for.
struct Places {
    std::filesystem::path folder;
    std::uint16_t port = 0;
    std::filesystem::path programs;
};
[[nodiscard]] std::string filled(std::string text, const Places& places);

// The program that a command starts, as execvp would find it; nothing if there is none.
[[nodiscard]] std::optional<std::filesystem::path> program_of(const std::string& word);

}  // namespace hark::probe
