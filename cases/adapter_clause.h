// What the checks of an adapter include: clause.h, and the rows of adapter.def as identifiers.
#pragma once

#include "cases/clause.h"

namespace clause {
#define CLAUSE HARK_CLAUSE
#include "cases/adapter.def"
}  // namespace clause
