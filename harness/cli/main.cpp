// `hark`: the command line, and the one place where what went wrong becomes an exit status.

#include <iostream>

#include "harness/campaign/expectations.h"
#include "harness/campaign/selection.h"
#include "harness/cell/interleaving.h"
#include "harness/cli/command.h"
#include "harness/cli/listener_choice.h"
#include "harness/cli/sharding.h"
#include "harness/cli/subject_choice.h"
#include "harness/cli/value_words.h"
#include "harness/exit_status.h"
#include "harness/fault/plan.h"
#include "harness/inject/injection.h"
#include "harness/must.h"
#include "harness/probe/recipe.h"
#include "harness/results/results_file.h"
#include "harness/subject/loading.h"
#include "harness/version.h"

namespace hark::cli {

namespace {

std::vector<std::string> given;
std::vector<std::string> after_dashes;

// What stands after "--" is another program's command line, in these commands.
int count_before_dashes(int count, char** words) {
    const std::string_view command = count > 1 ? words[1] : "";
    const bool runs_others = command == "inject" || command == "probe";
    if (!runs_others) return count;
    for (int i = 2; i < count; ++i) {
        if (std::string_view(words[i]) != "--") continue;
        after_dashes.assign(words + i + 1, words + count);
        return i;
    }
    return count;
}

constexpr char statuses[] = R"(Exit status:
  0  everything came out as expected
  1  a subject failed, or passed, where that was not foreseen
  2  Hark could not do its part, or a fault never fired
  3  nothing was selected, or nothing ran
 64  the command line is wrong
 65  a file holds what it should not
 66  a file is not there
130  interrupted
)";

constexpr char examples[] = R"(  hark run --subject libevent --out hark-report
  hark run --subject ./libevent-2.2/lib/libevent_core.so --clause CEX_2
  hark replay libevent/ERR_3.errno_told@emfile
  hark report --format html --output report.html hark-report/results.jsonl
)";

int complain(int status, const std::string& what) {
    std::cerr << "hark: " << what << '\n';
    return status;
}

int act(const Action& action) {
    try {
        return action();
    } catch (const PlanError& refused) {
        return complain(exit_usage, refused.what());
    } catch (const UnknownName& unknown) {
        return complain(exit_usage, unknown.what());
    } catch (const BadListener& wrong) {
        return complain(exit_usage, wrong.what());
    } catch (const BadVia& wrong) {
        return complain(exit_usage, wrong.what());
    } catch (const BadCommand& wrong) {
        return complain(wrong.is_missing ? exit_no_input : exit_bad_data, wrong.what());
    } catch (const BadInterleaving& wrong) {
        return complain(exit_usage, wrong.what());
    } catch (const BadEnvironment& wrong) {
        return complain(exit_usage, wrong.what());
    } catch (const NoSuchFile& missing) {
        return complain(exit_no_input, missing.what());
    } catch (const BadLibrary& wrong) {
        return complain(exit_bad_data, wrong.what());
    } catch (const Interrupted& interrupted) {
        return complain(exit_interrupted, interrupted.what());
    } catch (const probe::BadRecipe& bad) {
        return complain(exit_bad_data, bad.what());
    } catch (const BadExpectations& bad) {
        return complain(exit_bad_data, bad.what());
    } catch (const BadResults& bad) {
        return complain(exit_bad_data, bad.what());
    } catch (const std::exception& trouble) {
        return complain(exit_broken, trouble.what());
    }
}

}  // namespace

const std::vector<std::string>& command_line() { return given; }
const std::vector<std::string>& command_after_dashes() { return after_dashes; }

std::string footer(const char* lines) { return statuses + std::string("\nExamples:\n") + lines; }

int run_command_line(int count, char** words) {
    given.assign(words, words + count);
    CLI::App app(
        "Finds out whether a connection listener keeps its promises, in peace and under fault.",
        "hark");
    app.set_version_flag("--version", version);
    app.require_subcommand(1);
    app.footer(footer(examples));
    Action action;
    add_run(app, action);
    add_sweep(app, action);
    add_schedules(app, action);
    add_mutants(app, action);
    add_smoke(app, action);
    add_probe(app, action);
    add_replay(app, action);
    add_inject(app, action);
    add_ctl(app, action);
    add_report(app, action);
    add_list(app, action);
    add_complete(app, action);
    add_manual(app, action);
    add_one_run(app, action);
    add_zygote(app, action);
    add_has_descriptor(app, action);
    name_values(app);
    try {
        app.parse(count_before_dashes(count, words), words);
    } catch (const CLI::ParseError& wrong) {
        return app.exit(wrong) == 0 ? exit_as_expected : exit_usage;
    }
    return act(action);
}

}  // namespace hark::cli

int main(int count, char** words) { return hark::cli::run_command_line(count, words); }
