// What the person at the terminal sees: colour where it is wanted, one live line of progress.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <string_view>

#include "harness/campaign/run.h"

namespace hark::cli {

enum class Colour { automatic, always, never };

// Gives the command its --color.
void add_colour(CLI::App& command, Colour& colour);

// NO_COLOR, FORCE_COLOR and CLICOLOR_FORCE have their usual meaning; the option outranks them.
[[nodiscard]] bool wants_colour(Colour asked, std::FILE* stream);

class Paint {
  public:
    explicit Paint(bool on) : on_(on) {}
    [[nodiscard]] std::string good(std::string_view text) const { return in("32", text); }
    [[nodiscard]] std::string bad(std::string_view text) const { return in("1;31", text); }
    [[nodiscard]] std::string odd(std::string_view text) const { return in("33", text); }
    [[nodiscard]] std::string faint(std::string_view text) const { return in("2", text); }
    [[nodiscard]] std::string strong(std::string_view text) const { return in("1", text); }

  private:
    [[nodiscard]] std::string in(std::string_view code, std::string_view text) const;
    bool on_;
};

// On a terminal one line that is written anew; elsewhere a line every few seconds.  To standard
// error, so that what goes to standard output can be piped.
class ProgressLine {
  public:
    explicit ProgressLine(bool quiet);
    ~ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;
    void show(const Progress& progress);
    void clear();

  private:
    bool quiet_;
    bool terminal_;
    bool shown_ = false;
    double last_ = 0;
};

// From now on a limit on the size of files ends nothing, and Ctrl-C and SIGTERM only raise this
// flag; a second one ends the program at once.
void watch_for_interrupt();
[[nodiscard]] bool is_interrupted();

}  // namespace hark::cli
