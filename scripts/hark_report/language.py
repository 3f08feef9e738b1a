"""In which language a clause's sentence is."""

from __future__ import annotations

NAMES = {"en": "English", "zh": "Chinese"}


def language(text: str) -> str:
    """As HTML's lang names it; Chinese is told by its ideographs."""
    return "zh" if any("\u4e00" <= character <= "\u9fff" for character in text) else "en"


def language_name(text: str) -> str:
    return NAMES[language(text)]
