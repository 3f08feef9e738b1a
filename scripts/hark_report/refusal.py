"""Why a command could not do what it was asked to, and the exit status that says so."""

from __future__ import annotations

import enum


class Status(enum.IntEnum):
    """The exit statuses of every hark command, as far as reports have a use for them."""

    DONE = 0
    REGRESSION = 1
    BROKEN = 2
    NOTHING = 3
    INCOMPLETE = 4
    USAGE = 64
    BAD_DATA = 65
    NO_INPUT = 66
    INTERRUPTED = 130


class Refusal(Exception):
    """One message for the user. Raised anywhere, printed by main."""

    def __init__(self, status: Status, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
