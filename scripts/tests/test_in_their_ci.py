"""What others include in their CI: the scripts in it run here as a runner would run them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hark_call import ROOT, hark, program

ACTION = ROOT / ".github/actions/hark/action.yml"
WORKFLOW = ROOT / ".github/workflows/hark-example.yml"
GITLAB = ROOT / ".gitlab/hark.yml"
EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")
PASSES = {"subject": "reference", "clauses": "NBL_1 ERR_3"}
FAILS = {
    "subject": "libevent",
    "filter": "NBL_1.nonblocking@ipv4-bind",
    "arguments": "--plan bind:error=EADDRINUSE",
}


def read(file: Path) -> dict[str, Any]:
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def steps() -> list[dict[str, Any]]:
    found = read(ACTION)["runs"]["steps"]
    assert isinstance(found, list)
    return found


def path_with_hark(folder: Path) -> str:
    """A PATH on which hark is the one under test."""
    place = folder / "bin"
    place.mkdir()
    (place / "hark").symlink_to(program())
    return f"{place}:{os.environ['PATH']}"


class Runner:
    """GitHub's, as far as the action needs one: inputs, outputs of steps, and its files."""

    def __init__(self, folder: Path, given: dict[str, str], path: str) -> None:
        self.folder = folder
        self.path = path
        self.said = ""
        inputs = read(ACTION)["inputs"]
        assert set(given) <= set(inputs)
        self.inputs = {name: given.get(name, each.get("default")) for name, each in inputs.items()}
        self.outputs: dict[str, str] = {}
        self.summary = folder / "summary.md"
        self.summary.touch()

    def value(self, expression: str) -> str:
        known = {f"inputs.{name}": text for name, text in self.inputs.items()}
        known |= {f"steps.hark.outputs.{name}": text for name, text in self.outputs.items()}
        known["github.action_path"] = str(ACTION.parent)
        return (
            str(known.get(expression, "")) if expression.startswith("steps.") else known[expression]
        )

    def filled(self, text: str) -> str:
        return EXPRESSION.sub(lambda found: self.value(found[1]), text)

    def wanted(self, step: dict[str, Any]) -> bool:
        condition = EXPRESSION.sub(r"\1", step.get("if", "always()"))
        parts = [each.strip() for each in condition.split("&&")]
        return all(each == "always()" or self.value(each) for each in parts)

    def run(self, step: dict[str, Any]) -> int:
        told = self.folder / "output"
        told.write_text("")
        script = self.folder / "script.sh"
        script.write_text(step["run"])
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=self.folder,
            env={"PATH": self.path, "HOME": str(self.folder)}
            | {name: self.filled(str(text)) for name, text in step.get("env", {}).items()}
            | {"GITHUB_OUTPUT": str(told), "GITHUB_STEP_SUMMARY": str(self.summary)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        self.said += done.stdout + done.stderr
        if "id" in step:
            self.outputs |= dict(line.split("=", 1) for line in told.read_text().splitlines())
        return done.returncode

    def job(self) -> int:
        """Every step in order; the status of the first that fails."""
        for step in steps():
            if "run" in step and self.wanted(step):
                if status := self.run(step):
                    return status
        return 0


def test_the_action_reports_what_passed(tmp_path: Path) -> None:
    runner = Runner(tmp_path, PASSES, path_with_hark(tmp_path))
    assert runner.job() == 0, runner.said
    assert runner.outputs == {"status": "0", "results": "hark-results/results.jsonl"}
    assert "reference" in runner.summary.read_text()
    assert sorted(each.name for each in (tmp_path / "hark-results").iterdir()) == [
        "junit.xml",
        "report.html",
        "results.jsonl",
    ]
    assert "::error" not in runner.said


def test_the_action_fails_with_what_failed_and_annotates_it(tmp_path: Path) -> None:
    runner = Runner(tmp_path, FAILS, path_with_hark(tmp_path))
    assert runner.job() == 1, runner.said
    assert runner.outputs["status"] == "1"
    assert "::error" in runner.said
    assert "NBL_1" in runner.summary.read_text()


def test_the_action_fails_where_hark_refuses(tmp_path: Path) -> None:
    runner = Runner(tmp_path, {"subject": "libevnt"}, path_with_hark(tmp_path))
    assert runner.job() == 64, runner.said
    assert "did you mean libevent" in runner.said
    assert not runner.summary.read_text()


def recorder(folder: Path, name: str) -> Path:
    """A program that writes down how it was called, a JSON list a line."""
    place = folder / "bin"
    place.mkdir(exist_ok=True)
    log = folder / f"{name}.log"
    (place / name).write_text(
        "#!/usr/bin/python3\nimport json, sys\n"
        f"print(json.dumps(sys.argv[1:]), file=open({str(log)!r}, 'a'))\n"
    )
    (place / name).chmod(0o755)
    return log


def calls(log: Path) -> list[list[str]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


NASTY = "a $(touch pwned); `touch pwned` \"'&|* é"
EVERYTHING = {
    "subject": "reference ./mine.so",
    "command": "sweep",
    "clauses": "ERR_3 NBL_1",
    "filter": NASTY,
    "baseline": NASTY,
    "shard": "1/4",
    "arguments": "--seed 7 --case *",
    "out": "there",
}
CALLED = [
    *("sweep", "--seed", "7", "--case", "*", "--subject", "reference", "--subject", "./mine.so"),
    *("--clause", "ERR_3", "--clause", "NBL_1", "--filter", NASTY, "--baseline", NASTY),
]


def test_the_action_gives_every_input_to_hark_as_it_is(tmp_path: Path) -> None:
    log = recorder(tmp_path, "hark")
    runner = Runner(tmp_path, EVERYTHING, f"{tmp_path}/bin:{os.environ['PATH']}")
    assert runner.job() == 0, runner.said
    assert calls(log) == [["--version"], [*CALLED, "--shard", "1/4", "--out", "there"]]
    assert not (tmp_path / "pwned").exists()


def test_the_action_installs_a_package_or_builds(tmp_path: Path) -> None:
    log = recorder(tmp_path, "apt-get")
    recorder(tmp_path, "hark")
    path = f"{tmp_path}/bin:{os.environ['PATH']}"
    runner = Runner(tmp_path, PASSES | {"package": "./hark_1 2.deb"}, path)
    assert runner.run(steps()[0]) == 0, runner.said
    assert [each[0] for each in calls(log)] == ["update", "install"]
    assert calls(log)[1][-1] == str(tmp_path / "hark_1 2.deb")

    # Without hark on PATH it is built from the tree that the action lies in.
    cmake = recorder(tmp_path, "cmake")
    (tmp_path / "bin/hark").unlink()
    runner = Runner(tmp_path, PASSES, f"{tmp_path}/bin:/usr/bin:/bin")
    assert runner.run(steps()[0]) != 0  # the stand-in installs nothing
    assert [each[0] for each in calls(cmake)] == ["--preset", "--build", "--install"]


def test_no_input_is_read_as_a_program_and_each_is_used() -> None:
    """An expression within a script would be pasted into it."""
    everything = ACTION.read_text(encoding="utf-8")
    assert not [each["run"] for each in steps() if "${{" in each.get("run", "")]
    used = set(re.findall(r"inputs\.([\w-]+)", everything))
    assert used == set(read(ACTION)["inputs"])
    told = set(re.findall(r"steps\.hark\.outputs\.(\w+)", everything))
    assert told == {"status", "results"}
    assert all(each.get("shell") == "bash" for each in steps() if "run" in each)


def test_the_example_gives_the_action_what_it_knows() -> None:
    document = read(WORKFLOW)
    assert document["permissions"] == {"contents": "read"}
    used = [each for job in document["jobs"].values() for each in job["steps"] if "uses" in each]
    ours = [each for each in used if each["uses"].startswith("./")]
    assert [ROOT / each["uses"] for each in ours] == [ACTION.parent]
    inputs = read(ACTION)["inputs"]
    required = {name for name, each in inputs.items() if each.get("required")}
    for each in ours:
        assert required <= set(each["with"]) <= set(inputs)
        known = hark("list", "clauses").out
        assert all(name in known for name in each["with"]["clauses"].split())


def gitlab(folder: Path, path: str, **variables: str) -> subprocess.CompletedProcess[str]:
    job = read(GITLAB)[".hark"]
    assert set(variables) <= set(job["variables"])
    return subprocess.run(
        ["sh", "-e", "-c", "\n".join([*job["before_script"], *job["script"]])],
        cwd=folder,
        env={"PATH": path, "HOME": str(folder), **job["variables"], **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("given, status", [(PASSES, 0), (FAILS, 1)])
def test_the_template_leaves_what_gitlab_collects(
    given: dict[str, str], status: int, tmp_path: Path
) -> None:
    variables = {f"HARK_{name.upper()}": text for name, text in given.items()}
    done = gitlab(tmp_path, path_with_hark(tmp_path), **variables)
    assert done.returncode == status, done
    artifacts = read(GITLAB)[".hark"]["artifacts"]
    junit = artifacts["reports"]["junit"].replace("$HARK_OUT", "hark-results")
    assert "<testsuite" in (tmp_path / junit).read_text()
    assert artifacts["when"] == "always"


def test_the_template_gives_every_variable_to_hark_as_it_is(tmp_path: Path) -> None:
    log = recorder(tmp_path, "hark")
    variables = {
        f"HARK_{name.upper()}": text for name, text in EVERYTHING.items() if name != "shard"
    }
    done = gitlab(tmp_path, f"{tmp_path}/bin:{os.environ['PATH']}", **variables)
    assert done.returncode == 0, done
    assert calls(log) == [[*CALLED, "--out", "there"]]
    assert not (tmp_path / "pwned").exists()


def test_shellcheck_has_nothing_against_the_scripts(tmp_path: Path) -> None:
    job = read(GITLAB)[".hark"]
    texts = [("bash", each["run"]) for each in steps() if "run" in each]
    texts += [("sh", "\n".join([*job["before_script"], *job["script"]]))]
    assert len(texts) == 5
    for number, (shell, text) in enumerate(texts):
        # What the runner says, shellcheck cannot see: its options, and what is in the environment.
        named = (
            "set -e\nexport " + " ".join(sorted(set(re.findall(r"\$\{?([A-Z_]+)", text)))) + "\n"
        )
        file = tmp_path / f"{number}.{shell}"
        file.write_text(named + text)
        done = subprocess.run(
            ["shellcheck", f"--shell={shell}", file], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout
