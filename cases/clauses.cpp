// The contract in its order, for whoever lists it.

#include "cases/clause.h"

namespace {

constexpr const hark::Clause* in_document_order[] = {
#define CLAUSE(id, level, policy, chapter, place, sentence, promise, contradicts) &::clause::id,
#include "cases/clauses.def"
};

const hark::RegisterClauses registered{in_document_order};

}  // namespace
