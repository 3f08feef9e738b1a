// The harness's own failures: Broken is what it throws when it could not do its part, never when
// the subject did not do its own.
#pragma once

#include <cerrno>
#include <stdexcept>
#include <string>

#include "harness/errno.h"

namespace hark {

// The verdict of whatever was running becomes `error`.
class Broken : public std::runtime_error {
  public:
    explicit Broken(const std::string& what) : std::runtime_error(what) {}
    Broken(const std::string& attempted, Errno error)
        : std::runtime_error(attempted + ": " + error.name() + " (" + error.text() + ")") {}
};

// Wraps each system call that the harness makes for itself: gives the value back, or throws Broken
// with what was attempted and what came of it when the value is -1.
template <typename Value>
Value must(Value value, const std::string& attempted) {
    const Errno error = Errno::last();
    if (value == static_cast<Value>(-1)) throw Broken(attempted, error);
    return value;
}

}  // namespace hark
