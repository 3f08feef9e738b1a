"""Formats in the eyes of what other people made to judge them, from npm (validators/package.json).

They are installed once, beside the builds. What Debian has for the other formats, Perl's TAP::Parser
and rdflib, is in test_report_tools.py; a page in a browser is in test_report_page.py.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sweep_sample
from hark_call import ROOT
from report_call import report
from report_sample import everything
from test_report_hostile import hostile

LISTED = Path(__file__).parent / "validators" / "package.json"
TOOLS = ROOT / ".build" / "validators"
INSTALL_S = 300.0  # a few megabytes from a registry that may be far away

# A page must be well-formed and fit for a screen reader. Roles are said again where the style makes
# blocks of a table, which takes them away in some browsers.
RULES = {
    "root": True,
    "extends": ["html-validate:standard", "html-validate:a11y"],
    "rules": {"no-redundant-role": "off"},
}


@pytest.fixture(name="tools", scope="module")
def installed() -> Path:
    if not (TOOLS / "package.json").exists() or (
        TOOLS.joinpath("package.json").read_bytes() != LISTED.read_bytes()
    ):
        fresh = TOOLS.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        shutil.copy(LISTED, fresh)
        quiet = ("--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")
        subprocess.run(["npm", "install", *quiet], cwd=fresh, check=True, timeout=INSTALL_S)
        shutil.rmtree(TOOLS, ignore_errors=True)
        fresh.rename(TOOLS)
    return TOOLS


def of_everything(folder: Path) -> Path:
    return everything().write(folder / "results.jsonl")


def of_a_sweep(folder: Path) -> Path:
    return sweep_sample.write(sweep_sample.lines(), folder / "sweep.jsonl")


def of_an_attacker(folder: Path) -> Path:
    return hostile(room=5_000).write(folder / "hostile.jsonl")


@pytest.fixture(
    params=[of_everything, of_a_sweep, of_an_attacker], ids=["everything", "sweep", "attacker"]
)
def results(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path: Path = request.param(tmp_path)
    return path


def said_of_page(tools: Path, page: Path) -> list[tuple[str, str, str]]:
    (page.parent / ".htmlvalidate.json").write_text(json.dumps(RULES))
    # To a file: what is on its way through a pipe when it ends is lost.
    done = subprocess.run(
        [tools / "node_modules/.bin/html-validate", "--formatter", "json=said.json", page.name],
        cwd=page.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return [
        (each["ruleId"], each["message"], each["selector"] or "")
        for file in json.loads((page.parent / "said.json").read_text(encoding="utf-8"))
        for each in file["messages"]
    ]


def test_a_page_is_well_formed_and_fit_for_a_screen_reader(tools: Path, results: Path) -> None:
    page = results.with_suffix(".html")
    page.write_text(report("html", results), encoding="utf-8")
    assert said_of_page(tools, page) == []


def test_a_page_that_is_not_is_found(tools: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        "<!doctype html><html lang=en><title>a</title><p id=a><div id=a></p><img src=x>"
    )
    assert {"close-order", "no-dup-id", "wcag/h37"} <= {
        rule for rule, _, _ in said_of_page(tools, page)
    }


def ctrf_schema(tools: Path) -> Any:
    [schema] = (tools / "node_modules/ctrf/src").glob("ctrf-schema-*.json")
    return jsonschema.validators.validator_for(json.loads(schema.read_text()))(
        json.loads(schema.read_text())
    )


def test_ctrf_is_what_its_schema_says(tools: Path, results: Path) -> None:
    complaints = ctrf_schema(tools).iter_errors(json.loads(report("ctrf", results)))
    assert [f"{each.json_path}: {each.message}" for each in complaints] == []


def test_ctrf_that_is_not_is_found(tools: Path, tmp_path: Path) -> None:
    told = json.loads(report("ctrf", of_everything(tmp_path)))
    told["results"]["tests"][0]["status"] = "splendid"
    assert not ctrf_schema(tools).is_valid(told)


def parsed_tap(tools: Path, text: str) -> Any:
    done = subprocess.run(
        [tools / "node_modules/.bin/tap-parser", "--json"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    events = json.loads(done.stdout)
    [told] = [each[1] for each in events if each[0] == "complete"]
    return told


def test_tap_14_is_read_as_it_was_meant(tools: Path, results: Path) -> None:
    text = report("tap", results)
    junit = ElementTree.fromstring(report("junit", results))
    told = parsed_tap(tools, text)
    # JUnit has a case more for a run that was cut short, where TAP has a word, and for a sweep that
    # was not.
    cut = 1 if told["bailout"] else 0
    cases = [each for each in junit.iter("testcase") if each.get("name") != "whole sweep"]
    assert told["count"] == len(cases) - cut
    assert not [each for each in told["failures"] if each.get("tapError")], told
    assert told["plan"]["end"] == told["count"]
    # What is not as foreseen is red in both.
    red = [each for each in junit.iter("testcase") if each.find("failure") is not None]
    red += [each for each in junit.iter("testcase") if each.find("error") is not None]
    assert told["fail"] - told["todo"] == len(red) - cut


def test_tap_that_is_not_is_found(tools: Path, tmp_path: Path) -> None:
    text = report("tap", of_everything(tmp_path))
    assert any(
        each.get("tapError") for each in parsed_tap(tools, f"{text}ok 1 - again\n")["failures"]
    )
