#include "harness/cli/subject_choice.h"

#include <algorithm>
#include <filesystem>

#include "harness/campaign/selection.h"
#include "harness/fault/nearest.h"
#include "harness/places.h"
#include "harness/subject/loading.h"

namespace hark::cli {

namespace fs = std::filesystem;

namespace {

// The adapter that binds any library with the evconnlistener ABI.
constexpr char abi_adapter[] = "libevent";

std::string expectations_of(const std::string& name) {
    const auto file = places::expectations(name);
    return file ? file->string() : "";
}

// An adapter that lies anywhere, with NAME.expected.toml beside it if there is one.
SubjectChoice adapter_at(const std::string& word, const fs::path& file) {
    const fs::path beside = fs::path(file).replace_extension(".expected.toml");
    return {.label = word,
            .adapter = file.string(),
            .name = file.stem().string(),
            .library = "",
            .expectations = fs::exists(beside) ? beside.string() : ""};
}

SubjectChoice choose_file(const std::string& word) {
    if (!fs::exists(word)) throw NoSuchFile(word + ": there is no such library");
    if (!fs::is_regular_file(word)) throw BadLibrary(word + ": it is no file");
    const std::string why = why_not_a_library(word);
    if (!why.empty()) throw BadLibrary(word + ": " + why);
    const fs::path file = fs::absolute(word).lexically_normal();
    if (const auto made_for = interface_of_adapter(file.string())) {
        if (*made_for == interface_of_hark()) return adapter_at(word, file);
        throw BadLibrary(word + ": it is an adapter for interface " + *made_for +
                         ", and this Hark has " + interface_of_hark() +
                         ": build it again with this Hark's listener_api.h");
    }
    return {.label = word,
            .adapter = places::adapter(abi_adapter)->string(),
            .name = abi_adapter,
            .library = file.string(),
            .expectations = expectations_of(abi_adapter)};
}

}  // namespace

SubjectChoice choose_subject(const std::string& word) {
    if (word.find('/') != std::string::npos) return choose_file(word);
    if (const auto adapter = places::adapter(word)) {
        return {.label = word,
                .adapter = adapter->string(),
                .name = word,
                .library = "",
                .expectations = expectations_of(word)};
    }
    const auto missing = places::missing_adapters();
    if (const auto found = missing.find(word); found != missing.end()) {
        throw UnknownName("the subject '" + word + "' was not built: " + found->second);
    }
    const auto names = places::adapters();
    const std::vector<std::string_view> known(names.begin(), names.end());
    std::string message = "there is no subject '" + word + "'";
    if (const auto near = nearest(word, known))
        message += "; did you mean " + std::string(*near) + "?";
    throw UnknownName(message + " (hark list subjects; a file is given by its path, with a slash)");
}

std::vector<SubjectChoice> choose_subjects(const std::vector<std::string>& words) {
    std::vector<SubjectChoice> all;
    const auto add = [&](const std::string& word) {
        const auto same = [&](const SubjectChoice& each) { return each.label == word; };
        if (std::none_of(all.begin(), all.end(), same)) all.push_back(choose_subject(word));
    };
    for (const auto& word : words) {
        if (word != "all") {
            add(word);
            continue;
        }
        for (const auto& name : places::adapters()) add(name);
    }
    return all;
}

}  // namespace hark::cli
