"""A whole results file as one value. How it is read and when it is refused: read.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hark_report.results import Footer, Header, Row
from hark_report.swept import Swept


@dataclass(frozen=True)
class Run:
    """Of the contract, with its rows, or a sweep, with what was swept of each subject."""

    source: str
    header: Header
    rows: tuple[Row, ...]
    swept: Mapping[str, Swept] | None
    footer: Footer

    @property
    def units(self) -> str:
        """What the header plans and the footer counts."""
        return "rows" if self.swept is None else "runs"
