// What a subject may do to the process that it runs in, by name: all that Hark must survive.
#pragma once

#include <string_view>

namespace hark::hostile {

// Does what is called so, to the process and to its own; returns where there is nothing of that
// name.
void misbehave(std::string_view name);

}  // namespace hark::hostile
