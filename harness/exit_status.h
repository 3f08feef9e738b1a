// What `hark` exits with; `hark --help` prints them, and the reports' commands use the same.
#pragma once

namespace hark {

enum ExitStatus : int {
    exit_as_expected = 0,
    exit_unexpected = 1,  // the subject failed, or passed, where that was not foreseen
    exit_broken = 2,      // Hark could not do its part, or a fault never fired
    exit_nothing = 3,     // nothing was selected, or nothing ran
    exit_incomplete = 4,  // shards were merged that do not make a whole
    exit_usage = 64,      // sysexits.h: EX_USAGE, EX_DATAERR, EX_NOINPUT
    exit_bad_data = 65,
    exit_no_input = 66,
    exit_interrupted = 130,  // 128 and SIGINT, as a shell counts
};

}  // namespace hark
