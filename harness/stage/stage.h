// What a case holds in its hands: listeners, peers, loops and faults, and no sleep.
//
// Loopback is synchronous in the kernel: when connect returns, the connection is in the listener's
// queue.  So "the callback is not called" is a queue that holds a connection and a loop turned
// until idle, never a wait.
#pragma once

#include <chrono>
#include <deque>
#include <exception>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "harness/errno.h"
#include "harness/fault/plan.h"
#include "harness/stage/address.h"
#include "harness/stage/case.h"
#include "harness/stage/kernel.h"
#include "harness/stage/listener.h"
#include "harness/stage/oracle.h"
#include "harness/stage/peer.h"
#include "harness/subject/listener_api.h"
#include "harness/trace/note.h"
#include "shims/ledger.h"

namespace hark {

// The fault never fired, so nothing was proved: the verdict is `unreached`.
struct Unreached : std::runtime_error {
    using runtime_error::runtime_error;
};
// The subject has no such feature, with the reason: the verdict is `unsupported`.
struct Unsupported : std::runtime_error {
    using runtime_error::runtime_error;
};

// A listener was owed and none was made: the case fails here.
struct NoListener : std::runtime_error {
    using runtime_error::runtime_error;
};

class Loop {
  public:
    Loop(Stage& stage, ForeignLoop* foreign, int number)
        : stage_(stage), foreign_(foreign), number_(number) {}
    void turn(int times = 1);  // turns that don't wait
    void wait();       // one turn that waits until something is ready or a timer has run out
    void run();        // until exit(), or nothing is left to wait for
    void exit();       // event_base_loopexit
    void break_off();  // event_base_loopbreak
    void free();
    [[nodiscard]] int number() const { return number_; }
    [[nodiscard]] ForeignLoop* foreign() const { return foreign_; }

  private:
    Stage& stage_;
    ForeignLoop* foreign_;
    int number_;
    bool leaving_ = false;  // exit() or break_off() since run() began
};

// How a listener is made.  What isn't said comes from the variant.
struct Making {
    unsigned flags = 0;  // added to the variant's
    int backlog = -1;
    bool null_callback = false;
    Loop* loop = nullptr;          // the stage's first
    const Address* at = nullptr;   // to bind; loopback and port zero of the variant's family
    int fd = -1;                   // to adopt, instead of one that the stage binds
    const Voice* voice = nullptr;  // the next one that is free
};

// What came of an attempt: a listener, or none and errno.
struct Attempt {
    Listener* listener = nullptr;
    Errno error{0};
};

// A TCP or AF_UNIX socket that the harness bound for the case.
struct BoundSocket {
    Fd fd;
    Address address;
};

class Stage {
  public:
    Stage(Subject& subject, shim::Ledger& ledger, const Case& one, const Variant& variant);
    ~Stage();
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;

    [[nodiscard]] const Variant& variant() const { return variant_; }
    [[nodiscard]] Subject& subject() { return subject_; }

    // Making.  `make` uses the variant's maker and family, and requires that a listener came of it;
    // `try_make` leaves that to the case.  `bind` and `adopt` say the maker themselves; a socket to
    // adopt is bound by the stage, non-blocking, and not yet listening.
    Listener& make(const Making& making = {});
    Listener& bind(const Making& making = {});
    Listener& adopt(const Making& making = {});
    Attempt try_make(const Making& making = {});
    Attempt try_bind(const Making& making = {});
    Attempt try_adopt(const Making& making = {});
    // evconnlistener_new_bind with the address just as given, however wrong.
    Attempt try_bind_raw(const sockaddr* address, int length, unsigned flags = 0);

    // A socket of the harness's own, bound to loopback of the variant's family (or `at`).
    BoundSocket bound_socket(const Address* at = nullptr, bool nonblocking = true);
    // The same call made by the harness: what the kernel says to anyone who binds there.
    [[nodiscard]] Errno bind_plain(const Address& at, bool reuse_address = false);

    Loop& loop();          // the first; made when first asked for
    Loop& another_loop();  // a further one
    Voice new_voice();     // a function and a pointer that no listener has yet

    // Peers.  References stay good.
    Peer& connect(const Listener& listener);
    Peer& connect(const Address& address);
    std::vector<Peer*> connect_many(const Listener& listener, int count);

    // Turns every loop until nothing is left to happen: no delivery and no error told for several
    // turns.  A subject that accepts one connection a turn is turned until its queue is done.
    void settle();

    // From here on time passes by let_pass() alone: what a listener does while no time passes does
    // not depend on how busy the machine is.  Nothing may wait for a timer from then on.
    void stop_clocks();
    // Puts every clock of the process ahead: what a listener does by its timers it does in the next
    // turns, and nobody has waited.
    void let_pass(std::chrono::milliseconds time);
    // Sets the wall clock by so much ahead of the true one, or back; steady clocks go on as before.
    void set_wall_clock(std::chrono::seconds ahead);
    // Turns the loops, and lets time pass between the turns, until `done` says so.  Gives how long
    // that took by the listener's clock, or nothing where `limit` was not enough.
    std::optional<std::chrono::milliseconds> settle_until(
        const std::function<bool()>& done, std::chrono::milliseconds limit = longest_pause);

    // Threads: the subject is prepared for them before the first loop is made, or the case ends
    // `unsupported`.
    void use_threads();

    // Runs each in a thread of its own, in the order that the run's schedule says or as the kernel
    // lets them, and comes back when all have ended.  Throws what one of them threw.  In a schedule
    // the clocks stand still from here on, but for settle_until().
    void together(const std::vector<std::function<void()>>& bodies);
    // In one of these threads, within a callback: others may come between here, so many times.
    static void come_to_points(int count);

    // Faults, in the words a user types.  Counting begins here.
    void inject(std::string_view plan);
    void end_faults();  // the rules stop firing; what fired stays counted
    // Throws Unreached unless every rule has fired.
    void require_reached();
    [[nodiscard]] std::uint32_t fired() const;  // over all rules

    // How often the subject's own code made this call so far (second evidence: most promises can be
    // kept by more than one call).
    [[nodiscard]] std::uint32_t calls(shim::Call call) const;
    // Live allocations made by the subject's own code.
    [[nodiscard]] std::uint32_t allocations() const;
    // Ends the case `unsupported` with this reason.
    [[noreturn]] void unsupported(const std::string& reason);
    void require(Feature feature);       // or `unsupported`
    void require_flags(unsigned flags);  // likewise; make() does it by itself
    // Likewise, where it is the flag's absence that a case is about.
    void require_without(unsigned flag);
    // Those of them that the subject has.
    [[nodiscard]] unsigned supported(unsigned flags) const;

    // A fact for the report, without a verdict.
    void record(const std::string& key, const std::string& value);

    // One line of what the case does, for the report and the trace.  The stage notes its own
    // doings.
    void note(const std::string& line);
    void note(const Note& note);  // with its meaning, for the oracles

    void count_check() { ++checks_; }

    // For the runner and the stage's own parts.
    // Asks the subject what it lacks: before the run, of which the answers' memory is no part.
    void ask_what_it_lacks();
    // Why the case cannot be put to this subject; empty if it can.
    [[nodiscard]] const std::string& lacked() const { return lacked_; }
    [[nodiscard]] int checks() const { return checks_; }
    [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }
    [[nodiscard]] const std::map<std::string, std::string>& recorded() const { return recorded_; }
    [[nodiscard]] const std::vector<Fault>& faults() const { return faults_; }
    [[nodiscard]] shim::Ledger& ledger() { return ledger_; }
    [[nodiscard]] std::size_t strays() const { return strays_; }  // callbacks with unknown pointers
    [[nodiscard]] std::size_t unseen() const {
        return unseen_;
    }                                                   // deliveries without a seen accept
    void add_faults(const std::vector<Fault>& faults);  // of the job, before the case
    // From now on no loop waits: run() and wait() turn while there is something to do.  For runs
    // under a fault that the case knows nothing of, in which what it waits for may never come.
    void never_wait() {
        never_waits_ = true;
        stop_clocks();
    }
    // While a fault of accept lasts: what a listener does about a connection that waits.
    void probe_spin(std::vector<Finding>& findings);
    // Once the faults are over: whatever listener there is delivers what waited, and a fresh peer.
    void probe_recovery(std::vector<Finding>& findings);
    // Frees what is left: listeners, loops, peers, accepted sockets.
    void tear_down();

  private:
    friend class Listener;
    friend class Loop;
    // Ten times what the most patient listeners pause (Go's net/http and asyncio: a second).
    static constexpr std::chrono::milliseconds longest_pause{10'000};
    // A subject may need more than one turn for one thing: to accept, then to call back.
    static constexpr int quiet_turns = 4;
    template <int function>
    static void accept_callback(ForeignListener*, int, sockaddr*, int, void*);
    template <int function>
    static void error_callback(ForeignListener*, void*);
    static AcceptCallback function_of(const Voice& voice);
    static Stage* current_;

    void told_accepted(int function, ForeignListener*, int fd, sockaddr*, int length,
                       void* argument);
    void told_error(int function, ForeignListener*, Errno error, void* argument);
    // What a case does in a callback must not throw through the subject, which may be C and hold a
    // lock: what is thrown there is kept, and thrown again once the subject has returned.
    void act(const std::function<void()>& in_callback);
    void throw_what_was_thrown();

    Attempt attempt(Maker maker, const Making& making);
    Listener& required(const Attempt& attempt);
    void keep_given(int fd);                  // closed at the end, if it still is what it was
    void hand_over(int fd, bool to_subject);  // whose the descriptor is from now on
    [[nodiscard]] void* pointer_of(const Voice& voice);
    [[nodiscard]] int argument_of(const void* pointer) const;
    void adopt_voice(const Voice& voice, Listener& listener);  // from now on it speaks for this one
    // What the case wants done within the callbacks speaks of what is gone when it has returned.
    void forget_the_case();
    static bool owes_deliveries(const Listener& listener);
    static bool can_deliver(const Listener& listener);
    Peer& send_a_peer(const Listener& listener);
    [[nodiscard]] bool is_delivered(const Peer& peer) const;
    [[nodiscard]] bool waits_at_another(const Listener& listener) const;
    int turn_until_quiet();  // gives how many turns that took
    [[nodiscard]] std::size_t deliveries();
    [[nodiscard]] int peer_behind(int fd) const;
    [[nodiscard]] std::string fresh_name();

    struct Given {
        int fd;
        ino_t inode;
    };

    Subject& subject_;
    shim::Ledger& ledger_;
    std::vector<Given> given_;  // descriptors of a case that no listener came of
    const Case& case_;
    const Variant& variant_;
    std::deque<Loop> loops_;
    std::deque<std::unique_ptr<Listener>> listeners_;
    std::deque<Peer> peers_;
    std::vector<Fault> faults_;
    std::vector<std::string> notes_;
    std::map<std::string, std::string> recorded_;
    std::map<int, Listener*> voices_;
    int voice_count_ = 0;
    int checks_ = 0;
    std::size_t strays_ = 0;
    std::size_t unseen_ = 0;
    std::mutex mutex_;  // callbacks of another thread's loop tell their news here
    std::mutex notes_mutex_;
    std::exception_ptr thrown_;
    std::map<Feature, std::string> lacks_;
    std::map<unsigned, std::string> lacks_flags_;
    std::map<unsigned, std::string> always_flags_;
    std::string lacked_;
    bool threads_ = false;
    bool never_waits_ = false;
};

}  // namespace hark
