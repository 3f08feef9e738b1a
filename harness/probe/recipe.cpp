#include "harness/probe/recipe.h"

#include <toml++/toml.h>
#include <unistd.h>
#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <string_view>

#include "harness/places.h"

namespace hark::probe {

namespace fs = std::filesystem;

namespace {

class RecipeFile {
  public:
    explicit RecipeFile(fs::path file) : file_(std::move(file)) {}
    [[nodiscard]] Recipe read() const;

  private:
    [[noreturn]] void refuse(const toml::source_region& at, const std::string& why) const {
        throw BadRecipe(file_.string() + ":" + std::to_string(at.begin.line) + ": " + why);
    }
    void refuse_unknown_keys(const toml::table& table,
                             std::initializer_list<std::string_view> keys) const;
    [[nodiscard]] std::string text_of(const toml::table& table, const char* key) const;
    [[nodiscard]] std::vector<std::string> texts_of(const toml::table& table,
                                                    const char* key) const;
    [[nodiscard]] const toml::table* table_of(const toml::table& whole, const char* key) const;
    [[nodiscard]] std::string as_bytes(const toml::table& whole, const char* key,
                                       const std::string& text) const;
    void read_files(const toml::table& whole, Recipe& recipe) const;
    void read_documented(const toml::table& whole, Recipe& recipe) const;

    fs::path file_;
};

void RecipeFile::refuse_unknown_keys(const toml::table& table,
                                     std::initializer_list<std::string_view> keys) const {
    for (const auto& [key, value] : table) {
        if (std::find(keys.begin(), keys.end(), key.str()) != keys.end()) continue;
        std::string known;
        for (const auto each : keys) known += (known.empty() ? "" : ", ") + std::string(each);
        refuse(key.source(),
               "unknown key '" + std::string(key.str()) + "'; one of " + known + " was expected");
    }
}

std::string RecipeFile::text_of(const toml::table& table, const char* key) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return "";
    const auto* text = node->as_string();
    if (text == nullptr || text->get().empty()) {
        refuse(node->source(), std::string("'") + key + "' is no text; a string was expected");
    }
    return text->get();
}

std::vector<std::string> RecipeFile::texts_of(const toml::table& table, const char* key) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return {};
    const std::string due =
        std::string("'") + key + "' is no array of strings; [\"one\", \"two\"] was expected";
    const toml::array* all = node->as_array();
    if (all == nullptr || all->empty()) refuse(node->source(), due);
    std::vector<std::string> texts;
    for (const auto& each : *all) {
        const auto* text = each.as_string();
        if (text == nullptr) refuse(each.source(), due);
        texts.push_back(text->get());
    }
    return texts;
}

const toml::table* RecipeFile::table_of(const toml::table& whole, const char* key) const {
    const toml::node* node = whole.get(key);
    if (node == nullptr) return nullptr;
    const toml::table* table = node->as_table();
    if (table == nullptr) {
        refuse(node->source(),
               std::string("'") + key + "' is no table; [" + key + "] was expected");
    }
    return table;
}

// TOML is UTF-8, and protocols have bytes of their own: of these two texts a character up to U+00FF
// is the byte of that number.
std::string RecipeFile::as_bytes(const toml::table& whole, const char* key,
                                 const std::string& text) const {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto lead = static_cast<unsigned char>(text[i]);
        if (lead < 0x80) {
            bytes += text[i];
        } else if (lead == 0xC2 || lead == 0xC3) {
            const auto low = static_cast<unsigned char>(text[++i]);
            bytes += static_cast<char>((lead & 0x03u) << 6 | (low & 0x3Fu));
        } else {
            refuse(whole.get(key)->source(), std::string("'") + key +
                                                 "' has a character that is no byte; up to "
                                                 "\\u00FF was expected");
        }
    }
    return bytes;
}

void RecipeFile::read_files(const toml::table& whole, Recipe& recipe) const {
    const toml::table* files = table_of(whole, "files");
    if (files == nullptr) return;
    for (const auto& [key, value] : *files) {
        const std::string name(key.str());
        const fs::path path(name);
        const bool leaves = std::find(path.begin(), path.end(), "..") != path.end();
        if (name.empty() || path.is_absolute() || leaves) {
            refuse(key.source(),
                   "'" + name + "' lies outside {folder}; a path below it was expected");
        }
        const auto* text = value.as_string();
        if (text == nullptr) {
            refuse(value.source(), "'" + name + "' is no text; the content of a file was expected");
        }
        recipe.files.emplace(name, text->get());
    }
}

void RecipeFile::read_documented(const toml::table& whole, Recipe& recipe) const {
    const toml::table* documented = table_of(whole, "documented");
    if (documented == nullptr) return;
    refuse_unknown_keys(*documented, {"says", "where"});
    recipe.says = text_of(*documented, "says");
    recipe.where = text_of(*documented, "where");
    if (recipe.says.empty() || recipe.where.empty()) {
        refuse(documented->source(), "'says' and 'where' were both expected");
    }
}

Recipe RecipeFile::read() const {
    toml::table whole;
    try {
        whole = toml::parse_file(file_.string());
    } catch (const toml::parse_error& error) {
        refuse(error.source(), std::string(error.description()));
    }
    refuse_unknown_keys(whole, {"title", "command", "package", "send", "answer", "again", "logs",
                                "files", "documented"});
    Recipe recipe{.name = file_.stem().string(),
                  .title = text_of(whole, "title"),
                  .command = texts_of(whole, "command"),
                  .package = text_of(whole, "package"),
                  .send = text_of(whole, "send"),
                  .answer = text_of(whole, "answer"),
                  .logs = texts_of(whole, "logs"),
                  .files = {},
                  .says = {},
                  .where = {},
                  .file = file_};
    if (recipe.title.empty())
        refuse(whole.source(), "'title' is missing; a name for people was expected");
    if (recipe.command.empty())
        refuse(whole.source(), "'command' is missing; its words were expected");
    if (const toml::node* again = whole.get("again")) {
        if (!again->is_boolean()) refuse(again->source(), "'again' is neither true nor false");
        recipe.again = again->as_boolean()->get();
    }
    constexpr std::string_view of_names = "abcdefghijklmnopqrstuvwxyz0123456789+-.";
    if (recipe.package.find_first_not_of(of_names) != std::string::npos) {
        refuse(whole.get("package")->source(), "'package' is no name of a Debian package");
    }
    recipe.send = as_bytes(whole, "send", recipe.send);
    recipe.answer = as_bytes(whole, "answer", recipe.answer);
    read_files(whole, recipe);
    read_documented(whole, recipe);
    return recipe;
}

void replace_all(std::string& text, std::string_view what, const std::string& with) {
    for (auto at = text.find(what); at != std::string::npos;
         at = text.find(what, at + with.size())) {
        text.replace(at, what.size(), with);
    }
}

}  // namespace

Recipe read_recipe(const fs::path& file) { return RecipeFile(file).read(); }

std::vector<Recipe> all_recipes() {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(places::servers())) {
        const auto& path = entry.path();
        const bool is_expectations = path.stem().extension() == ".expected";
        if (path.extension() == ".toml" && !is_expectations) files.push_back(path);
    }
    std::sort(files.begin(), files.end());
    std::vector<Recipe> all;
    for (const auto& each : files) all.push_back(read_recipe(each));
    return all;
}

std::optional<Recipe> recipe_named(const std::string& name) {
    const auto file = places::servers() / (name + ".toml");
    if (name.find('/') != std::string::npos || !fs::exists(file)) return std::nullopt;
    return read_recipe(file);
}

std::string filled(std::string text, const Places& places) {
    replace_all(text, "{folder}", places.folder.string());
    replace_all(text, "{port}", std::to_string(places.port));
    replace_all(text, "{programs}", places.programs.string());
    return text;
}

std::optional<fs::path> program_of(const std::string& word) {
    const auto is_program = [](const fs::path& file) {
        std::error_code ignored;
        return !fs::is_directory(file, ignored) && ::access(file.c_str(), X_OK) == 0;
    };
    if (word.find('/') != std::string::npos) {
        return is_program(word) ? std::optional<fs::path>(fs::absolute(word)) : std::nullopt;
    }
    const char* path = std::getenv("PATH");
    // Servers lie where a user's own PATH often doesn't lead.
    std::istringstream folders((path == nullptr ? "" : std::string(path)) + ":/usr/sbin:/sbin");
    for (std::string folder; std::getline(folders, folder, ':');) {
        const fs::path file = fs::path(folder.empty() ? "." : folder) / word;
        if (is_program(file)) return fs::absolute(file);
    }
    return std::nullopt;
}

}  // namespace hark::probe
