#include "harness/results/results_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "harness/errno.h"
#include "harness/results/machine.h"

namespace hark {

using nlohmann::json;

namespace {

[[noreturn]] void refuse(const std::string& path, Errno error) {
    throw UnwritableResults(path + ": it cannot be written: " + error.text());
}

}  // namespace

Fd open_alone(const std::string& path) {
    Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    if (!file.is_open()) refuse(path, Errno::last());
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) refuse(path, Errno::last());
    // A device is nobody's: two runs into /dev/full or a pipe take nothing from each other.
    if (!S_ISREG(status.st_mode)) return file;
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
    const Errno error = Errno::last();
    if (error != Errno(EWOULDBLOCK)) refuse(path, error);
    const auto folder = std::filesystem::path(path).parent_path();
    throw UnwritableResults((folder.empty() ? "." : folder.string()) +
                            ": another hark is writing its results there (" + path +
                            "); give this one a folder of its own, or wait for the other");
}

void RowCounts::add(const json& row) {
    ++rows;
    ++verdicts[row.at("verdict").get<std::string>()];
    if (row.at("as_expected").get<bool>()) ++as_expected;
}

ResultsWriter::ResultsWriter(const std::string& folder, const json& header) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) throw UnwritableResults(folder + ": the folder cannot be made: " + error.message());
    path_ = folder + "/results.jsonl";
    start_at(open_alone(path_), 0);
    write(header);
}

ResultsWriter::ResultsWriter(const std::string& path, Fd file, std::uint64_t size,
                             RowCounts counted)
    : path_(path), counted_(std::move(counted)) {
    start_at(std::move(file), size);
}

void ResultsWriter::start_at(Fd file, std::uint64_t size) {
    const auto end = static_cast<off_t>(size);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) refuse(path_, Errno::last());
    const bool is_file = S_ISREG(status.st_mode);
    if (is_file &&
        (::ftruncate(file.get(), end) != 0 || ::lseek(file.get(), end, SEEK_SET) == -1)) {
        refuse(path_, Errno::last());
    }
    file_ = ::fdopen(file.get(), "w");
    if (file_ == nullptr) refuse(path_, Errno::last());
    (void)file.release();
}

ResultsWriter::~ResultsWriter() {
    if (file_ != nullptr) (void)std::fclose(file_);
}

void ResultsWriter::add(const json& row) {
    write(row);
    counted_.add(row);
}

void ResultsWriter::finish(const std::string& ended, std::uint64_t duration_us) {
    if (file_ == nullptr) return;
    write({{"kind", "footer"},
           {"rows", counted_.rows},
           {"verdicts", counted_.verdicts},
           {"as_expected", counted_.as_expected},
           {"ended", ended},
           {"finished", now_utc()},
           {"duration_us", duration_us}});
    std::FILE* file = std::exchange(file_, nullptr);
    if (std::fclose(file) != 0) refuse(path_, Errno::last());
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
    refuse(path_, error);
}

void check_header(const json& line, const std::string& path) {
    const auto refuse = [&](const std::string& why) { throw BadResults(path + ":1: " + why); };
    if (!line.is_object() || line.value("kind", json()) != "header") {
        refuse("this is no results file: a header was expected");
    }
    const json schema = line.value("schema", json());
    if (schema == results_schema) return;
    const bool newer = schema.is_number_integer() && schema > results_schema;
    refuse((newer ? "written by a newer hark: schema " : "no known schema: ") +
           schema.dump(-1, ' ', true, json::error_handler_t::replace) + ", this one reads " +
           std::to_string(results_schema));
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
        if (at == 1) check_header(parsed, path);
        if (at > 1 && parsed["kind"] == "header") refuse("a second header");
        if (at > 1 && parsed["kind"] != "footer" && parsed.value("number", json()) == number) {
            return parsed;
        }
    }
    throw BadResults(path + ": it has no row " + std::to_string(number));
}

}  // namespace hark
