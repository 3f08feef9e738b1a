#include "harness/cli/terminal.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <map>

namespace hark::cli {

namespace {

std::atomic<bool> interrupted{false};

void note_interrupt(int signal) {
    if (interrupted.exchange(true)) {
        (void)::signal(signal, SIG_DFL);
        (void)::raise(signal);
    }
}

bool is_set(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
}

constexpr double between_redraws = 0.1;
constexpr double between_lines = 5;

}  // namespace

void add_colour(CLI::App& command, Colour& colour) {
    static const std::map<std::string, Colour> meanings = {
        {"auto", Colour::automatic}, {"always", Colour::always}, {"never", Colour::never}};
    command
        .add_option_function<std::string>(
            "--color", [&colour](const std::string& word) { colour = meanings.at(word); },
            "auto, always or never")
        ->check(CLI::IsMember({"auto", "always", "never"}));
}

bool wants_colour(Colour asked, std::FILE* stream) {
    if (asked != Colour::automatic) return asked == Colour::always;
    if (is_set("NO_COLOR")) return false;
    if (is_set("FORCE_COLOR") || is_set("CLICOLOR_FORCE")) return true;
    const char* terminal = std::getenv("TERM");
    const bool dumb = terminal != nullptr && std::string_view(terminal) == "dumb";
    return ::isatty(::fileno(stream)) == 1 && !dumb;
}

std::string Paint::in(std::string_view code, std::string_view text) const {
    if (!on_) return std::string(text);
    return "\033[" + std::string(code) + "m" + std::string(text) + "\033[0m";
}

ProgressLine::ProgressLine(bool quiet) : quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() { clear(); }

void ProgressLine::show(const Progress& progress) {
    if (quiet_) return;
    const bool last = progress.done == progress.planned;
    const bool is_open = progress.planned == 0;  // nobody knows how many there will be
    const double pause = terminal_ ? between_redraws : between_lines;
    if (progress.seconds - last_ < pause && !(last && terminal_)) return;
    last_ = progress.seconds;
    const double rate = static_cast<double>(progress.done) / progress.seconds;
    const double left = static_cast<double>(progress.planned - progress.done) / rate;
    if (is_open) {
        (void)std::fprintf(
            stderr, "%s%llu runs, %llu not as expected, %.0f a second%s",
            terminal_ ? "\r\033[K" : "", static_cast<unsigned long long>(progress.done),
            static_cast<unsigned long long>(progress.failed), rate, terminal_ ? "" : "\n");
        (void)std::fflush(stderr);
        shown_ = terminal_;
        return;
    }
    (void)std::fprintf(
        stderr, "%s%llu of %llu runs, %llu not as expected, %.0f a second, %.0f s left%s",
        terminal_ ? "\r\033[K" : "", static_cast<unsigned long long>(progress.done),
        static_cast<unsigned long long>(progress.planned),
        static_cast<unsigned long long>(progress.failed), rate, left, terminal_ ? "" : "\n");
    (void)std::fflush(stderr);
    shown_ = terminal_;
}

void ProgressLine::clear() {
    if (shown_) (void)std::fputs("\r\033[K", stderr);
    shown_ = false;
}

void watch_for_interrupt() {
    struct sigaction action {};
    action.sa_handler = note_interrupt;
    (void)::sigaction(SIGINT, &action, nullptr);
    (void)::sigaction(SIGTERM, &action, nullptr);
    // A file that may not grow is told as an error of the write, like a disk that is full.
    (void)::signal(SIGXFSZ, SIG_IGN);
}

bool is_interrupted() { return interrupted.load(); }

}  // namespace hark::cli
