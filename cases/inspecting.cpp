// Asking a listener for its socket and its loop.

#include "cases/delivery.h"

using namespace hark;

CASE_FOR(INS_1, listening_socket, every_family_and_maker,
         "the descriptor told is the listening socket") {
    auto& listener = stage.make();

    const int told = listener.get_fd();
    REQUIRE(kernel::is_listening(told));
    CHECK(Address::local_of(told) == listener.address());
    CHECK(stage.connect(listener).is_connected());
    CHECK(kernel::is_readable(told));
}

CASE_FOR(INS_1, each_its_own, every_maker, "two listeners tell two descriptors") {
    auto& first = stage.make();
    auto& second = stage.make();

    REQUIRE(first.get_fd() != second.get_fd());
    CHECK(Address::local_of(first.get_fd()) == first.address());
    CHECK(Address::local_of(second.get_fd()) == second.address());
}

CASE_FOR(INS_1, while_disabled, every_maker, "a disabled listener tells the same descriptor") {
    auto& listener = stage.make();
    const int told = listener.get_fd();
    listener.disable();

    CHECK(listener.get_fd() == told);
    CHECK(kernel::is_listening(told));
}

CASE_FOR(INS_1, made_disabled, every_maker, "a listener made disabled tells its descriptor") {
    auto& listener = stage.make({.flags = disabled});

    REQUIRE(kernel::is_listening(listener.get_fd()));
    CHECK(Address::local_of(listener.get_fd()) == listener.address());
}

CASE_FOR(INS_2, its_loop, every_maker, "the base told is the loop given, and not another") {
    auto& first = stage.loop();
    auto& second = stage.another_loop();
    auto& of_first = stage.make({.loop = &first});
    auto& of_second = stage.make({.loop = &second});

    CHECK(of_first.get_base_is(first));
    CHECK_FALSE(of_first.get_base_is(second));
    CHECK(of_second.get_base_is(second));
    CHECK_FALSE(of_second.get_base_is(first));
}

CASE_FOR(INS_2, while_disabled, every_maker, "a disabled listener tells its base") {
    auto& listener = stage.make({.flags = disabled});

    CHECK(listener.get_base_is(stage.loop()));
}
