// An errno is a type of its own, with a name and a text.
#include "harness/errno.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <concepts>

using hark::Errno;

namespace {

template <typename Other>
concept compares_with_errno = requires(Errno error, Other other) {
    error == other;
};

static_assert(compares_with_errno<Errno>);
static_assert(!compares_with_errno<int>);
static_assert(!compares_with_errno<bool>);
static_assert(!std::convertible_to<int, Errno>);
static_assert(!std::convertible_to<Errno, int>);
static_assert(!std::convertible_to<Errno, bool>);

}  // namespace

TEST_CASE("an Errno knows its name and what it means") {
    CHECK(Errno(EMFILE).name() == "EMFILE");
    CHECK(Errno(EMFILE).text() == "Too many open files");
    CHECK(Errno(EMFILE).value() == EMFILE);
    CHECK(Errno(EOPNOTSUPP).name() == "EOPNOTSUPP");
}

TEST_CASE("a number that is no errno is still shown") {
    CHECK(Errno(9999).name() == "errno 9999");
    CHECK(Errno(9999).text() == "Unknown error 9999");
    CHECK(Errno(-4).name() == "errno -4");
}

TEST_CASE("last reads what the call before it left") {
    errno = 0;
    const int outcome = ::close(-1);
    const Errno error = Errno::last();
    CHECK(outcome == -1);
    CHECK(error == Errno(EBADF));
    CHECK(error != Errno(EINTR));
}
