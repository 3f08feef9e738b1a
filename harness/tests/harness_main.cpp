// The parts of the harness that are below the command.  doctest's implementation is the stage's.
#include <doctest/doctest.h>

int main(int count, char** words) { return doctest::Context(count, words).run(); }
