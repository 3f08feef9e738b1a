// hark manual: the man pages, written from the command line's own description when Hark is built.
// Not for users; --help doesn't name it.

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>

#include "harness/cli/command.h"
#include "harness/cli/description.h"
#include "harness/exit_status.h"
#include "harness/must.h"
#include "harness/version.h"

namespace hark::cli {

namespace {

namespace fs = std::filesystem;

// Text as roff has it: a hyphen that can be copied, no escapes, no requests.
std::string plain(std::string_view text) {
    std::string all;
    bool at_margin = true;
    for (const char each : text) {
        if (at_margin && (each == '.' || each == '\'')) all += "\\&";
        if (each == '\\') {
            all += "\\e";
        } else if (each == '-') {
            all += "\\-";
        } else {
            all += each;
        }
        at_margin = each == '\n';
    }
    return all;
}

std::string bold(std::string_view text) { return "\\fB" + plain(text) + "\\fR"; }
std::string slanted(std::string_view text) { return "\\fI" + plain(text) + "\\fR"; }

std::string upper(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
    return text;
}

// "hark-run", as the page is called.
std::string page_of(const Description& command) {
    std::string name = command.name;
    std::ranges::replace(name, ' ', '-');
    return name;
}

std::string sentence(std::string text) {
    if (!text.empty() && text.back() != '.') text += '.';
    return text;
}

// Options that must be given, then places, as they are typed.
std::string synopsis(const Description& command, bool has_commands) {
    std::string line = bold(command.name);
    if (has_commands) line += " " + slanted("COMMAND");
    if (!command.options.empty()) line += " [" + slanted("OPTION") + "...]";
    for (const auto& each : command.options) {
        if (each.is_required) line += " " + bold(each.names.back()) + " " + slanted(each.value);
    }
    for (const auto& each : command.places) {
        const std::string word = slanted(each.value) + (each.is_repeatable ? "..." : "");
        line += each.is_required ? " " + word : " [" + word + "]";
    }
    return line + "\n";
}

std::string described(const Parameter& one) {
    std::string text = ".TP\n";
    for (const auto& each : one.names) text += (&each == &one.names[0] ? "" : ", ") + bold(each);
    if (!one.value.empty()) text += (one.names.empty() ? "" : " ") + slanted(one.value);
    text += "\n" + plain(sentence(one.what)) + "\n";
    if (!one.choices.empty()) {
        std::string words;
        for (const auto& each : one.choices) words += (words.empty() ? "" : ", ") + bold(each);
        text += "One of " + words + ".\n";
    }
    // What depends on the machine would be that of the one that built it.
    const bool is_of_machine = std::ranges::find(one.names, "--jobs") != one.names.end();
    if (!one.usual.empty() && !is_of_machine) text += "Unless given: " + plain(one.usual) + ".\n";
    return text;
}

std::string parameters(const Description& command) {
    std::string text;
    for (const auto* list : {&command.places, &command.options}) {
        for (const auto& each : *list) text += described(each);
    }
    return text;
}

// Lines as --help has them.
std::string verbatim(const Section& section) {
    return ".SH " + upper(section.title) + "\n.nf\n" + plain(section.lines) + ".fi\n";
}

std::string heading(const Description& command, bool has_commands) {
    return ".\\\" Written by hark manual from the command line itself.\n.TH " +
           plain(upper(page_of(command))) + " 1 \"\" \"hark " + version + "\" \"User Commands\"\n" +
           ".SH NAME\n" + plain(page_of(command)) + " \\- " + plain(command.what) +
           "\n.SH SYNOPSIS\n" + synopsis(command, has_commands) + ".SH DESCRIPTION\n" +
           plain(sentence(command.what)) + "\n";
}

std::string see_also(const std::vector<std::string>& pages) {
    std::string text = ".SH SEE ALSO\n";
    for (const auto& each : pages) {
        text += ".BR " + plain(each) + " (1)" + (&each == &pages.back() ? "" : ",") + "\n";
    }
    return text;
}

// A command's page has those below it as sections of their own.
std::string page(const CLI::App& app) {
    const Description command = describe(app);
    const auto below = commands_below(app);
    std::string text = heading(command, !below.empty());
    for (const CLI::App* each : below) {
        const Description one = describe(*each);
        text += ".SS \"" + plain(one.name) + "\"\n" + plain(sentence(one.what)) + "\n" +
                parameters(one);
    }
    text += ".SH OPTIONS\n" + parameters(command);
    for (const auto& each : command.sections) text += verbatim(each);
    return text + see_also({"hark"});
}

std::string first_page(const CLI::App& app) {
    const Description hark = describe(app);
    std::string text = heading(hark, true) + ".SH COMMANDS\n";
    std::vector<std::string> pages;
    for (const CLI::App* each : commands_below(app)) {
        pages.push_back("hark-" + each->get_name());
        text += ".TP\n.BR " + plain(pages.back()) + " (1)\n" +
                plain(sentence(each->get_description())) + "\n";
    }
    text += ".SH OPTIONS\n" + parameters(hark);
    for (const auto& each : hark.sections) text += verbatim(each);
    return text + see_also(pages);
}

void write(const fs::path& file, const std::string& text) {
    std::ofstream stream(file);
    stream << text << std::flush;
    if (!stream) throw Broken("write " + file.string(), Errno::last());
}

int write_pages(const CLI::App& app, const fs::path& folder) {
    fs::create_directories(folder);
    for (const auto& each : fs::directory_iterator(folder)) {
        // The page of a command that is no more.
        if (each.path().filename().string().starts_with("hark-")) fs::remove(each.path());
    }
    write(folder / "hark.1", first_page(app));
    for (const CLI::App* each : commands_below(app)) {
        write(folder / ("hark-" + each->get_name() + ".1"), page(*each));
    }
    return exit_as_expected;
}

}  // namespace

void add_manual(CLI::App& app, Action& action) {
    auto folder = std::make_shared<std::string>();
    auto* command = app.add_subcommand("manual", "Write the man pages")->group("");
    command->add_option("folder", *folder, "Where they go: man1")->required();
    command->callback(
        [&app, &action, folder] { action = [&app, folder] { return write_pages(app, *folder); }; });
}

}  // namespace hark::cli
