"""The Debian package: made by cpack, installed by dpkg where nothing else of Hark is, and used there."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from clean_root import CleanRoot, is_permitted, needed
from hark_call import ROOT, program
from test_install import packages

RUN_PATH = re.compile(r"\((RPATH|RUNPATH)\)")


@pytest.fixture(scope="module", name="package")
def package_of_the_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = program().parent
    if not (built / "CPackConfig.cmake").exists():
        pytest.skip(f"{built} is no build folder to make a package of")
    folder = tmp_path_factory.mktemp("package")
    words = ["cpack", "-G", "DEB", "--config", f"{built}/CPackConfig.cmake", "-B", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = folder.glob("*.deb")
    return made


def field(package: Path, name: str) -> str:
    words = ["dpkg-deb", "--field", str(package), name]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module", name="root")
def root_with_the_package(
    package: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CleanRoot]:
    if not is_permitted():
        pytest.skip("neither root nor allowed to make a namespace in which to be it")
    # Nothing is in it but what the package itself asks for, and what that asks for.
    depends = [names[0] for names in needed(field(package, "Depends"))]
    root = CleanRoot(tmp_path_factory.mktemp("root") / "debian", depends)
    (root.folder / package.name).write_bytes(package.read_bytes())
    done = root.run(f"dpkg --install /{package.name}")
    assert done.returncode == 0, done.stdout + done.stderr
    yield root
    root.remove()


def dynamic_section(file: Path) -> str:
    words = ["readelf", "--dynamic", "--wide", str(file)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def in_root(root: CleanRoot, command: str) -> str:
    done = root.run(command)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_depends_on_every_package_that_a_run_needs(package: Path) -> None:
    depends = {name for names in needed(field(package, "Depends")) for name in names}
    assert packages("run") <= depends
    # Nothing that Hark is only built or tested with.
    assert not {each for each in depends if each.endswith("-dev")} | (packages("test") & depends)


def test_nothing_reaches_back_to_the_build(root: CleanRoot) -> None:
    for folder in (ROOT, program().parent):
        assert root.run(f"test -e {folder}").returncode == 1
    # Nor does a file name a place in it where something is to be looked for.
    for name in in_root(root, "dpkg --listfiles hark").splitlines():
        file = root.folder / name.removeprefix("/")
        if file.is_file() and file.read_bytes().startswith(b"\x7fELF"):
            assert not RUN_PATH.search(dynamic_section(file)), file
        elif file.is_file():
            assert str(ROOT).encode() not in file.read_bytes(), file


def test_the_contract_and_a_report_from_there(root: CleanRoot) -> None:
    in_root(root, "hark run --subject reference --quiet --out /root/results")
    results = root.folder / "root/results/results.jsonl"
    lines = [json.loads(each) for each in results.read_text().splitlines()]
    assert lines[-1]["ended"] == "complete" and lines[-1]["rows"] > 1000
    in_root(root, "hark report --output /root/report.html /root/results/results.jsonl")
    assert "reference" in (root.folder / "root/report.html").read_text()
    assert "reference" in in_root(root, "hark report /root/results/results.jsonl")


@pytest.mark.parametrize("subject", ["asio", "glib", "libevent", "libuv"])
def test_each_subject_can_be_loaded(root: CleanRoot, subject: str) -> None:
    in_root(root, f"hark run --subject {subject} --clause BND_1 --quiet --out /root/{subject}")


def test_what_debian_wants_beside_it(root: CleanRoot) -> None:
    documents = root.folder / "usr/share/doc/hark"
    copyright_file = (documents / "copyright").read_text()
    assert "BSD-3-Clause" in copyright_file and "THIS SOFTWARE IS PROVIDED" in copyright_file
    changelog = in_root(root, "gzip --decompress --stdout /usr/share/doc/hark/changelog.gz")
    assert re.match(
        r"hark \(\S+\) \w+; urgency=\w+\n\n  \* .*\n\n -- .+ <.+>  \w{3}, \d\d", changelog
    )
    assert (documents / "NEWS.md.gz").exists()
    pages = {each.name for each in (root.folder / "usr/share/man/man1").glob("hark*")}
    assert {"hark.1.gz", "hark-run.1.gz", "hark-report.1.gz"} <= pages
    for file in ("bash-completion/completions/hark", "zsh/vendor-completions/_hark"):
        assert (root.folder / "usr/share" / file).exists()


def test_it_goes_as_it_came(root: CleanRoot) -> None:
    """The last test of the file: dpkg says what it could not remove."""
    done = root.run("dpkg --purge hark")
    assert done.returncode == 0 and "not empty" not in done.stdout + done.stderr, done
    assert root.run("command -v hark").returncode != 0
    assert not (root.folder / "usr/share/hark").exists()


def test_lintian(package: Path) -> None:
    words = ["lintian", "--fail-on", "error,warning", "--tag-display-limit", "0"]
    if os.geteuid() == 0:
        words.append("--allow-root")
    done = subprocess.run([*words, package], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
