#include "harness/probe/faults.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "harness/must.h"
#include "harness/places.h"

namespace hark::probe {

namespace {

using shim::Call;

constexpr char name[] = "/dev/shm/hark-ledger";

constexpr std::array accepting = {Call::accept, Call::accept4};
constexpr std::array waiting = {Call::epoll_pwait, Call::epoll_pwait2, Call::epoll_wait, Call::poll,
                                Call::ppoll,       Call::pselect,      Call::select};

template <typename Calls>
std::uint64_t sum_of(const shim::Ledger& ledger, const Calls& calls) {
    std::uint64_t sum = 0;
    for (const Call each : calls) {
        sum += ledger.calls[static_cast<std::size_t>(each)].load(std::memory_order_relaxed);
    }
    return sum;
}

}  // namespace

Faults::Faults(const std::vector<std::string>& rules) : path_(name), rules_(parse_plan(rules)) {
    (void)::unlink(name);
    Fd file(must(::open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600),
                 std::string("open ") + name));
    must(::fchmod(file.get(), 0666), "making the ledger everybody's");
    must(::ftruncate(file.get(), sizeof(shim::Ledger)), "room for the ledger");
    const std::array<std::uint64_t, 2> head = {shim::ledger_magic, sizeof(shim::Ledger)};
    must(::pwrite(file.get(), head.data(), sizeof head, 0), "the head of the ledger");
    ledger_ = std::make_unique<LedgerFile>(std::move(file));
    renew(ledger_->get(), {});
    ledger_->get().recording.store(1);
}

Faults::~Faults() { (void)::unlink(path_.c_str()); }

std::vector<std::string> Faults::environment() const {
    return {"LD_PRELOAD=" + places::shim().string(), "HARK_LEDGER=" + path_};
}

// The server looks at the number of rules while it runs, so the rule stands there before it does.
void Faults::begin(std::size_t rule) {
    end();
    write_rule(rules_.at(rule), ledger_->get().rules[0]);
    std::atomic_ref(ledger_->get().rule_count).store(1);
}

void Faults::end() { std::atomic_ref(ledger_->get().rule_count).store(0); }

std::uint32_t Faults::fired() const { return ledger_->get().rules[0].fired.load(); }

std::uint64_t Faults::accepts() const { return sum_of(ledger_->get(), accepting); }

std::uint64_t Faults::waits() const { return sum_of(ledger_->get(), waiting); }

bool Faults::is_seen() const {
    return ledger_->get().record_count.load() != 0 || accepts() + waits() != 0;
}

}  // namespace hark::probe
