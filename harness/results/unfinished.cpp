#include "harness/results/unfinished.h"

#include <algorithm>
#include <filesystem>

#include "harness/results/results_file.h"

namespace hark {

using nlohmann::json;

namespace {

// More than any footer takes.
constexpr std::uintmax_t footer_room = 4096;

}  // namespace

UnfinishedResults::UnfinishedResults(const std::string& path) : path_(path) {
    if (std::filesystem::is_directory(path)) throw BadResults(path + ": this is a folder");
    file_ = open_alone(path);
    in_.open(path, std::ios::binary);
    std::string line;
    if (!next_line(line)) {
        line_number_ = 1;
        refuse("it ends within its header, so nothing of it can be kept");
    }
    header_ = json::parse(line, nullptr, false);
    check_header(header_, path_);
    size_kept_ = size_read_;
    look_at_the_end();
}

std::optional<json> UnfinishedResults::next_run() {
    std::string line;
    if (!next_line(line)) return std::nullopt;
    json run = json::parse(line, nullptr, false);
    if (!run.is_object() || !run.contains("kind")) refuse("this is no line of a results file");
    if (run["kind"] == "finding" || run["kind"] == "footer") return std::nullopt;
    if (run["kind"] != "fault") refuse("a run of a sweep was expected");
    size_kept_ = size_read_;
    return run;
}

void UnfinishedResults::refuse(const std::string& why) const {
    throw BadResults(path_ + ":" + std::to_string(line_number_) + ": " + why);
}

// A whole one, with its end.
bool UnfinishedResults::next_line(std::string& line) {
    if (!std::getline(in_, line) || in_.eof()) return false;
    ++line_number_;
    size_read_ += line.size() + 1;
    return true;
}

// The footer says whether there is anything to go on with, before it has all been read.
void UnfinishedResults::look_at_the_end() {
    const std::uintmax_t size = std::filesystem::file_size(path_);
    std::ifstream end(path_, std::ios::binary);
    end.seekg(static_cast<std::streamoff>(size - std::min(size, footer_room)));
    std::string line;
    std::string last;
    while (std::getline(end, line)) last = line;
    const json footer = json::parse(last, nullptr, false);
    if (!footer.is_object() || footer.value("kind", json()) != "footer") return;
    if (footer.value("ended", json()) == "complete") {
        throw BadResults(path_ + ": it is complete, there is nothing left of it to run");
    }
    const json duration = footer.value("duration_us", json());
    if (duration.is_number_unsigned()) duration_us_ = duration.get<std::uint64_t>();
}

}  // namespace hark
