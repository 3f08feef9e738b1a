"""What hark probe found of several servers, as a table: servers down, faults across."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from hark_report.results import Row, Verdict
from hark_report.run import Run
from publishing.refusal import Refused

PASSAGE = re.compile(r"(<!-- servers -->\n).*?(<!-- /servers -->\n)", re.DOTALL)

# The columns: a title, and which rows are in it.
COLUMNS: tuple[tuple[str, str], ...] = (
    ("EMFILE", r".*@emfile"),
    ("ENFILE", r".*@enfile"),
    ("ENOBUFS", r".*@enobufs"),
    ("ENOMEM", r".*@enomem"),
    ("the real limit", r"ROB_7\..*"),
    ("a lost connection", r"ROB_1\.(next_is_served|nothing_left)@.*"),
    ("EINTR, EPERM, EACCES, EAGAIN", r"ROB_1\.(tried_again|found_empty)@.*"),
    ("EBADF, EFAULT, ENOTSOCK", r"ROB_5\..*@(ebadf|efault|enotsock)"),
    ("EINVAL", r"ROB_5\..*@einval"),
    ("no accept4", r"ROB_6\..*"),
)
# Of several ways to fail the first one is told, since it brings the others with it.
WAYS = (
    "died",
    "crash",
    "spin",
    "flood",
    "deaf",
    "late",
    "starved",
    "leak",
    "lost",
    "silent",
    "again",
)


def table(run: Run) -> list[str]:
    titles = [title for title, _ in COLUMNS]
    lines = [f"| server | {' | '.join(titles)} |", f"|---|{'---|' * len(titles)}"]
    for subject in run.header.subjects:
        rows = [row for row in run.rows if row.subject == subject.name]
        version = re.sub(r"^\d+:", "", subject.version)
        cells = [cell(matching(rows, pattern)) for _, pattern in COLUMNS]
        lines.append(f"| {subject.name} {version} | {' | '.join(cells)} |")
    return lines


def matching(rows: Iterable[Row], pattern: str) -> list[Row]:
    whole = re.compile(pattern)
    return [row for row in rows if whole.fullmatch(row.id.partition("/")[2])]


def cell(rows: Sequence[Row]) -> str:
    if not rows:
        return "–"
    against = [row for row in rows if row.verdict in (Verdict.FAIL, Verdict.ERROR)]
    if not against:
        return cell_of_nothing_wrong(rows)
    way = min((row.how or "error" for row in against), key=weight)
    variants = {row.variant for row in rows}
    broken = {row.variant for row in against}
    some = f" ({len(broken)} of {len(variants)})" if len(broken) < len(variants) else ""
    return f"**{way}**{some}"


def cell_of_nothing_wrong(rows: Sequence[Row]) -> str:
    if any(row.verdict is Verdict.PASS for row in rows):
        sheds = any(name == "sheds" for row in rows for name, _ in row.recorded)
        return "sheds" if sheds else "✓"
    return str(rows[0].verdict)


def weight(how: str) -> int:
    return WAYS.index(how) if how in WAYS else len(WAYS)


def filled(text: str, run: Run, name: str) -> str:
    if len(PASSAGE.findall(text)) != 1:
        raise Refused(
            f"{name}: one passage between <!-- servers --> and <!-- /servers --> was expected"
        )
    inside = "\n".join(table(run))
    return PASSAGE.sub(lambda found: f"{found[1]}{inside}\n{found[2]}", text)
