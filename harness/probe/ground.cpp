#include "harness/probe/ground.h"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>

#include "harness/must.h"

namespace hark::probe {

namespace fs = std::filesystem;

namespace {

constexpr auto for_everybody = fs::perms::all;

std::string list_of(const std::vector<Listening>& all) {
    std::string text;
    for (const auto& each : all) text += (text.empty() ? "" : ", ") + each.text();
    return text;
}

}  // namespace

Rates rates_between(const Counters& from, const Counters& to) {
    const double seconds = std::chrono::duration<double>(to.at - from.at).count();
    const auto a_second = [&](std::uint64_t before, std::uint64_t after) {
        return after > before && seconds > 0 ? static_cast<double>(after - before) / seconds : 0.0;
    };
    return {.seconds = seconds,
            .accepts = a_second(from.accepts, to.accepts),
            .waits = a_second(from.waits, to.waits),
            .processor = to.ticks > from.ticks ? seconds_of(to.ticks - from.ticks) / seconds : 0.0,
            .lines = a_second(from.lines, to.lines)};
}

Ground::Ground(const Setup& setup, const std::vector<std::string>& rules, Begin begin)
    : setup_(setup) {
    prepare();
    server_ = std::make_unique<Server>(
        Launch{.command = setup_.command,
               .program = setup_.program,
               .folder = setup_.in_own_folder ? setup_.scratch / "own" : fs::path(),
               .said = setup_.scratch / "said",
               .logs = setup_.logs,
               .rules = rules,
               .first_is_on = begin == Begin::before_start});
    faults_ = std::make_unique<Faults>(server_->injection());
    if (setup_.port) faults_->keep_to(*setup_.port);
    server_->wait_until_it_listens(setup_.port, setup_.scaled(start_limit));
    choose_port();
    serve_first();
    choose_port();  // some open one port after another
    (void)settle(0);
    holders_ = holders_at_rest(listening_);
    faults_->keep_to(listening_.port);
}

// Who has listened for long enough to be connected to serves soon.
void Ground::serve_first() {
    Client first = connect();
    if (wait_until_served(first, setup_.scaled(never))) return;
    const std::string got = first.got().substr(0, 200);
    throw NotServing(setup_.command.front() + " listens on " + listening_.text() +
                     ", and its first client was not served: " + to_word(first.stand()) +
                     (got.empty() ? "" : ", with \"" + got + "\"") +
                     (is_dead() ? "; it has ended" : ""));
}

// Nothing that an earlier start has left may be found by this one.
void Ground::prepare() {
    const fs::path own = setup_.scratch / "own";
    fs::remove_all(own);
    fs::remove(setup_.scratch / "said");
    fs::create_directory(own);
    fs::permissions(own, for_everybody);
    for (const auto& [name, content] : setup_.files) {
        if (name.ends_with('/')) {
            fs::create_directories(own / name);
            fs::permissions(own / name, for_everybody);
            continue;
        }
        fs::create_directories((own / name).parent_path());
        std::ofstream file(own / name);
        file << content;
        file.close();
        if (!file) throw Broken((own / name).string() + " cannot be written");
    }
    std::ofstream said(setup_.scratch / "said");
    said.close();
    fs::permissions(setup_.scratch / "said", fs::perms(0666));
}

void Ground::choose_port() {
    all_ = server_->listening();
    const auto chosen = std::find_if(all_.begin(), all_.end(), [&](const Listening& each) {
        return !setup_.port || each.port == *setup_.port;
    });
    if (chosen == all_.end()) {
        throw NotServing(setup_.command.front() + " does not listen any more; it listens on " +
                         (all_.empty() ? "nothing" : list_of(all_)));
    }
    // The first one is kept to, whatever comes later.
    if (listening_.inode == 0) listening_ = *chosen;
}

bool Ground::is_served(Client& client) const {
    const Stand stand = client.look();
    if (!setup_.talk.answer.empty()) return stand == Stand::answered;
    return !client.is_gone() && waiting() == 0;
}

bool Ground::wait_until(const std::function<bool()>& is_so, Milliseconds patience,
                        std::initializer_list<int> also, Milliseconds pause_between) {
    const auto deadline = Clock::now() + patience;
    for (;;) {
        if (is_so()) return true;
        const auto left = std::chrono::ceil<Milliseconds>(deadline - Clock::now());
        if (left <= Milliseconds(0) || is_dead()) return is_so();
        wait_for(also, std::min(left, also.size() == 0 ? pause_between : pause_between * 5));
    }
}

bool Ground::wait_until_served(Client& client, Milliseconds patience) {
    return wait_until([&] { return is_served(client) || client.is_over(); }, patience,
                      {client.fd()}) &&
           is_served(client);
}

std::uint32_t Ground::waiting() const {
    for (const auto& each : all_listening()) {
        if (each.inode == listening_.inode) return each.waiting;
    }
    return 0;
}

bool Ground::is_listening() const {
    const auto all = all_listening();
    return std::any_of(all.begin(), all.end(), [&](const Listening& each) {
        return each.port == listening_.port && each.is_v6 == listening_.is_v6;
    });
}

bool Ground::settle(std::size_t open) {
    return wait_until([&] { return all_accepted(listening_.port) <= open && waiting() == 0; },
                      setup_.scaled(stop_limit));
}

// A child that served a client has the socket too, until it has ended.
std::vector<Process> Ground::holders_at_rest(const Listening& socket) {
    std::vector<Process> last;
    (void)wait_until(
        [&] {
            auto now = server_->holders_of(socket);
            const bool is_same = !last.empty() && now.size() == last.size();
            last = std::move(now);
            return is_same;
        },
        setup_.scaled(death_limit), {}, Milliseconds(20));
    return last;
}

std::string Ground::deaths() {
    const auto living = server_->family();
    std::string text;
    for (const auto& each : holders_) {
        const bool lives = std::any_of(living.begin(), living.end(), [&](const Process& other) {
            return other.id == each.id && other.started == each.started;
        });
        if (!lives) {
            text += (text.empty() ? "" : ", ") + each.name + " (process " +
                    std::to_string(each.id) + ") is gone";
        }
    }
    const auto status = server_->ended();
    if (!text.empty() && status) text += "; the command " + ending_text(*status);
    return text;
}

std::string Ground::deaths_soon() {
    (void)wait_until([&] { return !deaths().empty(); }, setup_.scaled(death_limit));
    return deaths();
}

bool Ground::is_dead() {
    (void)server_->ended();  // what has ended is buried
    return server_->family().empty();
}

Counters Ground::count() {
    return {.at = Clock::now(),
            // Who is not preloaded is seen only where it is made to fail.
            .accepts = std::max<std::uint64_t>(faults_->accepts(), faults_->fired()),
            .waits = faults_->waits(),
            .ticks = server_->ticks(),
            .lines = server_->log_lines()};
}

std::size_t Ground::descriptors() const {
    std::size_t sum = 0;
    for (const auto& each : server_->family()) {
        const bool listens = std::any_of(holders_.begin(), holders_.end(),
                                         [&](const Process& one) { return one.id == each.id; });
        if (listens) sum += descriptors_of(each.id).size();
    }
    return sum;
}

}  // namespace hark::probe
