"""What each way to fail means, in a reader's words: `how` in a row or a finding is one word."""

from __future__ import annotations

WAYS = {
    "crash": "the subject died",
    "deaf": "a listener that was made can never deliver",
    "deadlock": "threads wait for each other for ever",
    "doubled": "a connection is delivered twice",
    "error": "Hark could not do its part",
    "exit": "the subject ended the process",
    "flood": "the subject prints without end",
    "foreign": "a descriptor that belongs to someone else is closed",
    "hang": "the run does not come to its end",
    "leak": "something that was made is still there once everything is freed",
    "lock": "a lock is left held, or destroyed while it is held",
    "lost": "a connection that was accepted is never delivered",
    "memory": "the subject ran out of memory",
    "overreported": "an error that accept recovers from by itself is told to the error callback",
    "registration": "a freed listener's socket is still watched",
    "spin": "a lasting error costs calls without bound",
    "stale": "a descriptor that is not open is used",
    "talkative": "a network error of one connection is told, where it should be retried",
    "unrecovered": "once the fault is over, what waited is not delivered",
    "unreported": "a failure of accept is not told to the error callback",
    "word": "what the subject says is not what happened",
    "wrong": "something else than was promised",
}


def in_words(how: str) -> str:
    """Empty for a way that this Hark does not know."""
    return WAYS.get(how, "")
