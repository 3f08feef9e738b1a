"""Why something is not published."""

from __future__ import annotations


class Refused(Exception):
    """One message, with the place."""
