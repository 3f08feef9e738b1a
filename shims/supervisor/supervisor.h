// Decides by the ledger's rules on calls that the kernel tells of, for programs that the shim
// cannot enter: the call fails, or goes on, or goes on later.
//
// The notifications come by a descriptor that several processes may hold.  Where all of them are
// gone the kernel answers ENOSYS in their place, for ever; so somebody keeps a copy and, when the
// supervisor is no more, has everything go on (let_go_on).
#pragma once

#include <chrono>
#include <cstdint>
#include <list>

#include "shims/ledger.h"

struct seccomp_notif;
struct seccomp_notif_resp;

namespace shim {

class Target;

class Supervisor {
  public:
    // `notifications` stays the caller's.
    Supervisor(int notifications, Ledger& ledger);
    ~Supervisor();
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    // Until nobody is left who could make a call, or `stop` can be read.
    void run(int stop);

  private:
    using Clock = std::chrono::steady_clock;
    // A call that is kept waiting: until that moment, or until its listener has a connection to
    // lose.
    struct Kept {
        std::uint64_t id = 0;
        Clock::time_point until{};
        int listener = -1;
        int error = 0;
        std::uint32_t record = 0;
    };

    void receive();
    void judge(Target& target);
    void obey(Target& target, const struct Decision& decision);
    void fail(Target& target, const Rule& rule);
    void answer(std::uint64_t id, std::int64_t value, int error);
    void go_on(std::uint64_t id);
    bool consume(int listener, std::uint32_t record);
    void look_after_kept();
    void note(const Target& target, Call call);
    void finish(std::uint32_t number, std::int64_t result, int error, unsigned marks);
    [[nodiscard]] bool is_still_there(std::uint64_t id) const;
    [[nodiscard]] int pause_ms() const;

    int notifications_;
    Ledger& ledger_;
    seccomp_notif* asked_ = nullptr;
    seccomp_notif_resp* answer_ = nullptr;
    std::list<Kept> kept_;
    std::uint32_t record_ = 0;  // of the call that is being judged
};

// Lets every call go on until nobody is left who could make one: also those that a supervisor had
// read of, the last of them by this number, and not answered when it was killed.
void let_go_on(int notifications, std::uint64_t last_asked);

}  // namespace shim
