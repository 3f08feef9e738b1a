"""The adapter kit as somebody has it who installed Hark: the page, its template, and wrong adapters."""

from __future__ import annotations

from pathlib import Path

import kit_page
import pytest
from hark_call import hark, lines_of, program, rows_of
from kit_call import Kit, install, tiny, write


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return install(tmp_path_factory.mktemp("kit"))


def test_the_page_builds_an_adapter_and_shows_what_is_printed(kit: Kit) -> None:
    mine = kit.begin("mine")
    for step in kit_page.steps(kit_page.page(mine.page.parent)):
        write(mine.folder, step)
        mine.build()
        answer = mine.hark(*step.command)
        assert kit_page.differences(step.shown, answer.out) == [], answer.out + answer.err


HEADERS = "#include <cstdlib>\n#include <cstring>\n#include <unistd.h>\n"
# Adapters of Tiny with a mistake that is easily made: what of the right one becomes what, and the
# check that says so.
WRONG = {
    "names_no_file": ("found.dli_fname", '"/nowhere/libtiny.so"', "ADP_1"),
    "gives_no_sentence": ("a loop of tiny has no lock", "no", "ADP_2"),
    "has_no_threads_and_does_not_say_so": ("case Feature::threads:", "case Feature{99}:", "ADP_3"),
    "shares_one_loop": (
        "return reinterpret_cast<ForeignLoop*>(tiny_loop_new());",
        "static tiny_loop* const one = tiny_loop_new(); return reinterpret_cast<ForeignLoop*>(one);",
        "ADP_4",
    ),
    "waits_in_a_turn": ("loop_of(loop), 0);", "loop_of(loop), -1);", "ADP_5"),
    "stops_listening": (
        "*one = {callback, argument, true};",
        "(void)shutdown(tiny_fd(made), SHUT_RDWR); {0}",
        "USE_1",
    ),
    "forgets_why": ("if (made == nullptr) return nullptr;", "errno = 0; {0}", "USE_3"),
    "tells_another_socket": ("tiny_fd(listener_of(one))", "{0} + 1", "USE_4"),
    "calls_nobody": ("one.callback(", "if (false) {0}", "USE_5"),
    "calls_twice": ("one.callback(", "for (int i = 0; i < 2; ++i) {0}", "USE_5"),
    "forgets_the_argument": ("*one = {callback, argument,", "*one = {callback, nullptr,", "USE_6"),
    "tells_of_itself": ("ForeignListener*>(tiny)", "ForeignListener*>(&one)", "USE_6"),
    "closes_what_it_hands_over": ("length), one.argument);", "{0} close(fd);", "USE_7"),
    "cuts_the_address": (
        "static_cast<int>(length), one",
        "static_cast<int>(length) - 1, one",
        "USE_8",
    ),
    "does_not_pause": ("tiny_pause(listener_of(one));", "", "USE_10"),
    "does_not_resume": ("tiny_resume(listener_of(one));", "", "USE_10"),
    "does_not_leave": (
        "void loop_exit(ForeignLoop*) override { is_leaving = true; }",
        "void loop_exit(ForeignLoop*) override {}",
        "USE_13",
    ),
    "cannot_be_broken_off": (
        "void loop_break(ForeignLoop*) override { is_leaving = true; }",
        "void loop_break(ForeignLoop*) override {}",
        "USE_13",
    ),
    "drops_a_flag": ("if ((flags & disabled) != 0)", "if (false)", "USE_15"),
    "promises_a_flag": ('return "tiny has no option for it";', 'return "";', "USE_15"),
    "frees_nothing": ("{ tiny_close(listener_of(one)); }", "{}", "USE_16"),
    "keeps_memory": ("Listener* one = listeners.data();", '(void)strdup("kept"); {0}', "USE_16"),
    "cannot_be_opened": ("return &subject;", "return nullptr;", "hark_open_subject_1"),
    "crashes_at_once": ("static Mine subject;", "std::abort(); {0}", "hark_open_subject_1"),
}


@pytest.fixture(scope="module")
def wrong(kit: Kit) -> Kit:
    """A folder with the page's adapter, and each of the wrong ones, built."""
    many = tiny(kit, "wrong")
    source = (many.folder / "adapter.cpp").read_text()
    build = (many.folder / "CMakeLists.txt").read_text()
    for name, (right, mistake, _) in WRONG.items():
        assert source.count(right) == 1, name
        changed = source.replace(right, mistake.replace("{0}", right))
        (many.folder / f"{name}.cpp").write_text(HEADERS + changed)
        build += f"hark_add_subject({name} {name}.cpp LINKS tiny)\n"
    (many.folder / "CMakeLists.txt").write_text(build)
    many.build()
    return many


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_adapter_is_told_from_a_wrong_library(wrong: Kit, name: str) -> None:
    answer = wrong.hark("smoke", f"build/{name}.so", "--quiet")
    assert answer.status == 65, answer
    expected = WRONG[name][2]
    told = [line for line in answer.out.splitlines() if expected in line]
    assert told and (expected.startswith("hark_open") or told[0].startswith("WRONG ")), answer.out
    assert "it is     the library's" not in answer.out


def test_one_that_is_right_is_said_to_be(wrong: Kit) -> None:
    quiet = wrong.hark("smoke", "build/tiny.so", "--quiet")
    assert (quiet.status, quiet.out) == (0, "")


def test_what_an_adapter_lacks_is_no_mistake(wrong: Kit) -> None:
    answer = wrong.hark("smoke", "build/tiny.so")
    assert "lacks USE_2 " in answer.out
    assert "\n          lacks     tiny_listen makes the socket itself\n" in answer.out


def test_a_check_is_repeated_by_its_command(wrong: Kit) -> None:
    answer = wrong.hark("smoke", "build/calls_nobody.so")
    repeat = next(line for line in answer.out.splitlines() if "  repeat " in line)
    words = repeat.split()[2:]
    replayed = wrong.hark(*words)
    assert replayed.status == 1
    assert "accept4" in replayed.out


def test_the_contract_is_put_to_an_adapter_of_any_folder(wrong: Kit, tmp_path: Path) -> None:
    answer = wrong.hark("run", "--subject", "build/tiny.so", "--quiet", "--out", str(tmp_path))
    assert answer.status == 1
    results = tmp_path / "results.jsonl"
    subject = lines_of(results)[0]["subjects"][0]
    assert (subject["soname"], subject["version"]) == ("libtiny.so", "1.0")
    assert not [each for each in rows_of(results) if each["clause"].startswith(("ADP_", "USE_"))]


EXPECTED = """
[[known]]
match = "BND_3.null_address"
verdict = "fail"
how = "crash"
reason = "tiny_listen reads the address that it is given"
"""


def test_what_is_expected_lies_beside_the_adapter(kit: Kit, tmp_path: Path) -> None:
    mine = tiny(kit, "expecting")
    words = ("run", "--subject", "build/tiny.so", "--clause", "BND_3", "--out", str(tmp_path))
    mine.build()
    assert mine.hark(*words).status == 1
    (mine.folder / "expected.toml").write_text(EXPECTED)
    mine.build()
    answer = mine.hark(*words)
    assert answer.status == 0, answer


def test_adapters_of_a_folder_go_by_their_names(wrong: Kit) -> None:
    environment = {"HARK_SUBJECTS": str(wrong.folder / "build")}
    by = wrong.prefix / "bin/hark"
    answer = hark("smoke", "tiny", "--quiet", by=by, environment=environment)
    assert answer.status == 0, answer
    assert "tiny" in hark("list", "subjects", by=by, environment=environment).out


def test_one_of_another_interface_is_refused(wrong: Kit, tmp_path: Path) -> None:
    right = (wrong.folder / "build/tiny.so").read_bytes()
    other = tmp_path / "tiny.so"
    other.write_bytes(right.replace(b"hark_open_subject_1", b"hark_open_subject_9"))
    for command in (["smoke", str(other)], ["run", "--subject", str(other)]):
        answer = wrong.hark(*command)
        assert answer.status == 65, answer
        assert "9" in answer.err + answer.out


def test_the_template_compiles_and_is_told_what_it_lacks(kit: Kit) -> None:
    template = kit.begin("template")
    template.build()
    answer = template.hark("smoke", "build/mine.so")
    assert answer.status == 65
    assert "loop_new gave no event loop" in answer.out


def mutants() -> list[Path]:
    folder = program().parent / "lib/hark/mutants"
    return sorted(folder.glob("*.so"))


def test_a_wrong_library_is_not_laid_at_the_adapters_door() -> None:
    some = mutants()[::10]
    if not some:
        pytest.skip("no mutants are built: cmake --build FOLDER --target mutants")
    for each in some:
        answer = hark("smoke", each)
        assert answer.status in (0, 1), answer
        assert "the adapter's" not in answer.out.replace("The adapter is", ""), answer.out
