"""--baseline and --update-baseline as a user meets them, with hark run and with hark sweep."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hark_call import Answer, hark
from sweep_call import FEW as SWEEP_FEW

RUN = ("run", "--subject", "libevent", "--quiet")
# One promise that libevent keeps, and one that it breaks.
FEW = (*RUN, "--clause", "NBL_1", "--clause", "NBL_3")
PASSES = """[[known]]
match = "NBL_1.nonblocking@*"
verdict = "fail"
reason = "nobody looked"
"""


@pytest.fixture(name="baseline")
def path_of_a_baseline(tmp_path: Path) -> Path:
    return tmp_path / "known.toml"


def updated(baseline: Path, *words: str) -> Answer:
    answer = hark(*words, "--baseline", baseline, "--update-baseline")
    assert answer.status == 0, answer
    return answer


def judged(baseline: Path, *words: str) -> Answer:
    return hark(*words, "--baseline", baseline)


def test_what_hark_knows_counts_no_more_where_there_is_a_baseline(baseline: Path) -> None:
    baseline.write_text("")
    assert hark(*FEW).status == 0
    assert judged(baseline, *FEW).status == 1


def test_after_an_update_everything_is_as_expected(baseline: Path) -> None:
    answer = updated(baseline, *FEW)
    assert f"hark: {baseline}: 2 added, 0 dropped" in answer.err
    entries = tomllib.loads(baseline.read_text())["known"]
    assert {each["match"].split(".")[0] for each in entries} == {"NBL_3"}
    assert {each["subject"] for each in entries} == {"libevent"}
    # The reasons that Hark knows are kept.
    assert not [each for each in entries if "unexplained" in each["reason"]]
    assert judged(baseline, *FEW).status == 0
    before = baseline.read_text()
    assert "nothing to change" in updated(baseline, *FEW).err
    assert baseline.read_text() == before


def test_a_pass_in_place_of_a_known_failure_is_a_surprise(baseline: Path) -> None:
    updated(baseline, *FEW)
    baseline.write_text(PASSES + baseline.read_text())
    answer = judged(baseline, *FEW)
    assert answer.status == 1
    assert "NBL_1.nonblocking" in answer.out + answer.err
    assert "1 dropped" in updated(baseline, *FEW).err
    assert "nobody looked" not in baseline.read_text()
    assert judged(baseline, *FEW).status == 0


def test_a_failure_that_is_another_one_now_is_a_surprise(baseline: Path) -> None:
    updated(baseline, *FEW)
    text = baseline.read_text()
    assert 'message = "' in text
    baseline.write_text(text.replace('message = "', 'message = "otherwise ', 1))
    assert judged(baseline, *FEW).status == 1


def test_an_expired_entry_is_said_and_counts_no_more(baseline: Path) -> None:
    updated(baseline, *FEW)
    lines = baseline.read_text().splitlines()
    line = lines.index("[[known]]") + 1
    lines.insert(line, "expires = 2020-02-01")
    baseline.write_text("\n".join(lines) + "\n")
    answer = judged(baseline, *FEW)
    assert answer.status == 1
    assert f"{baseline}:{line}: the expectation '" in answer.err
    assert "expired on 2020-02-01" in answer.err


def test_what_people_wrote_stays(baseline: Path) -> None:
    words = '# Ours.\n\n# Why this one.\n[[known]]\nmatch = "NBL_3.*"\nverdict = "fail"\n'
    baseline.write_text(words + 'reason = "it is so"   # see above\n')
    updated(baseline, *FEW)
    text = baseline.read_text()
    assert text.startswith("# Ours.\n\n")
    assert '# Why this one.\n[[known]]\nmatch = "NBL_3.*"\nverdict = "fail"\n' in text
    assert 'reason = "it is so"   # see above\n' in text
    assert judged(baseline, *FEW).status == 0


def test_an_entry_that_nothing_matches_is_said_once_all_was_run(baseline: Path) -> None:
    entry = '[[known]]\nmatch = "BND_1.*"\nversion = "2.*"\nverdict = "pass"\nreason = "it is"\n'
    nothing = entry.replace("BND_1.*", "THR_*.no_such_lock*").replace('"pass"', '"fail"')
    baseline.write_text(entry)
    updated(baseline, *RUN)
    assert "BND_1" in baseline.read_text()
    baseline.write_text(baseline.read_text() + nothing)
    answer = judged(baseline, *RUN)
    assert answer.status == 65 and "'match' names no run" in answer.err, answer
    slow = nothing.replace("THR_*.no_such_lock*", "ECH_*")
    baseline.write_text(baseline.read_text().replace(nothing, slow.replace("ECH_*", "BND_1.?*")))
    told = judged(baseline, *RUN)
    assert told.status == 0 and "nothing matches the expectation 'BND_1.?*'" in told.err, told
    assert "nothing matches" not in judged(baseline, *FEW).err


def test_a_sweep_has_findings_in_the_same_file(baseline: Path, tmp_path: Path) -> None:
    updated(baseline, *FEW)
    sweep = (*SWEEP_FEW, "--quiet", "--out", str(tmp_path / "swept"))
    assert hark(*sweep).status == 0
    assert judged(baseline, *sweep).status == 1
    assert "0 dropped" in updated(baseline, *sweep).err
    told = tomllib.loads(baseline.read_text())
    assert {each["call"] for each in told["finding"]} == {"epoll_ctl"}
    assert {each["subject"] for each in told["finding"]} == {"libevent"}
    assert len(told["known"]) == 2
    assert judged(baseline, *sweep).status == 0
    assert judged(baseline, *FEW).status == 0


@pytest.mark.parametrize(
    "content, expected",
    [
        ("[[known]]\nmatch = 3\n", ":2: 'match' is no string"),
        (PASSES.replace("NBL_1.nonblocking@*", "NBL_1.nonblokcing@*"), ":2: 'match' names no run"),
        (PASSES + PASSES, ":5: 'NBL_1.nonblocking@*' stands on line 1 already"),
        (PASSES + 'colour = "red"\n', ":5: unknown key 'colour'"),
        ("[[known\n", ":1: "),
    ],
)
def test_a_bad_baseline_is_refused_with_its_line(
    baseline: Path, content: str, expected: str
) -> None:
    baseline.write_text(content)
    answer = judged(baseline, *FEW)
    assert answer.status == 65, answer
    assert f"{baseline}{expected}" in answer.err, answer


def test_a_baseline_that_is_not_there_is_said(baseline: Path) -> None:
    answer = judged(baseline, *FEW)
    assert answer.status == 66
    assert "there is no such baseline; --update-baseline makes it" in answer.err


def test_a_folder_is_no_baseline(tmp_path: Path) -> None:
    answer = judged(tmp_path, *FEW)
    assert answer.status == 65 and "this is a folder" in answer.err


def test_an_update_needs_a_file(tmp_path: Path) -> None:
    assert hark(*FEW, "--update-baseline").status == 64
    answer = hark(*FEW, "--baseline", tmp_path / "no" / "known.toml", "--update-baseline")
    assert answer.status == 2, answer
    assert "cannot be written" in answer.err
