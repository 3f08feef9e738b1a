#include "harness/stage/oracle_descriptors.h"

#include <sys/epoll.h>

#include <algorithm>
#include <string>

#include "harness/fault/model.h"

namespace hark {

void DescriptorOracle::see(const shim::Record& record) {
    if ((record.marks & shim::mark_note) == 0) return see_call(record);
    const Note note = note_of(record);
    if (note.told == Told::freeing) freed_.push_back(note.of);
}

void DescriptorOracle::see_call(const shim::Record& record) {
    if ((record.marks & shim::mark_stale_fd) != 0) see_stale(record);
    if ((record.marks & shim::mark_foreign_close) != 0) {
        findings_.push_back({Oracle::foreign, record.number.load(),
                             std::string(row_of(record.call).name) + " closes descriptor " +
                                 std::to_string(record.arguments[0]) + ", which is not its own"});
    }
    if (record.call == shim::Call::epoll_ctl) see_epoll_ctl(record);
    if (record.call == shim::Call::close) see_close(record.arguments[0]);
    // Whatever opens a descriptor gives its number a new life.
    if (record.result >= 0) std::erase(closed_, record.result);
}

// Only what the subject has closed itself: a number that it was given, and that was never open or
// that its owner closed, is the caller's mistake.
void DescriptorOracle::see_stale(const shim::Record& record) {
    if ((record.marks & shim::mark_injected) != 0) return;
    const auto fd = record.arguments[record.call == shim::Call::epoll_ctl ? 2 : 0];
    if (std::find(closed_.begin(), closed_.end(), fd) == closed_.end()) return;
    findings_.push_back({Oracle::stale, record.number.load(),
                         std::string(row_of(record.call).name) + " on descriptor " +
                             std::to_string(fd) + ", which it has closed"});
}

void DescriptorOracle::see_epoll_ctl(const shim::Record& record) {
    const auto epoll = record.arguments[0];
    const auto fd = record.arguments[2];
    // Who asked, and was refused by a rule, has done what could be done.
    const bool refused_by_rule =
        record.arguments[1] == EPOLL_CTL_DEL && (record.marks & shim::mark_injected) != 0;
    if (record.error != 0 && !refused_by_rule) return;
    if (record.arguments[1] == EPOLL_CTL_ADD) {
        watched_.push_back({epoll, fd, record.number.load()});
        std::erase(freed_, fd);  // a new listener has been given the number
    }
    if (record.arguments[1] == EPOLL_CTL_DEL) {
        std::erase_if(watched_, [&](const Watch& w) { return w.epoll == epoll && w.fd == fd; });
    }
}

// The kernel forgets a registration with its descriptor, so one that is left shows only when the
// epoll itself goes.
void DescriptorOracle::see_close(std::int64_t fd) {
    for (const Watch& watch : watched_) {
        if (watch.epoll != fd) continue;
        if (std::find(freed_.begin(), freed_.end(), watch.fd) == freed_.end()) continue;
        findings_.push_back({Oracle::registration, watch.record,
                             "descriptor " + std::to_string(watch.fd) +
                                 " is still watched although its listener was freed"});
    }
    std::erase_if(watched_, [&](const Watch& w) { return w.epoll == fd || w.fd == fd; });
    closed_.push_back(fd);
}

}  // namespace hark
