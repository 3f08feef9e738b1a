// The memory through which a cell tells its zygote what came of a run, readable after the cell's
// death.
//
// A cell that scribbles over its own memory must not forge a verdict: what is written carries a sum
// that starts from a number which the zygote draws anew for each run.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hark {

// What the crash handler leaves.
struct CrashSite {
    std::atomic<int> signal{0};
    std::uint64_t pc = 0;
    std::uint64_t address = 0;  // si_addr
};

class Mailbox {
  public:
    Mailbox();  // shared with every child forked from now on
    ~Mailbox();
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;

    void clear(std::uint64_t nonce);        // zygote, before the run
    void put(std::string_view text);        // cell, once, when the run is over
    [[nodiscard]] std::string get() const;  // zygote: the text, or empty if none was put whole
    [[nodiscard]] CrashSite& crash() { return page_->crash; }

    static constexpr std::size_t room = std::size_t{1} << 20;

  private:
    struct Page {
        std::atomic<std::uint64_t> sum;
        std::uint64_t size;
        CrashSite crash;
        char text[room];
    };
    Page* page_;
    std::uint64_t nonce_ = 0;
};

}  // namespace hark
