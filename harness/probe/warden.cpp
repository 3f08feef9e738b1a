#include "harness/probe/warden.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "harness/must.h"
#include "harness/probe/losing.h"
#include "harness/probe/peace.h"
#include "harness/probe/recipe.h"
#include "harness/probe/shortage.h"

namespace hark::probe {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

// In the namespace /run is an empty one of its own, and the folder is in there: nothing has to be
// taken away from any disk.
constexpr char scratch[] = "/run/hark";
// Enough for any server's files, and an end to a log that is flooded.
constexpr char run_options[] = "mode=0755,size=512m";

// A recipe's words know their folder only now.
void fill_in(Setup& setup) {
    if (!setup.in_own_folder) return;
    const Places places{.folder = setup.scratch / "own",
                        .port = setup.port.value_or(0),
                        .programs = setup.programs};
    for (auto& each : setup.command) each = filled(each, places);
    for (auto& [name, content] : setup.files) content = filled(content, places);
}

class Trials {
  public:
    Trials(const Setup& setup, const std::vector<Trial>& trials, Fd out)
        : setup_(setup), trials_(trials), out_(std::move(out)) {}
    void run(bool measures);

  private:
    void tell(const json& line) const;
    void try_one(const Trial& trial, bool is_first);
    void measure();
    [[nodiscard]] std::vector<Answer> answers_to(const Trial& trial) const;
    [[nodiscard]] static std::vector<Answer> why_none(const Trial& trial, const std::string& why,
                                                      bool is_servers);

    const Setup& setup_;
    const std::vector<Trial>& trials_;
    Fd out_;
    Peace peace_;
};

void Trials::tell(const json& line) const {
    const std::string text = line.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
    for (std::size_t at = 0; at < text.size();) {
        const auto size = ::write(out_.get(), text.data() + at, text.size() - at);
        if (size <= 0) ::_exit(1);  // nobody listens any more
        at += static_cast<std::size_t>(size);
    }
}

// The measure of everything else, and who the server is; without it there is nothing to try.
void Trials::measure() {
    Ground ground(setup_, {});
    peace_ = measure_peace(ground);
    json ports = json::array();
    for (const auto& each : ground.all()) ports.push_back(each.text());
    std::vector<Answer> answers;
    for (const Trial& each : trials_) {
        if (each.kind != Kind::peace) continue;
        answers = tell_sockets(ground, each, peace_);
    }
    const auto stubborn = ground.server().stop(setup_.scaled(stop_limit));
    tell({{"kind", "ready"},
          {"port", ground.listening().text()},
          {"ports", ports},
          {"is_seen", peace_.is_seen},
          {"why_not", peace_.why_not}});
    for (Answer& each : answers) {
        each.record("ends at SIGTERM", stubborn.empty());
        json row = each.row();
        row["duration_us"] = 0;
        tell(row);
    }
}

std::vector<Answer> Trials::answers_to(const Trial& trial) const {
    switch (trial.kind) {
        case Kind::shortage:
        case Kind::for_good:
        case Kind::kernel:
            return try_lasting(setup_, trial, peace_);
        default:
            return try_passing(setup_, trial);
    }
}

std::vector<Answer> Trials::why_none(const Trial& trial, const std::string& why, bool is_servers) {
    std::vector<Answer> all;
    for (const Question* question : questions_of(trial)) {
        Answer answer(trial, *question);
        if (is_servers) {
            answer.fail("deaf", "it starts, and serves its first client", "nobody is served");
            answer.said(why);
        } else {
            answer.error(why);
        }
        all.push_back(std::move(answer));
    }
    return all;
}

void Trials::try_one(const Trial& trial, bool is_first) {
    const auto began = Clock::now();
    std::vector<Answer> answers;
    try {
        answers = answers_to(trial);
    } catch (const NotServing& trouble) {
        if (is_first && trial.kind != Kind::missing) throw;  // nor will it serve for the others
        // It serves in peace; only where the fault is there from the start this is its doing.
        answers = why_none(trial, trouble.what(), trial.kind == Kind::missing);
    } catch (const Broken& trouble) {
        answers = why_none(trial, trouble.what(), false);
    }
    const auto took =
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began).count();
    for (const Answer& each : answers) {
        json row = each.row();
        row["duration_us"] = took / static_cast<std::int64_t>(answers.size());
        tell(row);
    }
}

void Trials::run(bool measures) {
    try {
        if (measures) measure();
        bool is_first = !measures;
        for (const Trial& each : trials_) {
            if (each.kind != Kind::peace) try_one(each, std::exchange(is_first, false));
        }
        tell({{"kind", "end"}});
    } catch (const NotServing& trouble) {
        tell({{"kind", "not serving"}, {"why", trouble.what()}});
    } catch (const std::exception& trouble) {
        tell({{"kind", "broken"}, {"why", trouble.what()}});
    }
}

// In the namespaces.  What a server writes anywhere but in its folder and in /run stays there.
[[noreturn]] void be_warden(const Setup& setup, const std::vector<Trial>& trials, bool measures,
                            Fd out) {
    (void)::setsid();  // Ctrl-C is for whoever waits for this process
    for (const int number : {SIGINT, SIGTERM}) (void)::signal(number, SIG_DFL);
    (void)::signal(SIGPIPE, SIG_IGN);
    (void)::umask(022);
    (void)::prctl(PR_SET_CHILD_SUBREAPER, 1);
    try {
        must(::mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, run_options), "mount /run");
        fs::create_directory(setup.scratch);
    } catch (const std::exception& broken) {
        const std::string line = json{{"kind", "broken"}, {"why", broken.what()}}.dump() + '\n';
        (void)!::write(out.get(), line.data(), line.size());
        ::_exit(1);
    }
    Trials(setup, trials, std::move(out)).run(measures);
    ::_exit(0);
}

}  // namespace

Warden::Warden(const Setup& setup, const std::vector<Trial>& trials, bool measures) {
    try {
        std::array<int, 2> ends{};
        must(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
        lines_.reset(ends[0]);
        Fd out(ends[1]);
        Setup own = setup;
        own.scratch = scratch;
        fill_in(own);
        process_ = fork_isolated(isolation_);
        if (process_ == 0) {
            if (!isolation_.network || !isolation_.processes) ::_exit(1);
            be_warden(own, trials, measures, std::move(out));
        }
        if (!isolation_.network || !isolation_.processes) {
            throw Broken("the server would not be alone: " + isolation_.reason);
        }
    } catch (...) {
        end();
        throw;
    }
}

Warden::~Warden() { end(); }

void Warden::end() {
    if (process_ <= 0) return;
    (void)::kill(process_, SIGKILL);
    (void)::waitpid(process_, nullptr, 0);
    process_ = -1;
}

bool Warden::read(const std::function<void(const json&)>& keep) {
    std::array<char, 65536> piece{};
    const auto size = ::read(lines_.get(), piece.data(), piece.size());
    if (size <= 0) {
        lines_.reset();
        return false;
    }
    begun_.append(piece.data(), static_cast<std::size_t>(size));
    for (auto end = begun_.find('\n'); end != std::string::npos; end = begun_.find('\n')) {
        keep(json::parse(begun_.substr(0, end)));
        begun_.erase(0, end + 1);
    }
    return true;
}

bool listen(const std::vector<std::unique_ptr<Warden>>& wardens,
            const std::function<void(const json&)>& keep, const std::function<bool()>& is_over) {
    while (!is_over()) {
        std::vector<pollfd> watched;
        std::vector<Warden*> open;
        for (const auto& each : wardens) {
            if (each->handle() < 0) continue;
            watched.push_back({each->handle(), POLLIN, 0});
            open.push_back(each.get());
        }
        if (open.empty()) return true;
        if (::poll(watched.data(), watched.size(), 100) <= 0) continue;
        for (std::size_t i = 0; i < open.size(); ++i) {
            if (watched[i].revents != 0) (void)open[i]->read(keep);
        }
    }
    return false;
}

}  // namespace hark::probe
