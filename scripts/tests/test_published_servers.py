"""reports/published: what is told of servers is what hark probe found of them."""

from __future__ import annotations

import json
import lzma
import re
from pathlib import Path
from typing import Any

import pytest
import published_servers
from hark_call import hark
from published_servers import PAGE, PUBLISHED, RESULTS, main, published

from publishing.servers import COLUMNS, filled, table


def test_every_recipe_was_probed() -> None:
    listed = json.loads(hark("probe", "--list-servers", "--json").out)
    assert {each["name"] for each in listed} == {each.name for each in published().header.subjects}


def test_the_pages_were_made_of_these_results() -> None:
    run = published()
    text = PAGE.read_text(encoding="utf-8")
    assert text == filled(text, run, PAGE.name), "scripts/published_servers.py pages"
    for name in ("debian-12-servers.html", "debian-12-servers.md"):
        page = (PUBLISHED / name).read_text(encoding="utf-8")
        assert [each.name for each in run.header.subjects if each.name not in page] == []


def test_every_row_but_the_facts_is_in_the_table() -> None:
    rows = [row.id.partition("/")[2] for row in published().rows]
    lost = [id for id in rows if not any(re.fullmatch(pattern, id) for _, pattern in COLUMNS)]
    assert set(lost) == {"EXT_10.sockets"}


def test_nothing_tells_where_it_was_made() -> None:
    text = lzma.decompress(RESULTS.read_bytes())
    assert b"/root/" not in text
    assert b"/tmp/" not in text


def lines() -> list[dict[str, Any]]:
    return [json.loads(each) for each in lzma.decompress(RESULTS.read_bytes()).splitlines()]


def test_a_part_is_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(published_servers, "RESULTS", tmp_path / "servers.jsonl.xz")
    cut = lines()
    cut[-1]["ended"] = "interrupted"
    part = tmp_path / "results.jsonl"
    part.write_text("".join(json.dumps(each) + "\n" for each in cut), "utf-8")
    assert main(["pack", "--build", str(tmp_path), str(part)]) == 2
    assert "rows" in capsys.readouterr().err
    assert not (tmp_path / "servers.jsonl.xz").exists()


def test_a_table_has_a_line_for_each_server() -> None:
    run = published()
    assert len(table(run)) == len(run.header.subjects) + 2
