"""Completion in a real bash and a real zsh, of the files that are installed."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from hark_call import ROOT, hark, program

SHELLS = ROOT / "harness/cli/completion"
# As a bash does when somebody presses the tab key: it cuts the line into words at COMP_WORDBREAKS.
PRESS_TAB = """
source "$1"
COMP_LINE=$2 COMP_POINT=${#2}
complete -p hark >/dev/null || exit
_hark
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module", name="place")
def place_with_hark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("completion")
    (place / "bin").mkdir()
    (place / "bin/hark").symlink_to(program())
    (place / "here").mkdir()
    (place / "here/my results").mkdir()
    (place / "here/results.jsonl").touch()
    return place


def environment(place: Path) -> dict[str, str]:
    return {"PATH": f"{place}/bin:{os.environ['PATH']}", "HOME": str(place), "TERM": "dumb"}


def bash(place: Path, line: str) -> list[str]:
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", PRESS_TAB, "-", SHELLS / "hark.bash", line],
        cwd=place / "here",
        env=environment(place),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return [each for each in done.stdout.splitlines() if each]


def listed(what: str) -> list[str]:
    return [line.split()[0] for line in hark("list", what).out.splitlines()]


def test_commands_and_not_those_for_hark_itself(place: Path) -> None:
    found = bash(place, "hark ")
    assert {"run", "sweep", "replay", "report", "diff", "list", "smoke"} <= set(found)
    assert not {"zygote", "one-run", "complete", "manual", "has-descriptor"} & set(found)
    assert bash(place, "hark sw") == ["sweep"]
    assert bash(place, "hark list ca") == ["cases", "calls"]
    assert bash(place, "hark frobnicate ") == bash(place, "hark ")


def test_options_of_the_command(place: Path) -> None:
    assert bash(place, "hark run --sub") == ["--subject"]
    assert "--resume" in bash(place, "hark sweep --")
    assert "--resume" not in bash(place, "hark run --")
    assert "--list-formats" in bash(place, "hark report --")  # the Python package's
    assert bash(place, "hark list subjects ") == bash(place, "hark list subjects -")


@pytest.mark.parametrize("given", ["--color ", "--color=", "-v --color "])
def test_words_of_a_short_list(place: Path, given: str) -> None:
    assert bash(place, f"hark run {given}") == ["auto", "always", "never"]
    assert bash(place, f"hark run {given}al") == ["always"]


def test_formats_are_those_that_there_are(place: Path) -> None:
    formats = hark("report", "--list-formats").out.split()
    assert bash(place, "hark report --format ") == formats
    assert bash(place, "hark diff --format m") == ["markdown"]


def test_names_are_those_that_hark_lists(place: Path) -> None:
    subjects = listed("subjects")
    assert bash(place, "hark run --subject ")[: len(subjects) + 1] == [*subjects, "all"]
    assert bash(place, "hark run --subject=refer") == ["reference"]
    assert "all" not in bash(place, "hark smoke ")
    clauses = listed("clauses")
    assert bash(place, "hark run --clause ERR_") == [
        each for each in clauses if each.startswith("ERR_")
    ]
    cases = listed("cases")
    assert bash(place, "hark run --case ERR_3.") == [
        each for each in cases if each.startswith("ERR_3.")
    ]


def test_a_run_by_its_subject_and_case(place: Path) -> None:
    assert bash(place, "hark replay refer") == ["reference/"]
    found = bash(place, "hark replay reference/NBL_1.")
    assert found == [f"reference/{each}" for each in listed("cases") if each.startswith("NBL_1.")]
    # bash itself has cut at the '@'; what it takes is what comes after.
    assert bash(place, "hark replay reference/ERR_3.errno_told@emf") == ["emfile"]


def test_plans_in_parts(place: Path) -> None:
    assert bash(place, "hark run --plan accept4") == ["accept4:"]
    assert "EMFILE" in bash(place, "hark run --plan accept4:error=")
    assert bash(place, "hark sweep --call accept4,li") == ["accept4,listen"]
    assert "EMFILE" in [
        each.rpartition(",")[2] for each in bash(place, "hark sweep --errno ENFILE,EM")
    ]


def test_files_and_folders(place: Path) -> None:
    assert sorted(bash(place, "hark report ")) == ["my results", "results.jsonl"]
    assert bash(place, "hark run --out ") == ["my results"]
    assert bash(place, "hark diff results.jsonl res") == ["results.jsonl"]


def test_every_option_that_takes_a_value_knows_what_to_offer_or_needs_none(place: Path) -> None:
    """Free numbers and factors aside, something is offered for each."""
    free = {"--jobs", "-j", "--repeat", "--seed", "--timeout-scale", "--shard", "--per-site"}
    free |= {"--shallow", "--unsupported-status"}
    for command in ("run", "sweep", "replay", "smoke", "report", "diff"):
        page = hark(command, "--help").out
        for option in bash(place, f"hark {command} --"):
            line = next(each for each in page.splitlines() if option in each)
            takes_a_value = line.partition(option)[2][:2].strip().isupper()
            if takes_a_value and option not in free:
                assert bash(place, f"hark {command} {option} "), (command, option)


# A zsh on a terminal of its own: somebody types the line and the tab key; what stands there then is told.
TYPE_IN_ZSH = r"""
zmodload zsh/zpty
zpty -b shell zsh -f -i
zpty -w shell "PROMPT=; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -d $2/dump"
zpty -w shell 'told() { print -r -- "<$BUFFER>"; BUFFER=; zle send-break }; zle -N told; bindkey "^X" told'
zpty -w shell 'bindkey "^I" complete-word; print rea""dy'
zpty -r -m shell answer '*ready*'
zpty -w -n shell "$3"$'\t\x18'
zpty -r -m shell answer '*<*>*'
print -r -- "$answer"
zpty -d shell
"""


def zsh(place: Path, line: str) -> str:
    done = subprocess.run(
        ["zsh", "-f", "-c", TYPE_IN_ZSH, "-", SHELLS, place, line],
        cwd=place / "here",
        env=environment(place) | {"TERM": "vt100"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    shown: list[str] = re.findall(r"<([^<>]*)>", done.stdout)
    return shown[-1]


@pytest.mark.parametrize(
    "typed, completed",
    [
        ("hark sw", "hark sweep "),
        ("hark list su", "hark list subjects "),
        ("hark run --sub", "hark run --subject "),
        ("hark run --subject refer", "hark run --subject reference "),
        ("hark run --subject=refer", "hark run --subject=reference "),
        ("hark run --color al", "hark run --color always "),
        ("hark replay refer", "hark replay reference/"),
        ("hark replay reference/NBL_1.a_r", "hark replay reference/NBL_1.a_read_comes_back "),
        ("hark run --plan accept4:error=EMF", "hark run --plan accept4:error=EMFILE "),
        ("hark report --format jun", "hark report --format junit "),
        ("hark report res", "hark report results.jsonl "),
        ("hark run --out m", "hark run --out my\\ results/"),
        ("hark zyg", "hark zyg"),
    ],
)
def test_zsh(place: Path, typed: str, completed: str) -> None:
    assert zsh(place, typed) == completed
