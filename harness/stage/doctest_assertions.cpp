// doctest's implementation, once.  Hark takes its assertions; which case runs, in which process and
// under which fault, is decided by the campaign (harness/DECISIONS.md).
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
