"""hark_discover_cases(): each case a CTest test of somebody's own project, found when ctest begins."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from kit_call import BUILD_S, Kit, install, run, tiny

FIND = "cmake_minimum_required(VERSION 3.25)\nproject(other NONE)\nenable_testing()\nfind_package(hark REQUIRED)\n"
CRASHES = """
[[known]]
match = "BND_3.null_address"
verdict = "fail"
how = "crash"
reason = "tiny_listen reads the address that it is given"
"""


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return install(tmp_path_factory.mktemp("cases"))


def ctest(build: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["ctest", "--test-dir", build, "--parallel", "2", *words],
        capture_output=True,
        text=True,
        timeout=BUILD_S,
        check=False,
    )


def outcomes(build: Path, *words: str) -> dict[str, str]:
    """What became of each test, by its name."""
    told = ctest(build, *words)
    line = re.compile(r"Test +#\d+: (\S+) \.*(.*?) +[\d.]+ sec$", re.MULTILINE)
    found = {name: word.strip("* ") for name, word in line.findall(told.stdout)}
    assert found and (told.returncode != 0) == any(
        word.startswith("Failed") for word in found.values()
    ), told
    return found


def names(build: Path, *words: str) -> list[str]:
    return re.findall(r"Test +#\d+: (\S+)", ctest(build, "-N", *words).stdout)


def add(mine: Kit, call: str) -> None:
    build = mine.folder / "CMakeLists.txt"
    build.write_text(build.read_text() + f"enable_testing()\n{call}\n")


def change(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert text.count(before) == 1, before
    file.write_text(text.replace(before, after))


def configured(kit: Kit, name: str, call: str, *words: str) -> Path:
    """The build folder of a project that has no subject of its own."""
    folder = kit.folder / name
    folder.mkdir()
    (folder / "CMakeLists.txt").write_text(f"{FIND}{call}\n")
    run(["cmake", "-B", "build", f"-DCMAKE_PREFIX_PATH={kit.prefix}", *words], folder)
    return folder / "build"


@pytest.fixture(scope="module")
def mine(kit: Kit) -> Kit:
    """Tiny, with one entry in its expected.toml, and three clauses as tests."""
    one = tiny(kit, "mine")
    (one.folder / "expected.toml").write_text(CRASHES)
    add(one, "hark_discover_cases(subject_tiny CLAUSES BND_1 BND_3 SCB_1 LABELS listener)")
    one.build()
    return one


def test_a_case_passes_is_skipped_or_fails_as_foreseen(mine: Kit) -> None:
    found = outcomes(mine.folder / "build")
    assert set(found.values()) == {"Passed", "Skipped"}, found
    assert found["tiny/BND_1.delivers"] == "Passed"
    assert found["tiny/BND_3.null_address"] == "Passed"  # a crash that expected.toml foresees
    assert {found[each] for each in found if "SCB_1" in each} == {"Skipped"}
    results = mine.folder / "build/hark-cases/tiny/BND_1.delivers/results.jsonl"
    assert len(results.read_text().splitlines()) > 2


def test_why_a_case_was_skipped_is_told(mine: Kit) -> None:
    told = ctest(mine.folder / "build", "--verbose", "-R", "SCB_1").stdout
    assert "hark: unsupported: a callback is given to tiny_listen, and stays" in told


def test_labels_are_clause_and_level(mine: Kit) -> None:
    build = mine.folder / "build"
    everything = names(build)
    assert names(build, "-L", "^BND_3$") == [each for each in everything if "BND_3" in each]
    assert names(build, "-L", "^must$") and names(build, "-L", "^listener$") == everything


def test_a_broken_subject_is_red_and_what_is_mended_too(kit: Kit) -> None:
    one = tiny(kit, "broken")
    (one.folder / "expected.toml").write_text(CRASHES)
    add(one, "hark_discover_cases(subject_tiny CLAUSES BND_1 BND_3)")
    one.build()
    build = one.folder / "build"
    assert "Failed" not in outcomes(build).values()

    change(one.folder / "adapter.cpp", "one.callback(", "if (false) one.callback(")
    run(["cmake", "--build", "build"], one.folder)
    found = outcomes(build)
    assert found["tiny/BND_1.delivers"] == "Failed"

    change(one.folder / "adapter.cpp", "if (false) one.callback(", "one.callback(")
    change(
        one.folder / "adapter.cpp",
        "        Listener* one = listeners.data();",
        "        if (address == nullptr) return nullptr;\n        Listener* one = listeners.data();",
    )
    run(["cmake", "--build", "build"], one.folder)
    found = outcomes(build)
    assert found["tiny/BND_1.delivers"] == "Passed"
    assert found["tiny/BND_3.null_address"] == "Failed"  # foreseen to crash, and does not


def test_before_it_is_built_one_test_says_so(kit: Kit) -> None:
    one = tiny(kit, "unbuilt")
    add(one, "hark_discover_cases(subject_tiny)")
    run(["cmake", "-G", "Ninja", "-B", "build", f"-DCMAKE_PREFIX_PATH={kit.prefix}"], one.folder)
    assert outcomes(one.folder / "build") == {"tiny/NOT_BUILT": "Failed"}
    told = ctest(one.folder / "build", "--verbose").stdout
    assert "tiny.so: there is no such library" in told


def test_a_subject_by_its_name_in_every_variant(kit: Kit) -> None:
    call = "hark_discover_cases(SUBJECT reference FILTERS ERR_3.errno_told@em* EACH_VARIANT TEST_PREFIX r.)"
    build = configured(kit, "variants", call)
    assert outcomes(build) == {"r.ERR_3.errno_told@emfile": "Passed"}


def test_only_the_variants_that_were_chosen_are_run(kit: Kit) -> None:
    call = "hark_discover_cases(SUBJECT reference FILTERS BND_1.*@ipv4*)"
    build = configured(kit, "chosen", call)
    assert set(outcomes(build).values()) == {"Passed"}
    ids = [
        json.loads(line)["id"]
        for file in build.glob("hark-cases/reference/*/results.jsonl")
        for line in file.read_text().splitlines()
        if json.loads(line)["kind"] == "row"
    ]
    assert ids and all("@ipv4" in each for each in ids)


def test_slow_cases_are_there_when_asked_for(kit: Kit) -> None:
    calls = (
        "hark_discover_cases(SUBJECT reference TEST_PREFIX usual/)\n"
        "hark_discover_cases(SUBJECT reference TEST_PREFIX all/ SLOW)"
    )
    build = configured(kit, "slow", calls)
    usual, every = names(build, "-R", "^usual/"), names(build, "-R", "^all/")
    slow = {each.removeprefix("all/") for each in names(build, "-L", "^slow$")}
    assert slow == {each.removeprefix("all/") for each in every} - {
        each.removeprefix("usual/") for each in usual
    }
    assert slow and len(set(every)) == len(every) > 100


def test_where_no_case_matches_a_test_fails(kit: Kit) -> None:
    build = configured(kit, "nothing", "hark_discover_cases(SUBJECT reference FILTERS nothing*)")
    assert outcomes(build) == {"reference/NO_CASES": "Failed"}


def test_another_hark_has_other_cases_without_a_new_configuration(kit: Kit) -> None:
    build = configured(kit, "other", "hark_discover_cases(SUBJECT reference CLAUSES NBL_1)")
    before = names(build)
    program = kit.prefix / "bin/hark"
    real = program.rename(program.with_name("hark-itself"))
    try:
        row = "NEW_99.case  NEW_99.case  NEW_99  must  false"
        program.write_text(f"#!/bin/sh\necho '{row}'\n")
        program.chmod(0o755)
        assert names(build) == ["reference/NEW_99.case"]
    finally:
        real.rename(program)
    assert names(build) == before != []


def test_a_build_of_several_configurations(kit: Kit) -> None:
    one = tiny(kit, "several")
    add(one, "hark_discover_cases(subject_tiny CLAUSES BND_1)")
    path = f"-DCMAKE_PREFIX_PATH={kit.prefix}"
    run(["cmake", "-G", "Ninja Multi-Config", "-B", "build", path], one.folder)
    run(["cmake", "--build", "build", "--config", "Debug"], one.folder)
    build = one.folder / "build"
    assert outcomes(build, "-C", "Debug", "-R", "delivers") == {"tiny/BND_1.delivers": "Passed"}
    assert outcomes(build, "-C", "Release") == {"tiny/NOT_BUILT": "Failed"}


@pytest.mark.parametrize(
    "call", ["", "nothing_of_that_name", "a b", "SUBJECT", "SUBJECT x CLAUSES"]
)
def test_a_wrong_call_is_refused(kit: Kit, call: str, tmp_path: Path) -> None:
    (tmp_path / "CMakeLists.txt").write_text(f"{FIND}hark_discover_cases({call})\n")
    words = ["cmake", "-B", "build", f"-DCMAKE_PREFIX_PATH={kit.prefix}"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "hark_discover_cases: " in done.stderr
