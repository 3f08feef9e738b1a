// Which of two faults a run that went wrong is put down to.
#include "harness/cell/blame.h"

#include <doctest/doctest.h>

using hark::to_blame;

TEST_CASE("of two faults the one that shows the same alone is to blame") {
    CHECK(to_blame("deaf", {"deaf", ""}) == 0);
    CHECK(to_blame("deaf", {"", "deaf"}) == 1);
    CHECK(to_blame("deaf", {"leak", "deaf"}) == 1);
}

TEST_CASE("or else the one that shows anything alone, for the other is borne") {
    CHECK(to_blame("deaf", {"", "unrecovered"}) == 1);
    CHECK(to_blame("deaf", {"unrecovered", ""}) == 0);
}

TEST_CASE("and the first where both do, or neither") {
    CHECK(to_blame("deaf", {"deaf", "deaf"}) == 0);
    CHECK(to_blame("deaf", {"leak", "unrecovered"}) == 0);
    CHECK(to_blame("deaf", {"", ""}) == 0);
}
