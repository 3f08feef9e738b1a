// The mailbox gives back what was put into it whole, and nothing else.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "harness/cell/mailbox.h"

using namespace hark;

namespace {

// The mailbox's memory is private to it; a cell that scribbles finds it as this does, as the
// shared mapping that is as large.
char* shared_page() {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        unsigned long begin = 0;
        unsigned long end = 0;
        char may[5] = {};
        if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, may) != 3) continue;
        if (std::string(may) == "rw-s" && end - begin >= Mailbox::room) {
            return reinterpret_cast<char*>(begin);
        }
    }
    return nullptr;
}

void in_child(const std::function<void()>& act) {
    const pid_t child = fork();
    REQUIRE(child != -1);
    if (child == 0) {
        act();
        _exit(0);
    }
    REQUIRE(waitpid(child, nullptr, 0) == child);
}

}  // namespace

TEST_CASE("what a child put is there after its death") {
    Mailbox mailbox;
    mailbox.clear(77);
    CHECK(mailbox.get().empty());
    in_child([&] { mailbox.put("{\"verdict\":\"pass\"}"); });
    CHECK(mailbox.get() == "{\"verdict\":\"pass\"}");
}

TEST_CASE("what another run put is not taken for this one's") {
    Mailbox mailbox;
    mailbox.clear(1);
    mailbox.put("old");
    mailbox.clear(2);
    CHECK(mailbox.get().empty());
}

TEST_CASE("a sum that was made without the number of the run is no sum") {
    Mailbox mailbox;
    mailbox.clear(1);
    mailbox.put("forged");
    char* const page = shared_page();
    REQUIRE(page != nullptr);
    const std::vector<char> forged(page, page + 4096);
    mailbox.clear(2);
    std::memcpy(page, forged.data(), forged.size());
    CHECK(mailbox.get().empty());
}

TEST_CASE("any byte written over, anywhere, empties the mailbox") {
    Mailbox mailbox;
    for (const int byte : {0x00, 0x01, 0x5a, 0xff}) {
        mailbox.clear(3);
        mailbox.put(std::string(100, 'p'));
        char* const page = shared_page();
        REQUIRE(page != nullptr);
        std::memset(page, byte, Mailbox::room);
        CHECK(mailbox.get().empty());
    }
    mailbox.clear(4);
    mailbox.put("the verdict is fail");
    *std::strstr(shared_page() + 48, "fail") = 'p';
    CHECK(mailbox.get().empty());
}

TEST_CASE("more than there is room for is no outcome at all") {
    Mailbox mailbox;
    mailbox.clear(5);
    mailbox.put(std::string(Mailbox::room + 1, 'x'));
    CHECK(mailbox.get().size() <= Mailbox::room);
}
