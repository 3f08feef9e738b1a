// The variants of a case in which accept fails, one for each error.
#pragma once

#include <cctype>
#include <initializer_list>
#include <string>

#include "harness/stage/case.h"

namespace hark {

// The fault is laid on accept and accept4 together, so that it meets the listener whichever it
// calls; `when` as in a plan.
inline Variants failing_accept(std::initializer_list<const char*> errors, const std::string& when) {
    Variants all;
    for (const std::string error : errors) {
        std::string label = error;
        for (char& each : label) each = static_cast<char>(std::tolower(each));
        all.push_back({.label = label, .plan = "accept,accept4:error=" + error + ":when=" + when});
    }
    return all;
}

}  // namespace hark
