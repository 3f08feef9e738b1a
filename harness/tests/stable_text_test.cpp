// What has a name in a run's text, and what keeps its own.
#include "harness/cell/stable_text.h"

#include <doctest/doctest.h>

using namespace hark;

TEST_CASE("an ephemeral port has a name, the same wherever it appears") {
    StableText stable;
    CHECK(stable("listens at 127.0.0.1:40112: descriptor 7") ==
          "listens at 127.0.0.1:port1: descriptor 7");
    CHECK(stable("from [::1]:51002") == "from [::1]:port2");
    CHECK(stable("{sin_port=htons(51002)}, {sin_port=htons(40112)}") ==
          "{sin_port=htons(port2)}, {sin_port=htons(port1)}");
}

TEST_CASE("what was chosen by nobody's chance stays") {
    StableText stable;
    for (const char* text : {
             "127.0.0.1:0",
             "127.0.0.1:8080",
             "127.0.0.1:32767",
             "127.0.0.1:61000",
             "sin6_flowinfo=htonl(40000)",
             "descriptor 40000",
             "cases/flags.cpp:40",
             "at:40000",
             "F_GETFL) = 0x802 (flags O_RDWR|O_NONBLOCK)",
             "[0x80000000]",
             "0xffffffff",
             "libevent_core-2.1.so.7+0x26167",
             "99999999999999999999999999",
             "0x",
             "0xffffffffffffffffffffffff",
             "",
         }) {
        CHECK(stable(text) == text);
    }
}

TEST_CASE("an address of memory has a name") {
    StableText stable;
    CHECK(stable("free(0x55d0c8a012a0), 0x7ffce0eb1dac, 0x55d0c8a012a0") ==
          "free(pointer1), pointer2, pointer1");
}

TEST_CASE("a thread has a place among the threads") {
    StableText stable;
    CHECK(stable("   12 [tid 287] listen(7, 128)") == "   12 [tid 1] listen(7, 128)");
    CHECK(stable("   13 [tid 288] close(7)") == "   13 [tid 2] close(7)");
    CHECK(stable("   14 [tid 287] close(8)") == "   14 [tid 1] close(8)");
}

TEST_CASE("a process is no part of the names that it gives") {
    StableText stable;
    CHECK(stable("@hark-805-1") == "@hark-cell-1");
    CHECK(stable("sun_path=@\"hark-peer-787-12\"") == "sun_path=@\"hark-peer-cell-12\"");
    CHECK(stable("@hark-unnamed-0000005-1") == "@hark-unnamed-cell-1");
    CHECK(stable("/proc/self/fd/5/12-1") == "/proc/self/fd/5/cell-1");
    CHECK(stable("2024-11-01, 12-1, fd/5/12-1") == "2024-11-01, 12-1, fd/5/12-1");
}

TEST_CASE("a row is named as a whole, and what the subject said is left") {
    nlohmann::json row = {{"did", {"binds 127.0.0.1:40001", "connects to 127.0.0.1:40002"}},
                          {"trace", {"htons(40002)", "htons(40001)"}},
                          {"seen", "127.0.0.1:40003"},
                          {"recorded", {{"where", "127.0.0.1:40001"}}},
                          {"said", "127.0.0.1:40001"},
                          {"checks", 40001}};
    make_stable(row);
    CHECK(row["did"][1] == "connects to 127.0.0.1:port2");
    CHECK(row["trace"][0] == "htons(port2)");
    CHECK(row["trace"][1] == "htons(port1)");
    CHECK(row["seen"] == "127.0.0.1:port3");
    CHECK(row["recorded"]["where"] == "127.0.0.1:port1");
    CHECK(row["said"] == "127.0.0.1:40001");
    CHECK(row["checks"] == 40001);
}
