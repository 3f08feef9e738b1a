// A cell that signals its zygote, or everyone, is ended by the kernel before the signal is sent.
//
// In a process namespace of its own such a signal would be lost without a trace, and the subject
// would pass; without one it would reach whatever else the user runs.
#pragma once

#include <sys/types.h>

namespace hark {

// In the cell, for it and all that it starts; there is no way back.  Whoever breaks it dies of
// SIGSYS.  A kernel without seccomp filters forbids nothing.
void forbid_signals_to_others(pid_t zygote);

}  // namespace hark
