#include "harness/cli/subject_choice.h"

#include <algorithm>
#include <filesystem>

#include "harness/campaign/selection.h"
#include "harness/fault/nearest.h"
#include "harness/places.h"
#include "harness/subject/loading.h"

namespace hark::cli {

namespace {

// The adapter that binds any library with the evconnlistener ABI.
constexpr char abi_adapter[] = "libevent";

}  // namespace

SubjectChoice choose_subject(const std::string& word) {
    if (word.find('/') != std::string::npos) {
        if (!std::filesystem::exists(word)) throw NoSuchFile(word + ": there is no such library");
        if (!std::filesystem::is_regular_file(word)) throw BadLibrary(word + ": it is no file");
        const std::string why = why_not_a_library(word);
        if (!why.empty()) throw BadLibrary(word + ": " + why);
        return {word, places::adapter(abi_adapter)->string(), abi_adapter,
                std::filesystem::absolute(word).lexically_normal().string()};
    }
    if (const auto adapter = places::adapter(word)) return {word, adapter->string(), word, ""};
    const auto missing = places::missing_adapters();
    if (const auto found = missing.find(word); found != missing.end()) {
        throw UnknownName("the subject '" + word + "' was not built: " + found->second);
    }
    const auto names = places::adapters();
    const std::vector<std::string_view> known(names.begin(), names.end());
    std::string message = "there is no subject '" + word + "'";
    if (const auto near = nearest(word, known))
        message += "; did you mean " + std::string(*near) + "?";
    throw UnknownName(message +
                      " (hark list subjects; a library is given by its path, with a slash)");
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
