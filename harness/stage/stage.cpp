#include "harness/stage/stage.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "harness/must.h"
#include "harness/trace/note.h"

namespace hark {

namespace {

// What a right subject never needs; a wrong one must not keep a case for ever.
constexpr int most_turns = 20'000;

std::string flag_words(unsigned flags) {
    static constexpr std::pair<unsigned, const char*> words[] = {
        {leave_sockets_blocking, "LEAVE_SOCKETS_BLOCKING"},
        {close_on_free, "CLOSE_ON_FREE"},
        {close_on_exec, "CLOSE_ON_EXEC"},
        {reuseable, "REUSEABLE"},
        {threadsafe, "THREADSAFE"},
        {disabled, "DISABLED"},
        {deferred_accept, "DEFERRED_ACCEPT"},
        {reuseable_port, "REUSEABLE_PORT"},
        {bind_ipv6only, "BIND_IPV6ONLY"},
        {bind_ipv4_and_ipv6, "BIND_IPV4_AND_IPV6"},
    };
    std::string all;
    for (const auto& [flag, word] : words) {
        if ((flags & flag) == 0) continue;
        if (!all.empty()) all += '|';
        all += word;
    }
    return all.empty() ? "none" : all;
}

std::string outcome_words(const Attempt& attempt) {
    if (attempt.listener != nullptr) {
        return ": descriptor " + std::to_string(attempt.listener->fd());
    }
    return ": null, " + attempt.error.name();
}

// Whoever looks at what he is given refuses it before he has called anybody.
bool can_be_no_address(const sockaddr* address, int length) {
    return address == nullptr || length <= 0 || length > static_cast<int>(sizeof(sockaddr_un));
}

}  // namespace

Stage* Stage::current_ = nullptr;

Stage::Stage(Subject& subject, shim::Ledger& ledger, const Case& one, const Variant& variant)
    : subject_(subject), ledger_(ledger), case_(one), variant_(variant) {
    current_ = this;
}

Stage::~Stage() {
    current_ = nullptr;
    for (auto& each : ledger_.clock_stopped_at) each.store(0);
}

Listener& Stage::make(const Making& making) {
    return variant_.maker == Maker::bind ? bind(making) : adopt(making);
}

Listener& Stage::bind(const Making& making) { return required(try_bind(making)); }

Listener& Stage::adopt(const Making& making) { return required(try_adopt(making)); }

Attempt Stage::try_make(const Making& making) { return attempt(variant_.maker, making); }
Attempt Stage::try_bind(const Making& making) { return attempt(Maker::bind, making); }
Attempt Stage::try_adopt(const Making& making) { return attempt(Maker::adopt, making); }

Listener& Stage::required(const Attempt& attempt) {
    ++checks_;
    if (attempt.listener == nullptr) {
        throw NoListener("no listener was made: " + attempt.error.name() + " (" +
                         attempt.error.text() + ")");
    }
    return *attempt.listener;
}

Attempt Stage::attempt(Maker maker, const Making& making) {
    require_flags(variant_.flags | making.flags);
    unsigned flags = variant_.flags | making.flags;
    for (const auto& [flag, reason] : always_flags_) flags |= flag;
    require(maker == Maker::bind ? Feature::new_by_binding : Feature::new_from_descriptor);
    if (making.null_callback) require(Feature::null_callback);

    if (making.fd >= 0) keep_given(making.fd);
    const Voice voice = making.voice != nullptr ? *making.voice : new_voice();
    const AcceptCallback callback = making.null_callback ? nullptr : function_of(voice);
    Loop& on = making.loop != nullptr ? *making.loop : loop();
    auto listener = std::make_unique<Listener>(*this, on, voice);
    adopt_voice(voice, *listener);

    const std::uint32_t fired_before = fired();
    const std::string words =
        "flags " + flag_words(flags) + ", backlog " + std::to_string(making.backlog);
    Fd adopted;
    std::string story;
    Errno error{0};
    if (maker == Maker::bind) {
        const Address at =
            making.at != nullptr ? *making.at : Address::loopback(variant_.family, fresh_name());
        if (at.family() == AF_UNIX && at.text().starts_with('@')) {
            require(Feature::abstract_address);
        }
        story = "binds " + at.text() + ", " + words;
        note({story, Told::making});
        errno = 0;
        listener->foreign_ =
            subject_.listener_new_bind(on.foreign(), callback, pointer_of(voice), flags,
                                       making.backlog, at.get(), static_cast<int>(at.length()));
        error = Errno::last();
    } else {
        adopted.reset(making.fd >= 0 ? making.fd : bound_socket(making.at).fd.release());
        story = "adopts descriptor " + std::to_string(adopted.get()) + ", " + words;
        note({story, Told::making});
        hand_over(adopted.get(), (flags & close_on_free) != 0);
        errno = 0;
        listener->foreign_ = subject_.listener_new(on.foreign(), callback, pointer_of(voice), flags,
                                                   making.backlog, adopted.get());
        error = Errno::last();
    }

    if (listener->foreign_ == nullptr) {
        if (making.fd >= 0) (void)adopted.release();  // the caller's, who may look at it
        if (adopted.is_open()) hand_over(adopted.get(), false);
        note({"  which gives null, " + error.name(), Told::none_made, -1, error.value()});
        return {nullptr, error};
    }
    if (making.fd >= 0) given_.pop_back();
    listener->fd_ =
        adopted.is_open() ? adopted.release() : subject_.listener_get_fd(listener->foreign_);
    listener->owns_fd_ = (flags & close_on_free) == 0;
    listener->enabled_ = (flags & disabled) == 0;
    listener->has_callback_ = !making.null_callback;
    listener->flags_ = flags;
    listener->disturbed_ = fired() != fired_before;
    if (kernel::is_open(listener->fd_)) {
        listener->address_ = Address::local_of(listener->fd_);
        if (listener->owns_fd_) hand_over(listener->fd_, false);
    }
    listeners_.push_back(std::move(listener));
    const Attempt made{listeners_.back().get(), Errno{0}};
    const std::string where = "  which listens at " + made.listener->address().text();
    note({where + outcome_words(made), Told::made, made.listener->fd()});
    return made;
}

void Stage::keep_given(int fd) {
    given_.push_back({fd, kernel::is_open(fd) ? kernel::inode_of(fd) : 0});
}

Attempt Stage::try_bind_raw(const sockaddr* address, int length, unsigned flags) {
    require(Feature::new_by_binding);
    require_flags(flags);
    for (const auto& [flag, reason] : always_flags_) flags |= flag;
    const Voice voice = new_voice();
    auto listener = std::make_unique<Listener>(*this, loop(), voice);
    adopt_voice(voice, *listener);
    note({"binds " + Address(address, static_cast<socklen_t>(length < 0 ? 0 : length)).text() +
              " given as " + std::to_string(length) + " bytes, flags " + flag_words(flags),
          Told::making, -1, can_be_no_address(address, length) ? 1 : 0});
    errno = 0;
    listener->foreign_ = subject_.listener_new_bind(loop().foreign(), function_of(voice),
                                                    pointer_of(voice), flags, -1, address, length);
    const Errno error = Errno::last();
    if (listener->foreign_ == nullptr) {
        note({"  which gives null, " + error.name(), Told::none_made, -1, error.value()});
        return {nullptr, error};
    }
    listener->fd_ = subject_.listener_get_fd(listener->foreign_);
    listener->owns_fd_ = (flags & close_on_free) == 0;
    if (kernel::is_open(listener->fd_)) listener->address_ = Address::local_of(listener->fd_);
    listeners_.push_back(std::move(listener));
    const Attempt made{listeners_.back().get(), Errno{0}};
    note({"  which gives a listener" + outcome_words(made), Told::made, made.listener->fd()});
    return made;
}

BoundSocket Stage::bound_socket(const Address* at, bool nonblocking) {
    const Address address = at != nullptr ? *at : Address::loopback(variant_.family, fresh_name());
    const int type = SOCK_STREAM | (nonblocking ? SOCK_NONBLOCK : 0);
    Fd fd(must(::socket(address.family(), type, 0), "socket for " + address.text()));
    const int on = 1;
    must(::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
    must(::bind(fd.get(), address.get(), address.length()), "bind to " + address.text());
    Address bound = Address::local_of(fd.get());
    return {std::move(fd), bound};
}

Errno Stage::bind_plain(const Address& at, bool reuse_address) {
    const Fd fd(must(::socket(at.family(), SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    const int on = reuse_address ? 1 : 0;
    must(::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
    if (::bind(fd.get(), at.get(), at.length()) == 0) return Errno{0};
    return Errno::last();
}

Loop& Stage::loop() { return loops_.empty() ? another_loop() : loops_.front(); }

Loop& Stage::another_loop() {
    ForeignLoop* foreign = subject_.loop_new();
    if (foreign == nullptr) throw Broken("the subject gave no event loop");
    return loops_.emplace_back(*this, foreign, static_cast<int>(loops_.size()) + 1);
}

Voice Stage::new_voice() {
    const int number = voice_count_++;
    return {number % 4, number};
}

Peer& Stage::connect(const Listener& listener) { return connect(listener.address()); }

Peer& Stage::connect(const Address& address) {
    const std::lock_guard lock(mutex_);
    Peer& peer = peers_.emplace_back(static_cast<int>(peers_.size()) + 1, address);
    note("peer " + std::to_string(peer.number()) + " connects to " + address.text() +
         (peer.refusal() == Errno{0} ? "" : ": " + peer.refusal().name()));
    return peer;
}

std::vector<Peer*> Stage::connect_many(const Listener& listener, int count) {
    std::vector<Peer*> many;
    for (int i = 0; i < count; ++i) many.push_back(&connect(listener));
    return many;
}

int Stage::turn_until_quiet() {
    int turns = 0;
    for (int quiet = 0; quiet < quiet_turns && turns < most_turns; ++turns) {
        const std::size_t before = deliveries();
        for (Loop& each : loops_) {
            if (each.foreign() != nullptr) {
                (void)subject_.loop_turn(each.foreign());
                throw_what_was_thrown();
            }
        }
        quiet = deliveries() == before ? quiet + 1 : 0;
    }
    return turns;
}

void Stage::settle() {
    const int turns = turn_until_quiet();
    note("turns the loop until idle: " + std::to_string(turns) + " turns, " +
         std::to_string(deliveries()) + " delivered so far");
}

void Stage::use_threads() {
    require(Feature::threads);
    if (threads_) return;
    if (!loops_.empty()) throw Broken("use_threads() comes before the first loop");
    // Once a process and never undone, so no part of the run: its locks are no leak.
    ledger_.recording.store(0);
    const int result = subject_.use_threads();
    ledger_.recording.store(1);
    if (result != 0) throw Broken("the subject could not be prepared for threads");
    threads_ = true;
}

void Stage::inject(std::string_view plan) {
    try {
        const std::string text(plan);
        add_faults(parse_plan({&text, 1}));
    } catch (const PlanError& refused) {
        throw Broken(refused.what());
    }
    note("injects " + std::string(plan));
}

void Stage::add_faults(const std::vector<Fault>& faults) {
    for (const Fault& fault : faults) {
        if (ledger_.rule_count == shim::rule_room) throw Broken("too many rules for one run");
        write_rule(fault, ledger_.rules[ledger_.rule_count]);
        ++ledger_.rule_count;
        faults_.push_back(fault);
    }
}

void Stage::end_faults() {
    for (std::uint32_t i = 0; i < ledger_.rule_count; ++i) ledger_.rules[i].last = 0;
    if (ledger_.rule_count != 0 || never_waits_) note({"the faults are over", Told::faults_over});
}

void Stage::require_reached() {
    ++checks_;
    for (std::size_t i = 0; i < faults_.size(); ++i) {
        const shim::Rule& rule = ledger_.rules[i];
        if (rule.fired.load() != 0) continue;
        throw Unreached(to_text(faults_[i]) + " never fired: " + std::to_string(rule.seen.load()) +
                        " calls matched it");
    }
}

std::uint32_t Stage::fired() const {
    std::uint32_t all = 0;
    for (std::uint32_t i = 0; i < ledger_.rule_count; ++i) all += ledger_.rules[i].fired.load();
    return all;
}

std::uint32_t Stage::calls(shim::Call call) const {
    return ledger_.calls[static_cast<std::size_t>(call)].load();
}

std::uint32_t Stage::allocations() const { return ledger_.allocation_count.load(); }

// A check may hold the call that throws this, and doctest keeps whatever a check throws to itself.
void Stage::unsupported(const std::string& reason) {
    if (lacked_.empty()) lacked_ = reason;
    throw Unsupported(reason);
}

void Stage::ask_what_it_lacks() {
    const auto keep = [](auto& reasons, auto what, const std::string& reason) {
        if (!reason.empty()) reasons[what] = reason;
    };
    for (const Feature feature : every_feature) keep(lacks_, feature, subject_.lacks(feature));
    for (unsigned flag = 1; flag <= bind_ipv4_and_ipv6; flag <<= 1) {
        keep(lacks_flags_, flag, subject_.lacks_flag(flag));
        keep(always_flags_, flag, subject_.always_flag(flag));
    }
}

void Stage::require(Feature feature) {
    const auto found = lacks_.find(feature);
    if (found != lacks_.end()) unsupported(found->second);
}

void Stage::require_flags(unsigned flags) {
    for (const auto& [flag, reason] : lacks_flags_) {
        if ((flags & flag) != 0) unsupported(reason);
    }
}

void Stage::require_without(unsigned flag) {
    const auto found = always_flags_.find(flag);
    if (found != always_flags_.end()) unsupported(found->second);
}

unsigned Stage::supported(unsigned flags) const {
    for (const auto& [flag, reason] : lacks_flags_) flags &= ~flag;
    return flags;
}

void Stage::record(const std::string& key, const std::string& value) {
    ++checks_;
    recorded_[key] = value;
}

void Stage::note(const std::string& line) { note(Note{line}); }

void Stage::note(const Note& note) {
    add_note(ledger_, note);
    const std::lock_guard lock(notes_mutex_);
    notes_.emplace_back(note.text);
}

void Stage::tear_down() {
    for (auto& each : listeners_) {
        each->on_accept_ = nullptr;
        each->on_error_ = nullptr;
        if (!each->freed_) each->free();
        if (each->owns_fd_ && kernel::is_open(each->fd_)) (void)::close(each->fd_);
        each->owns_fd_ = false;
        if (each->address_.family() == AF_UNIX) (void)::unlink(each->address_.text().c_str());
    }
    // What a case gave away for good and no listener took, unless the number is another's by now.
    for (const Given& each : given_) {
        if (kernel::is_open(each.fd) && kernel::inode_of(each.fd) == each.inode)
            (void)::close(each.fd);
    }
    for (Loop& each : loops_) each.free();
    // Peers first: a reset leaves no TIME_WAIT behind to fill the namespace's ports.
    for (Peer& each : peers_) each.reset();
    for (auto& each : listeners_) {
        for (auto& accepted : each->accepted_) accepted.fd.reset();
    }
}

std::string Stage::fresh_name() {
    // Never twice in a process: a sweep has many stages in one, and a path outlives its socket.
    static int name_count = 0;
    const std::string name = process_word() + "-" + std::to_string(++name_count);
    if (variant_.family != Family::unix_path) return "hark-" + name;
    const char* scratch = std::getenv("HARK_SCRATCH");
    if (scratch == nullptr) throw Broken("HARK_SCRATCH names no folder for AF_UNIX paths");
    return std::string(scratch) + "/" + name;
}

}  // namespace hark
