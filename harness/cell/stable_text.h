// What a run did and saw, in the same words whenever it is run.
//
// Some of what a trace holds was chosen by chance: ephemeral ports by the kernel's hash, addresses
// of memory by the loader, numbers of threads and processes by what ran before.  Each of these is
// replaced by a name, in the order of appearance: port1, pointer1, tid 1.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace hark {

// The names of one run: the same thing has the same name in all of its texts.
class StableText {
  public:
    [[nodiscard]] std::string operator()(std::string_view text);

  private:
    // A number's place among those of its kind, from one.
    static std::string place_in(std::vector<std::uint64_t>& known, std::uint64_t number);
    void name_number(std::string_view digits, std::string_view after, std::string& text);
    void name_pointer(std::string_view whole, std::string& text);

    std::vector<std::uint64_t> ports_;
    std::vector<std::uint64_t> pointers_;
    std::vector<std::uint64_t> threads_;
};

// All that the harness says in a row; what the subject itself printed is left as it is.
void make_stable(nlohmann::json& row);

}  // namespace hark
