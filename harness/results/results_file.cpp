#include "harness/results/results_file.h"

#include <filesystem>
#include <fstream>

#include "harness/errno.h"
#include "harness/results/machine.h"

namespace hark {

using nlohmann::json;

ResultsWriter::ResultsWriter(const std::string& folder, const json& header) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) throw UnwritableResults(folder + ": the folder cannot be made: " + error.message());
    path_ = folder + "/results.jsonl";
    file_ = std::fopen(path_.c_str(), "we");
    if (file_ == nullptr) {
        throw UnwritableResults(path_ + ": it cannot be written: " + Errno::last().text());
    }
    write(header);
}

ResultsWriter::~ResultsWriter() {
    if (file_ != nullptr) (void)std::fclose(file_);
}

void ResultsWriter::add(const json& row) {
    write(row);
    ++rows_;
    ++verdicts_[row["verdict"].get<std::string>()];
    if (row["as_expected"].get<bool>()) ++as_expected_;
}

void ResultsWriter::finish(const std::string& ended, std::uint64_t duration_us) {
    if (file_ == nullptr) return;
    write({{"kind", "footer"},
           {"rows", rows_},
           {"verdicts", verdicts_},
           {"as_expected", as_expected_},
           {"ended", ended},
           {"finished", now_utc()},
           {"duration_us", duration_us}});
    std::FILE* file = std::exchange(file_, nullptr);
    if (std::fclose(file) != 0) {
        throw UnwritableResults(path_ + ": it cannot be written: " + Errno::last().text());
    }
}

void ResultsWriter::write(const json& line) {
    // What a subject said may be no UTF-8; a results file always is.
    const std::string text = line.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
    if (std::fwrite(text.data(), 1, text.size(), file_) == text.size() && std::fflush(file_) == 0) {
        return;
    }
    const Errno error = Errno::last();
    // What was written of the line stays half a line: nothing may follow it.
    (void)std::fclose(std::exchange(file_, nullptr));
    throw UnwritableResults(path_ + ": it cannot be written: " + error.text());
}

json read_row(const std::string& path, std::uint64_t number) {
    if (std::filesystem::is_directory(path)) throw BadResults(path + ": this is a folder");
    std::ifstream in(path);
    if (!in) throw BadResults(path + ": it cannot be read: " + Errno::last().text());
    std::string line;
    for (std::uint64_t at = 1; std::getline(in, line); ++at) {
        const auto refuse = [&](const std::string& why) {
            throw BadResults(path + ":" + std::to_string(at) + ": " + why);
        };
        const json parsed = json::parse(line, nullptr, false);
        if (!parsed.is_object() || !parsed.contains("kind")) {
            refuse(in.eof() ? "cut short: the last line is only part of one"
                            : "this is no line of a results file");
        }
        if ((parsed["kind"] == "header") != (at == 1)) {
            refuse(at == 1 ? "this is no results file: a header was expected" : "a second header");
        }
        if (at == 1 && parsed.value("schema", json()) != results_schema) {
            const json schema = parsed.value("schema", json());
            const bool newer = schema.is_number_integer() && schema > results_schema;
            refuse((newer ? "written by a newer hark: schema " : "no known schema: ") +
                   schema.dump(-1, ' ', true, json::error_handler_t::replace) +
                   ", this one reads " + std::to_string(results_schema));
        }
        if (at > 1 && parsed["kind"] != "footer" && parsed.value("number", json()) == number) {
            return parsed;
        }
    }
    throw BadResults(path + ": it has no row " + std::to_string(number));
}

}  // namespace hark
