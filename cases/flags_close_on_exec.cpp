// LEV_OPT_CLOSE_ON_EXEC: which sockets a child gets to see.
//
// The child is a real program that looks at its own descriptors, started by execve and by
// posix_spawn.  The sentence of the document says "the socket" and not which: CEX_1 reads it as the
// listening one, CEX_2 as the accepted ones, and the report shows both.

#include "cases/delivery.h"

using namespace hark;

CASE_FOR(CEX_1, execve, every_maker, "the listening socket doesn't survive execve") {
    auto& listener = stage.make({.flags = close_on_exec});

    REQUIRE(kernel::is_listening(listener.fd()));
    CHECK_FALSE(kernel::survives_execve(listener.fd()));
}

CASE_FOR(CEX_1, posix_spawn, every_maker, "the listening socket doesn't survive posix_spawn") {
    auto& listener = stage.make({.flags = close_on_exec});

    REQUIRE(kernel::is_listening(listener.fd()));
    CHECK_FALSE(kernel::survives_posix_spawn(listener.fd()));
}

CASE_FOR(CEX_1, every_family, every_family_and_maker,
         "the listening socket of every family is marked close-on-exec") {
    auto& listener = stage.make({.flags = close_on_exec});

    CHECK(kernel::is_close_on_exec(listener.fd()));
}

CASE(CEX_1, stays_open_here,
     "the listening socket serves on in this process after a child was started") {
    auto& listener = stage.bind({.flags = close_on_exec});
    REQUIRE_FALSE(kernel::survives_execve(listener.fd()));

    (void)deliver_one(stage, listener);
    CHECK(kernel::is_listening(listener.fd()));
}

CASE_FOR(CEX_2, execve, every_maker, "an accepted socket doesn't survive execve") {
    auto& listener = stage.make({.flags = close_on_exec});

    const auto& accepted = deliver_one(stage, listener);
    CHECK_FALSE(kernel::survives_execve(accepted.number));
}

CASE_FOR(CEX_2, posix_spawn, every_maker, "an accepted socket doesn't survive posix_spawn") {
    auto& listener = stage.make({.flags = close_on_exec});

    const auto& accepted = deliver_one(stage, listener);
    CHECK_FALSE(kernel::survives_posix_spawn(accepted.number));
}

CASE_FOR(CEX_2, every_family, every_family_and_maker,
         "an accepted socket of every family is marked close-on-exec") {
    auto& listener = stage.make({.flags = close_on_exec});

    const auto& accepted = deliver_one(stage, listener);
    CHECK(kernel::is_close_on_exec(accepted.number));
}

CASE_FOR(CEX_3, listening_survives_execve, every_maker,
         "without the flag the listening socket survives execve") {
    stage.require_without(close_on_exec);
    auto& listener = stage.make();

    CHECK(kernel::survives_execve(listener.fd()));
}

CASE_FOR(CEX_3, listening_survives_posix_spawn, every_maker,
         "without the flag the listening socket survives posix_spawn") {
    stage.require_without(close_on_exec);
    auto& listener = stage.make();

    CHECK(kernel::survives_posix_spawn(listener.fd()));
}

CASE_FOR(CEX_3, accepted_survives_execve, every_maker,
         "without the flag an accepted socket survives execve") {
    stage.require_without(close_on_exec);
    auto& listener = stage.make();

    const auto& accepted = deliver_one(stage, listener);
    CHECK(kernel::survives_execve(accepted.number));
}

CASE_FOR(CEX_3, accepted_survives_posix_spawn, every_maker,
         "without the flag an accepted socket survives posix_spawn") {
    stage.require_without(close_on_exec);
    auto& listener = stage.make();

    const auto& accepted = deliver_one(stage, listener);
    CHECK(kernel::survives_posix_spawn(accepted.number));
}
