// One invocation of an intercepted call, from entry to return: who makes it, what the rules say of
// it, and its record.
//
// A visit exists only while the ledger is recording.  Calls that the subject did not make are
// neither counted nor recorded nor made to fail; of them, only descriptors and memory are followed.
#pragma once

#include <cerrno>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "shims/decide.h"
#include "shims/kernel.h"
#include "shims/ledger.h"
#include "shims/page.h"

namespace shim {

// How a call tells of failure.
enum class Reports : std::uint8_t { by_errno, by_value, by_null, never };

// The `flags` column of a call without flags.
struct NoFlags {};
inline constexpr NoFlags no_flags;

inline std::int64_t bits_of(NoFlags) { return 0; }
template <typename Flags>
std::int64_t bits_of(Flags flags) {
    return number_of(flags);
}

inline void clear_bits(NoFlags, std::int64_t) {}
template <typename Flags>
void clear_bits(Flags& flags, std::int64_t bits) {
    flags = static_cast<Flags>(number_of(flags) & ~bits);
}

struct Arguments {
    std::int64_t of[6];
};

template <typename... Values>
Arguments arguments_of(Values... values) {
    return {{number_of(values)...}};
}

// Facts of a row that the compiler can read off it.
struct Row {
    Call call;
    Reports reports;
    Capture captures;
    bool on_descriptor;  // its first parameter is called fd or epoll
};

constexpr bool names_descriptor(std::string_view parameters) {
    return parameters.starts_with("(int fd") || parameters.starts_with("(int epoll");
}

#define CALL(result, name, params, args, reports_by, captures, flags)                      \
    inline constexpr Row row_of_##name{Call::name, Reports::reports_by, Capture::captures, \
                                       names_descriptor(#params)};
#define BY_HAND CALL
#include "shims/calls.def"

class Visit {
  public:
    // `flags` is what a rule may drop bits of.
    Visit(Ledger& page, const Row& row, const void* caller, const Arguments& arguments,
          std::int64_t flags);

    [[nodiscard]] bool by_subject() const { return record_ != nullptr; }
    // Of the record; zero if the call is not the subject's.
    [[nodiscard]] std::uint32_t number() const { return number_; }
    [[nodiscard]] Call call() const { return row_.call; }
    [[nodiscard]] std::int64_t argument(std::size_t which) const { return arguments_.of[which]; }
    [[nodiscard]] Ledger& page() const { return page_; }

    // A rule decides the outcome, and the real call is not to be made.
    [[nodiscard]] bool is_replaced() const { return replaced_; }
    // It does so as if the kernel had taken something away first (Class::consuming).
    [[nodiscard]] bool consumes() const;
    // The outcome that the rule wants, with errno set to match; completes the record.
    std::int64_t replaced_outcome();
    // The bits of `flags` that a rule drops.
    [[nodiscard]] std::int64_t dropped() const { return dropped_; }
    // A rule wants the outcome of the call changed in this way, by its value, once it is made.
    [[nodiscard]] bool wants(Action action) const {
        return decision_.rule != nullptr && decision_.rule->action == action;
    }
    [[nodiscard]] std::int64_t wanted() const { return decision_.rule->value; }
    // Whether the rule that decides is about this socket.
    [[nodiscard]] bool is_meant(int fd) const;
    // The outcome could be changed, and was: only now has that rule fired.
    void fire();

    void mark(Mark mark) { marks_ = static_cast<std::uint16_t>(marks_ | mark); }

    // Completes the record of a call that was made, and follows what it opened.  Leaves errno
    // alone.
    void leave(std::int64_t outcome);
    // The same, for a call whose failure its outcome does not tell; `error` is zero for success.
    void leave(std::int64_t outcome, int error);

    // Ends the process here, at a call that would have waited for ever.
    [[noreturn]] void end_as_would_block();

  private:
    [[noreturn]] void end_as(End end, int status);
    void enter(const void* caller);
    void obey(std::int64_t flags);
    void act(std::int64_t flags);
    void complete(std::int64_t outcome, int error);
    [[nodiscard]] bool is_record_mine() const;

    Ledger& page_;
    const Row& row_;
    Arguments arguments_;
    Record* record_ = nullptr;
    Decision decision_;
    std::int64_t dropped_ = 0;
    std::uint32_t number_ = 0;
    std::uint16_t marks_ = 0;
    bool replaced_ = false;
    bool closes_foreign_ = false;
};

}  // namespace shim
