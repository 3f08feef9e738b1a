// One value of errno, as a type of its own: it compares with another Errno and with nothing else,
// so that it cannot be mistaken for a return value or its negative.
#pragma once

#include <cerrno>
#include <cstring>
#include <ostream>
#include <string>

namespace hark {

class Errno {
  public:
    explicit constexpr Errno(int value) : value_(value) {}

    // Reads errno, so it stands on the line after the call that set it.
    [[nodiscard]] static Errno last() { return Errno(errno); }

    [[nodiscard]] constexpr int value() const { return value_; }

    // As a C program writes it, "EMFILE".
    [[nodiscard]] std::string name() const {
        const char* known = strerrorname_np(value_);
        return known != nullptr ? known : "errno " + std::to_string(value_);
    }

    // As perror prints it in the C locale, "Too many open files"; a result must not depend on the
    // language of whoever runs it.
    [[nodiscard]] std::string text() const {
        const char* known = strerrordesc_np(value_);
        return known != nullptr ? known : "Unknown error " + std::to_string(value_);
    }

    friend constexpr bool operator==(Errno, Errno) = default;
    friend std::ostream& operator<<(std::ostream& out, Errno error) { return out << error.name(); }

  private:
    int value_;
};

}  // namespace hark
