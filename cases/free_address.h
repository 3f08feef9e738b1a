// An address that a case can bind, and that nobody has.
#pragma once

#include <unistd.h>

#include "cases/clause.h"
#include "harness/must.h"

namespace hark {

// Of the variant's family: one that the stage has bound and given up again.
inline Address free_address(Stage& stage) {
    const Address given = stage.bound_socket().address;
    const std::string text = given.text();
    if (given.family() == AF_UNIX && text.front() == '/') must(::unlink(text.c_str()), "unlink");
    return given;
}

}  // namespace hark
