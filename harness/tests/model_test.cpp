// The shim's two tables, as the driver sees them.
#include "harness/fault/model.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "harness/fault/names.h"
#include "harness/fault/plan.h"

using namespace hark;

TEST_CASE("every call is found by its name and has arguments that a record can hold") {
    for (const CallRow& row : call_table) {
        CAPTURE(std::string(row.name));
        CHECK(call_named(row.name) == row.call);
        CHECK(&row_of(row.call) == &row);
        const Arguments& arguments = arguments_of(row.call);
        CHECK(arguments.count >= 1);
        CHECK(arguments.count <= argument_room);
        for (const Argument& argument : arguments) {
            CHECK_FALSE(argument.name.empty());
            CHECK(argument.type.find(argument.name) != std::string_view::npos);
        }
    }
    CHECK_FALSE(call_named("accpet"));
    CHECK_FALSE(call_named(""));
    CHECK_FALSE(call_named("zzz"));
}

TEST_CASE("arguments are split where the row separates them") {
    const Arguments& create = arguments_of(shim::Call::pthread_create);
    REQUIRE(create.count == 4);
    CHECK(create.each[2].name == "body");
    CHECK(create.each[2].type == "void* (*body)(void*)");
    CHECK(create.each[2].is_pointer());
    CHECK(create.index_of("argument") == 3);
    CHECK_FALSE(create.index_of("flags"));

    const Arguments& listen = arguments_of(shim::Call::listen);
    CHECK(listen.count == 2);
    CHECK_FALSE(listen.each[1].is_pointer());
    CHECK(arguments_of(shim::Call::write).each[2].is_unsigned());
}

TEST_CASE("which argument is the descriptor, and which the flags") {
    CHECK(takes_descriptor(shim::Call::accept4));
    CHECK(takes_descriptor(shim::Call::epoll_wait));
    CHECK(takes_descriptor(shim::Call::epoll_ctl));
    CHECK_FALSE(takes_descriptor(shim::Call::socket));
    CHECK_FALSE(takes_descriptor(shim::Call::poll));
    CHECK_FALSE(takes_descriptor(shim::Call::malloc));

    CHECK(flags_argument(shim::Call::accept4) == 3);
    CHECK(flags_argument(shim::Call::fcntl) == 2);
    CHECK(flags_argument(shim::Call::socket) == 1);
    CHECK_FALSE(flags_argument(shim::Call::accept));
}

TEST_CASE("a call that takes flags has names for them, and no other call has") {
    for (const CallRow& row : call_table) {
        CAPTURE(std::string(row.name));
        CHECK(flags_argument(row.call).has_value() == !names::flags_of(row.call).empty());
    }
}

TEST_CASE("every error of the model can be asked for by name, at its call") {
    std::set<std::pair<shim::Call, int>> seen;
    for (const Allowed& row : fault_model) {
        const std::string text =
            std::string(row_of(row.call).name) + ":error=" + std::string(row.name);
        CAPTURE(text);
        CHECK(seen.emplace(row.call, row.value).second);
        CHECK(names::errno_named(row.name) == row.value);
        CHECK(find_allowed(row.call, row.value) == &row);
        CHECK(row_of(row.call).reports_by != ReportsBy::never);
        CHECK(row.authority.size() > 5);

        const Fault fault = parse_fault(text);
        CHECK(fault.error == row.value);
        CHECK(fault.consequence == row.consequence);
        CHECK(fault.text == text);
    }
}

TEST_CASE("the errors of one call stand together") {
    std::size_t total = 0;
    for (const CallRow& row : call_table) {
        const auto rows = allowed_for(row.call);
        total += rows.size();
        CHECK(
            std::ranges::all_of(rows, [&](const Allowed& each) { return each.call == row.call; }));
    }
    CHECK(total == std::size(fault_model));
    CHECK(find_allowed(shim::Call::accept4, EMFILE) != nullptr);
    CHECK(find_allowed(shim::Call::accept4, EPIPE) == nullptr);
    CHECK(allowed_for(shim::Call::free).empty());
}
