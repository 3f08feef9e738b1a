// The Python package that does all that people look at, started as a command of its own.
#pragma once

#include <string>
#include <vector>

namespace hark::cli {

// Becomes it; throws Broken where it cannot be started.
[[noreturn]] void become_python_package(const std::string& verb,
                                        const std::vector<std::string>& words);

// Starts it and waits for it; gives what it exits with.
[[nodiscard]] int run_python_package(const std::string& verb,
                                     const std::vector<std::string>& words);

// Likewise; gives what it prints.  Throws Broken unless it exits with zero.
[[nodiscard]] std::string answer_of_python_package(const std::string& verb,
                                                   const std::vector<std::string>& words);

}  // namespace hark::cli
