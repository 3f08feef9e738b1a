// The shim's two tables, as the driver sees them.
#include "harness/fault/model.h"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

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
    std::set<std::tuple<shim::Call, int, std::string_view>> seen;
    for (const Allowed& row : fault_model) {
        std::string text = std::string(row_of(row.call).name) + ":error=" + std::string(row.name);
        if (!row.option.empty()) text += ":opt=" + std::string(row.option);
        CAPTURE(text);
        CHECK(seen.emplace(row.call, row.value, row.option).second);
        CHECK(names::errno_named(row.name) == row.value);
        // Which would be another one if the call reported it of everything.
        CHECK(find_allowed(row.call, row.value, row.option) == &row);
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

TEST_CASE("an error of one option is an error of no other") {
    using shim::Call;
    CHECK(find_allowed(Call::setsockopt, EDOM, "SO_RCVTIMEO") != nullptr);
    CHECK(find_allowed(Call::setsockopt, EDOM, "SO_KEEPALIVE") == nullptr);
    CHECK(find_allowed(Call::setsockopt, EDOM) != nullptr);
    CHECK(find_allowed(Call::setsockopt, ENOPROTOOPT, "SO_KEEPALIVE")->option.empty());
    CHECK(find_allowed(Call::fcntl, EMFILE, "F_DUPFD") != nullptr);
    CHECK(find_allowed(Call::fcntl, EMFILE, "F_SETFL") == nullptr);
    CHECK(find_allowed(Call::epoll_ctl, ENOENT, "EPOLL_CTL_ADD") == nullptr);
}

TEST_CASE("what a call is asked has the name that opt= knows") {
    struct {
        shim::Call call;
        std::vector<std::int64_t> arguments;
        std::string_view option;
    } const rows[] = {
        {shim::Call::setsockopt, {3, SOL_SOCKET, SO_KEEPALIVE, 0, 4}, "SO_KEEPALIVE"},
        {shim::Call::getsockopt, {3, IPPROTO_TCP, TCP_DEFER_ACCEPT, 0, 0}, "TCP_DEFER_ACCEPT"},
        {shim::Call::setsockopt, {3, SOL_SOCKET, 12345, 0, 4}, ""},
        {shim::Call::fcntl, {3, F_SETFL, O_NONBLOCK}, "F_SETFL"},
        {shim::Call::fcntl64, {3, F_GETFD, 0}, "F_GETFD"},
        {shim::Call::fcntl, {3, 98765, 0}, ""},
        {shim::Call::ioctl, {3, FIONBIO, 0}, "FIONBIO"},
        {shim::Call::epoll_ctl, {3, EPOLL_CTL_DEL, 4, 0}, "EPOLL_CTL_DEL"},
        {shim::Call::accept4, {3, 1, 1, 1}, ""},
        {shim::Call::listen, {3, F_SETFL}, ""},
    };
    for (const auto& row : rows) {
        CAPTURE(std::string(row.option));
        CHECK(option_of(row.call, row.arguments) == row.option);
    }
}

TEST_CASE("every twist of the model is a rule, at its call") {
    std::set<std::string> seen;
    for (const Twist& row : twist_model) {
        const bool of_any = row.is_about("");
        std::string text = std::string(row_of(row.call).name) + ":" + std::string(row.action) +
                           "=" + std::string(row.value);
        if (!of_any) text += ":opt=" + std::string(row.option);
        CAPTURE(text);
        CHECK(seen.insert(text).second);
        CHECK(row.authority.size() > 5);
        CHECK(find_twist(row.call, row.action, row.value)->call == row.call);
        const Fault fault = parse_fault(text);
        CHECK(fault.has(row.call));
        CHECK(fault.text == text);
        CHECK(fault.action != shim::Action::report);
        CHECK(row.is_about(row.option));
        CHECK(row.is_about("F_GETLK") == of_any);
        // What drop= takes a bit of, the call has an argument for; and the class of what is
        // consumed is the shim's own doing (shims/by_hand.cpp).
        CHECK((fault.action == shim::Action::drop) == (row.action == "drop"));
        if (row.action == "drop") CHECK(flags_argument(row.call));
        if (row.action == "addrlen") CHECK(arguments_of(row.call).index_of("length") == 2);
    }
    CHECK(find_twist(shim::Call::listen, "ready") == nullptr);
    CHECK(find_twist(shim::Call::select, "ready", "error") == nullptr);
    CHECK(find_twist(shim::Call::poll, "ready", "error") != nullptr);
}

TEST_CASE("every flag that a call takes at its making can be lost") {
    for (const CallRow& row : call_table) {
        const bool makes = row.name == "accept4" || row.name == "socket" ||
                           row.name == "socketpair" || row.name == "pipe2" ||
                           row.name == "eventfd" || row.name == "epoll_create1" ||
                           row.name == "dup3" || row.name == "timerfd_create";
        if (!makes) continue;
        for (const auto& flag : names::flags_of(row.call)) {
            // The others change what is made, not how it behaves towards the program.
            if (flag.name == "EFD_SEMAPHORE" || flag.name == "O_DIRECT") continue;
            CAPTURE(std::string(row.name));
            CAPTURE(std::string(flag.name));
            CHECK(find_twist(row.call, "drop", flag.name) != nullptr);
        }
    }
}
