#include "harness/stage/oracle_words.h"

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "harness/errno.h"

namespace hark {

bool is_retried_by_contract(int error) {
    return error == EAGAIN || error == EINTR || error == ECONNABORTED;
}

bool is_retried_on_linux(int error) {
    switch (error) {
        case EPROTO:
        case ENETDOWN:
        case ENOPROTOOPT:
        case EHOSTDOWN:
        case ENONET:
        case EHOSTUNREACH:
        case ENETUNREACH:
        case ENOSR:
        case ESOCKTNOSUPPORT:
        case EPROTONOSUPPORT:
        case ETIMEDOUT:
        case ECONNRESET:
            return true;
        default:
            return is_retried_by_contract(error);
    }
}

// A firewall's word, a security module's, and what is a network error of the connection or else for
// good.
bool may_be_retried(int error) { return error == EPERM || error == EACCES || error == EOPNOTSUPP; }

WordOracle::State& WordOracle::state_of(std::int64_t fd) {
    for (State& each : states_) {
        if (each.fd == fd) return each;
    }
    State fresh;
    fresh.fd = fd;
    return states_.emplace_back(fresh);
}

void WordOracle::see(const shim::Record& record) {
    if ((record.marks & shim::mark_note) != 0) return see_note(record);
    if (making_ && record.error != 0) {
        failed_.push_back(record.error);
        if ((record.marks & shim::mark_injected) != 0) injected_.push_back(record.error);
    }
    if (record.call == shim::Call::accept || record.call == shim::Call::accept4) see_accept(record);
}

void WordOracle::see_accept(const shim::Record& record) {
    if ((record.marks & shim::mark_unfinished) != 0) return;
    State& state = state_of(record.arguments[0]);
    // An old kernel says EINVAL or ENOSYS to accept4, and whoever then calls accept has told nobody
    // because nothing has failed yet.
    const bool falls_back = record.call == shim::Call::accept &&
                            state.call == shim::Call::accept4 &&
                            (state.failed == EINVAL || state.failed == ENOSYS);
    if (falls_back) state.failed = 0;
    settle(state);
    if (record.result >= 0) return;
    state.failed = record.error;
    state.call = record.call;
    state.record = record.number.load();
    state.thread = record.thread;
}

// A failure that was owed to the error callback, and of which it has not been told by now.
void WordOracle::settle(State& state) {
    const int failed = std::exchange(state.failed, 0);
    if (failed == 0 || !state.error_callback) return;
    if (is_retried_on_linux(failed) || may_be_retried(failed)) return;
    findings_.push_back(
        {Oracle::unreported, state.record,
         "accept reported " + Errno(failed).name() + " and the error callback was not called"});
}

void WordOracle::see_note(const shim::Record& record) {
    const Note note = note_of(record);
    switch (note.told) {
        case Told::making:
            making_ = true;
            at_no_address_ = note.value != 0;
            injected_.clear();
            failed_.clear();
            break;
        case Told::made:
            making_ = false;
            std::erase_if(states_, [&](const State& each) { return each.fd == note.of; });
            (void)state_of(note.of);
            break;
        case Told::none_made:
            making_ = false;
            see_none_made(record, static_cast<int>(note.value));
            break;
        case Told::freeing:
            see_freed(record, state_of(note.of));
            break;
        case Told::enabled:
            if (note.value == 0) state_of(note.of).disabled = false;
            break;
        case Told::disabled:
            if (note.value != 0) break;
            state_of(note.of).disabled = true;
            state_of(note.of).disabled_by = record.thread;
            break;
        case Told::error_callback: {
            State& state = state_of(note.of);
            // Of two threads nobody can say which was first, the failure or the change.
            const bool is_same = state.error_callback == (note.value != 0);
            if (state.thread == record.thread) {
                settle(state);
            } else if (!is_same) {
                state.failed = 0;
            }
            state.error_callback = note.value != 0;
            break;
        }
        case Told::accepted:
            if (!in_company_ && state_of(note.of).disabled &&
                state_of(note.of).disabled_by == record.thread) {
                findings_.push_back({Oracle::word, record.number.load(),
                                     "a connection is delivered although disable said that it "
                                     "succeeded"});
            }
            break;
        case Told::error:
            see_error_told(record, state_of(note.of), static_cast<int>(note.value));
            break;
        case Told::company:
            in_company_ = true;
            break;
        case Told::alone:
            in_company_ = false;
            break;
        case Told::line:
        case Told::callback_set:
        case Told::faults_over:
            break;
    }
}

void WordOracle::see_freed(const shim::Record& record, State& state) {
    // What accept failed of in another thread may be on its way to the callback, or not.
    if (state.failed != 0 && state.thread != record.thread) {
        state.error_callback = false;
        return;
    }
    settle(state);
    std::erase_if(states_, [fd = state.fd](const State& each) { return each.fd == fd; });
}

void WordOracle::see_none_made(const shim::Record& record, int told) {
    if (told == 0) {
        findings_.push_back(
            {Oracle::word, record.number.load(), "no listener was made and errno is zero"});
        return;
    }
    if (injected_.empty() || (at_no_address_ && told == EINVAL)) return;
    // It may have got over the first failure and not over a later one.
    if (std::find(failed_.begin(), failed_.end(), told) != failed_.end()) return;
    findings_.push_back({Oracle::word, record.number.load(),
                         "no listener was made since a call reported " +
                             Errno(injected_.front()).name() + ", and errno says " +
                             Errno(told).name()});
}

void WordOracle::see_error_told(const shim::Record& record, State& state, int told) {
    const int failed = std::exchange(state.failed, 0);
    const std::string name = Errno(told).name();
    if (failed == 0) {
        findings_.push_back({Oracle::overreported, record.number.load(),
                             "the error callback is called and no accept had failed since the "
                             "last time"});
    } else if (failed != told) {
        findings_.push_back({Oracle::word, record.number.load(),
                             "the error callback finds " + name + " where accept reported " +
                                 Errno(failed).name()});
    } else if (is_retried_by_contract(told)) {
        findings_.push_back(
            {Oracle::overreported, record.number.load(), "the error callback is told of " + name});
    } else if (is_retried_on_linux(told)) {
        findings_.push_back(
            {Oracle::talkative, record.number.load(),
             "the error callback is told of " + name + ", a network error of one connection"});
    }
}

void WordOracle::conclude() {
    for (State& each : states_) settle(each);
}

}  // namespace hark
