// hark ctl: asks an injection that is running, and switches its rules.

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <iostream>

#include "harness/cli/command.h"
#include "harness/cli/listener_choice.h"
#include "harness/exit_status.h"
#include "harness/inject/ask.h"
#include "harness/inject/control.h"

namespace hark::cli {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr char example_lines[] = R"(  hark ctl list
)";

struct CtlOptions {
    std::vector<std::string> words;
    bool json = false;
    unsigned within_ms = 0;
};

struct BadRequest : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

unsigned number_in(const std::string& digits, const char* what) {
    unsigned number = 0;
    const char* const end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, number);
    if (read.ec != std::errc() || read.ptr != end || number == 0) {
        throw BadRequest("'" + digits + "': expected " + what + ", from 1 up");
    }
    return number;
}

json question_of(const std::vector<std::string>& words) {
    const std::string& what = words.front();
    if ((what == "status" || what == "stop") && words.size() == 1) return {{"do", what}};
    if ((what == "on" || what == "off") && words.size() == 2) {
        return {{"do", what}, {"rule", number_in(words[1], "the number of a rule")}};
    }
    if (what == "wait" && words.size() == 4 && words[1] == "fired") {
        return {{"do", what},
                {"rule", number_in(words[2], "the number of a rule")},
                {"count", number_in(words[3], "how often it has to fire")}};
    }
    throw BadRequest("expected status, on N, off N, wait fired N COUNT, stop or list, not '" +
                     what + "'");
}

// The first word if it is a path; what a command under hark inject finds in its environment if not.
std::string take_socket(std::vector<std::string>& words) {
    std::string socket;
    if (words.front().find('/') != std::string::npos) {
        socket = words.front();
        words.erase(words.begin());
    } else if (const char* known = std::getenv("HARK_CONTROL")) {
        socket = known;
    }
    if (socket.empty()) {
        throw BadRequest(
            "expected the path of a control socket, which hark inject tells when it "
            "starts (hark ctl list)");
    }
    if (words.empty()) throw BadRequest("expected what to do: status, on, off, wait or stop");
    return socket;
}

void print(const json& answer) {
    for (const json& rule : answer.value("rules", json::array())) {
        std::cout << rule["number"] << ' ' << (rule["on"] ? "on  " : "off ")
                  << rule["rule"].get<std::string>() << ": fired " << rule["fired"] << " of "
                  << rule["seen"] << '\n';
    }
    for (const json& each : answer.value("family", json::array())) {
        std::cout << "process " << each["process"] << ' ' << each["name"].get<std::string>()
                  << '\n';
    }
    for (const json& each : answer.value("remarks", json::array())) {
        std::cout << each.get<std::string>() << '\n';
    }
    for (const json& each : answer.value("waiting", json::array())) {
        std::cout << "process " << each["process"] << " already waits in "
                  << each["call"].get<std::string>() << ", which ends as it would have\n";
    }
}

int list(bool as_json) {
    json running = json::array();
    for (const auto& socket : control_sockets()) {
        try {
            const auto answer = ask(socket, {{"do", "status"}}, milliseconds(1000));
            if (!answer) continue;
            running.push_back({{"socket", socket.string()}, {"process", (*answer)["process"]}});
        } catch (const NoControl&) {
            // Left behind by one that was killed; the next of that number takes it away.
        }
    }
    if (as_json) {
        std::cout << running.dump(2) << '\n';
        return exit_as_expected;
    }
    for (const json& each : running) {
        std::cout << each["socket"].get<std::string>() << ": process " << each["process"] << '\n';
    }
    if (running.empty()) std::cout << "no injection is running\n";
    return exit_as_expected;
}

int control(const CtlOptions& options) {
    std::vector<std::string> words = options.words;
    if (words == std::vector<std::string>{"list"}) return list(options.json);
    const std::string socket = take_socket(words);
    const json question = question_of(words);
    const auto answer = ask(socket, question, milliseconds(options.within_ms));
    if (!answer) {
        std::cerr << "hark: that has not come about within the time\n";
        return exit_unexpected;
    }
    if (options.json) std::cout << answer->dump(2) << '\n';
    if ((*answer)["ok"] == true) {
        if (!options.json) print(*answer);
        return exit_as_expected;
    }
    std::cerr << "hark: " << answer->value("error", "it was refused") << '\n';
    return words.front() == "wait" && answer->contains("fired") ? exit_unexpected : exit_usage;
}

int act(const CtlOptions& options) {
    try {
        return control(options);
    } catch (const BadRequest& wrong) {
        std::cerr << "hark: ctl: " << wrong.what() << '\n';
        return exit_usage;
    } catch (const NoControl& gone) {
        std::cerr << "hark: " << gone.what() << '\n';
        return exit_no_input;
    }
}

}  // namespace

void add_ctl(CLI::App& app, Action& action) {
    auto options = std::make_shared<CtlOptions>();
    CLI::App* command = app.add_subcommand(
        "ctl",
        "Asks an injection that is running, and switches its rules: hark ctl [SOCKET] DO, where DO "
        "is\n"
        "status, on N, off N, wait fired N COUNT (until rule N has fired so often) or stop.\n"
        "Without SOCKET it is the injection that this command runs under; hark ctl list tells "
        "which "
        "run.");
    command->add_option("do", options->words, "the socket's path, and what to do")->required();
    command->add_flag("--json", options->json, "the answer as JSON");
    const std::map<std::string, unsigned> units = {{"ms", 1}, {"s", 1000}, {"m", 60000}};
    command->add_option("--within", options->within_ms, "give up after so long, with status 1; 5s")
        ->transform(CLI::AsNumberWithUnit(units, CLI::AsNumberWithUnit::UNIT_REQUIRED, "TIME"));
    command->footer(footer(example_lines));
    command->callback([options, &action] { action = [options] { return act(*options); }; });
}

}  // namespace hark::cli
