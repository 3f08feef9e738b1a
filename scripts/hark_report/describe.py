"""A command's arguments as JSON, for Hark's manual and completion: whatever argparse knows of them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

STATUSES = """\
Exit status:
  0  {done}
  2  Hark could not do its part
{nothing} 64  the command line is wrong
 65  a results file is not a whole, valid run
 66  a file cannot be read
130  interrupted
"""

# Of each command: what 0 and 1 mean, then commands to try.
EXAMPLES = {
    "report": (
        STATUSES.format(
            done="the report is written",
            nothing="  3  nothing ran in any of the files; the report is written, and says so\n",
        ),
        """\
  hark report results/results.jsonl                    a table for a person, as Markdown
  hark report --format html --output report.html results/results.jsonl
  hark report --output junit.xml results/results.jsonl
                                                       the ending says which format
  hark report --format html --output both.html one/results.jsonl two/results.jsonl
                                                       two subjects or versions, side by side
  hark report --list-formats
""",
    ),
    "history": (
        STATUSES.format(
            done="the history is written",
            nothing="",
        ),
        """\
  hark history --output history.html results           a page of every results file below the folder
  hark history --order version results                 by the subjects' versions, as Markdown
""",
    ),
    "merge": (
        STATUSES.format(
            done="the shards are a whole, and the file is written",
            nothing="  4  something is missing, or there twice\n",
        ),
        """\
  hark merge --out whole third-1/results.jsonl third-2/results.jsonl third-3/results.jsonl
                                                       of three times hark run --shard I/3
""",
    ),
    "diff": (
        STATUSES.format(
            done="nothing fails that did not fail before, or in another way\n"
            "  1  something does",
            nothing="",
        ),
        """\
  hark diff before.jsonl after.jsonl                   what changed, as text
  hark diff --output changes.html before.jsonl after.jsonl
""",
    ),
}


def footer(verb: str) -> str:
    """What stands below a command's options."""
    if verb not in EXAMPLES:
        return ""
    statuses, examples = EXAMPLES[verb]
    return f"{statuses}\nExamples:\n{examples}"


def add_footers(verbs: Mapping[str, argparse.ArgumentParser]) -> None:
    for verb, command in verbs.items():
        command.prog = f"hark {verb}"
        command.epilog = footer(verb)
        command.formatter_class = argparse.RawDescriptionHelpFormatter


def as_json(
    command: argparse.ArgumentParser, verb: str, choices: Mapping[str, Sequence[str]]
) -> str:
    """`choices` has the values of options that argparse leaves open, by the option's name."""
    return json.dumps(
        {
            "footer": footer(verb),
            "arguments": [argument(each, choices) for each in command._actions],
        }
    )


def argument(action: argparse.Action, choices: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    names = list(action.option_strings)
    value = "" if action.nargs == 0 else str(action.metavar or action.dest).upper()
    known = [each for name in names for each in choices.get(name, [])]
    return {
        "names": names,
        "value": value,
        "choices": known or list(map(str, action.choices or [])),
        "what": (action.help or "").replace("%%", "%"),
        "is_required": action.required and action.nargs != "*",
        "is_repeatable": action.nargs in ("*", "+"),
    }
