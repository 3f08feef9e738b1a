// Reading and writing what only the thread whose turn it is touches; it is atomic for the driver's
// sake, which looks in from another process.
#pragma once

#include <atomic>

namespace shim {

template <typename Value>
Value plain(const std::atomic<Value>& value) {
    return value.load(std::memory_order_relaxed);
}
template <typename Value>
void put(std::atomic<Value>& value, Value to) {
    value.store(to, std::memory_order_relaxed);
}

}  // namespace shim
