#include "harness/cell/stable_text.h"

#include <algorithm>
#include <charconv>
#include <functional>

namespace hark {

namespace {

// ip(7), "ip_local_port_range": the default, which every new network namespace has.
constexpr std::uint64_t first_ephemeral_port = 32768;
constexpr std::uint64_t last_ephemeral_port = 60999;
// No flags, no size and no offset is longer; every address of a 64-bit program is.
constexpr std::uint64_t last_plain_number = 0xffff'ffff;

bool is_digit(char each) { return each >= '0' && each <= '9'; }
bool is_hexadecimal(char each) { return is_digit(each) || (each >= 'a' && each <= 'f'); }

std::string_view beginning(std::string_view text, bool (*belongs)(char)) {
    const auto end = std::find_if_not(text.begin(), text.end(), belongs);
    return text.substr(0, static_cast<std::size_t>(end - text.begin()));
}

// False for a number that is too long for one.
bool read(std::string_view digits, int base, std::uint64_t& number) {
    const auto end = digits.data() + digits.size();
    const auto result = std::from_chars(digits.data(), end, number, base);
    return result.ec == std::errc() && result.ptr == end;
}

// sin_port=htons(40112), 127.0.0.1:40112, [::1]:40112
bool precedes_port(std::string_view before) {
    if (before.ends_with("htons(")) return true;
    if (before.size() < 2 || before.back() != ':') return false;
    const char last = before[before.size() - 2];
    return last == ']' || is_digit(last);
}

// AF_UNIX names hold the process that made them (process_word): @hark-0000012-1,
// @hark-peer-0000012-1, /proc/self/fd/5/0000012-1
bool precedes_process(std::string_view before) {
    for (const std::string_view word : {"hark-", "hark-peer-", "hark-unnamed-"}) {
        if (before.ends_with(word)) return true;
    }
    if (!before.ends_with('/')) return false;
    before.remove_suffix(1);
    while (!before.empty() && is_digit(before.back())) before.remove_suffix(1);
    return before.ends_with("/proc/self/fd/");
}

}  // namespace

std::string StableText::place_in(std::vector<std::uint64_t>& known, std::uint64_t number) {
    auto place = std::find(known.begin(), known.end(), number);
    if (place == known.end()) place = known.insert(known.end(), number);
    return std::to_string(place - known.begin() + 1);
}

void StableText::name_number(std::string_view digits, std::string_view after, std::string& text) {
    std::uint64_t number = 0;
    const bool is_number = read(digits, 10, number);
    const bool is_ephemeral = first_ephemeral_port <= number && number <= last_ephemeral_port;
    if (is_number && is_ephemeral && precedes_port(text)) {
        text += "port" + place_in(ports_, number);
    } else if (is_number && text.ends_with("[tid ")) {
        text += place_in(threads_, number);
    } else if (after.starts_with('-') && precedes_process(text)) {
        text += "cell";
    } else {
        text += digits;
    }
}

void StableText::name_pointer(std::string_view whole, std::string& text) {
    std::uint64_t number = 0;
    if (read(whole.substr(2), 16, number) && number > last_plain_number) {
        text += "pointer" + place_in(pointers_, number);
    } else {
        text += whole;
    }
}

std::string StableText::operator()(std::string_view text) {
    std::string stable;
    stable.reserve(text.size());
    while (!text.empty()) {
        if (!is_digit(text.front())) {
            stable += text.front();
            text.remove_prefix(1);
            continue;
        }
        std::size_t size = 0;
        if (text.starts_with("0x")) {
            size = 2 + beginning(text.substr(2), &is_hexadecimal).size();
            name_pointer(text.substr(0, size), stable);
        } else {
            size = beginning(text, &is_digit).size();
            name_number(text.substr(0, size), text.substr(size), stable);
        }
        text.remove_prefix(size);
    }
    return stable;
}

void make_stable(nlohmann::json& row) {
    StableText stable;
    const std::function<void(nlohmann::json&)> visit = [&](nlohmann::json& value) {
        if (value.is_string()) value = stable(value.get_ref<const std::string&>());
        if (!value.is_structured()) return;
        for (auto& each : value) visit(each);
    };
    // What was done first, since everything has been named there already by who made it.
    for (const char* key :
         {"did", "trace", "expected", "seen", "message", "recorded", "findings"}) {
        if (const auto found = row.find(key); found != row.end()) visit(*found);
    }
}

}  // namespace hark
