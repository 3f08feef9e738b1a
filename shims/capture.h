// What the trace keeps of the memory that an argument points to.
#pragma once

#include "shims/ledger.h"
#include "shims/visit.h"

namespace shim {

// Fills the record's payload.  `succeeded`: the kernel made the call and has itself read or written
// that memory.  Otherwise only what the caller wrote is kept, and read with the kernel's help, for
// the pointer may be wild.
void capture(Record& record, Capture what, const Arguments& arguments, bool succeeded);

}  // namespace shim
