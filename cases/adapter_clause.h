// What the checks of an adapter include: clause.h, and the rows of adapter.def as identifiers.
#pragma once

#include "cases/clause.h"

namespace clause {
#define CLAUSE(id, level, policy, chapter, place, sentence, promise, contradicts)    \
    inline constexpr hark::Clause id{                                                \
        #id,     hark::Level::level, hark::Policy::policy, chapter, place, sentence, \
        promise, contradicts};
#include "cases/adapter.def"
}  // namespace clause
