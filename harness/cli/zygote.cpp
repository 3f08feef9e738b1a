// What Hark starts itself as: the process that cells are forked from, the one run that a debugger
// holds, and the program that a case makes look at its own descriptors.  --help doesn't name them.

#include "harness/cell/zygote.h"

#include <fcntl.h>

#include "harness/cli/command.h"
#include "harness/stage/kernel.h"

namespace hark::cli {

void add_zygote(CLI::App& app, Action& action) {
    struct Words {
        std::string adapter, library, network, processes;
    };
    auto words = std::make_shared<Words>();
    auto* command = app.add_subcommand("zygote")->group("");
    command->add_option("adapter", words->adapter)->required();
    command->add_option("library", words->library)->required();
    command->add_option("network", words->network)->required();
    command->add_option("processes", words->processes)->required();
    command->callback([&action, words] {
        action = [words] {
            return serve({words->adapter, words->library == "-" ? "" : words->library,
                          words->network == "network", words->processes == "processes"});
        };
    });
}

void add_one_run(CLI::App& app, Action& action) {
    struct Words {
        OneRun run;
        std::string library;
    };
    auto words = std::make_shared<Words>();
    auto* command = app.add_subcommand("one-run")->group("");
    command->add_option("ledger", words->run.ledger_fd)->required();
    command->add_option("adapter", words->run.zygote.adapter)->required();
    command->add_option("library", words->library)->required();
    command->add_option("case", words->run.job.case_number)->required();
    command->add_option("variant", words->run.job.variant_number)->required();
    command->add_option("plan", words->run.job.plans[0]);
    command->callback([&action, words] {
        action = [words] {
            if (words->library != "-") words->run.zygote.library = words->library;
            return run_once(words->run);
        };
    });
}

void add_has_descriptor(CLI::App& app, Action& action) {
    auto number = std::make_shared<int>(-1);
    auto* command = app.add_subcommand("has-descriptor")->group("");
    command->add_option("number", *number)->required();
    command->callback([&action, number] {
        action = [number] {
            return ::fcntl(*number, F_GETFD) == -1 ? kernel::lacks_descriptor_status
                                                   : kernel::has_descriptor_status;
        };
    });
}

}  // namespace hark::cli
