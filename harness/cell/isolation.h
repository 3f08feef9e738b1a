// A process in namespaces of its own: its network (so that no port is ever taken), its processes
// (so that nothing it forks outlives it) and its mounts (so that no file it makes is left behind).
//
// As root, or without it by way of a user namespace; where the kernel permits neither, less, with
// the reason for the report.
#pragma once

#include <string>

namespace hark {

struct Isolation {
    bool network = false;
    bool processes = false;
    std::string reason;  // why not more; empty if everything could be had
};

// As fork(2): zero in the child, which is isolated as `got` tells in both processes.  Throws Broken
// where even a plain fork is refused.
[[nodiscard]] int fork_isolated(Isolation& got);

// In the child: an empty folder for AF_UNIX paths, gone with the process.  Its name is put into the
// environment as HARK_SCRATCH.
void make_scratch(const Isolation& isolation);
// From now on what a subject makes by a path that begins nowhere is made there, too.
void live_in_scratch();
// Where that folder had to be made in /tmp, it and what is in it go.
void remove_scratch();
[[nodiscard]] bool scratch_needs_removing();

}  // namespace hark
