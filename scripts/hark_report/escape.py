"""Text from a results file, made harmless for each kind of document.

A subject writes what it likes, so nothing here asks whether a text is dangerous: every value that
a template prints goes through the escape that belongs to the template's kind. What a template
holds itself, and what was escaped already, is jinja2's Markup and passes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from enum import Enum

from markupsafe import Markup, escape

# Longest text of one value. What is longer is cut, and says so.
TEXT_ROOM = 20_000

# Controls that change how the text around them is read: bidirectional overrides and isolates
# ("Trojan Source", CVE-2021-42574), marks, and characters without width.
INVISIBLE = re.compile("[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f]")
UNPRINTABLE = re.compile("[\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")

# Most of these XML 1.0 has no way to write, not even as references; DEL and C1 go with them.
NOT_XML = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
TERMINAL_SEQUENCE = re.compile("\x1b\\[[0-?]*[ -/]*[@-~]")

# What means something in a line of GitHub's Markdown, and at the start of one (lists, rules,
# underlined headings). An underscore within a word does not, and names stay readable for it.
MARKDOWN_ACTIVE = re.compile(r"[\\`*{}\[\]#|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
MARKDOWN_START = re.compile(r"^( ?\d{0,9})(?=[-+=]|[.)](?: |$))")


def visible(value: object) -> str:
    """Controls as pictures and the invisible by number, so that a reader sees what there was."""
    text = cut(str(value))
    if text.isascii() and text.isprintable():  # Nearly every text, and there may be millions.
        return text
    text = CONTROL.sub(lambda found: chr(0x2400 + ord(found[0])), text)
    text = UNPRINTABLE.sub("\ufffd", text)
    return INVISIBLE.sub(lambda found: f"<U+{ord(found[0]):04X}>", text)


def cut(text: str, room: int = TEXT_ROOM) -> str:
    if len(text) <= room:
        return text
    return f"{text[:room]}… ({len(text) - room} more characters)"


def for_html(value: object) -> Markup:
    return value if isinstance(value, Markup) else escape(visible(value))


def breakable(value: object) -> Markup:
    """For HTML: a name that may be broken after its joints, and not in the midst of a word."""
    return Markup(re.sub(r"(?<=[_.+-])(?=\w)", "<wbr>", for_html(value)))


def for_xml(value: object) -> Markup:
    """Controls are taken out rather than shown: test viewers print XML text as it is."""
    if isinstance(value, Markup):
        return value
    text = TERMINAL_SEQUENCE.sub("", str(value))
    return escape(cut(NOT_XML.sub("", text)))


def for_markdown(value: object) -> Markup:
    """One line of words: no markup, no table cell, no heading comes of it."""
    if isinstance(value, Markup):
        return value
    text = re.sub(r"\s+", " ", visible(value))
    text = MARKDOWN_ACTIVE.sub(lambda found: f"\\{found[0]}", text)
    text = MARKDOWN_START.sub(lambda found: f"{found[1]}\\", text)
    return Markup(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def for_plain(value: object) -> Markup:
    return value if isinstance(value, Markup) else Markup(visible(value))


def for_json(value: object) -> Markup:
    """A value of JSON: whatever is no number, true, false or null is a string."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, (bool, int, float, type(None))) and not isinstance(value, Enum):
        return Markup(json.dumps(value))
    return Markup(json.dumps(visible(value), ensure_ascii=False))


def for_tap(value: object) -> Markup:
    """One line, in which no number sign begins a directive."""
    if isinstance(value, Markup):
        return value
    text = re.sub(r"\s+", " ", visible(value))
    return Markup(text.replace("\\", "\\\\").replace("#", "\\#"))


def for_workflow(value: object) -> Markup:
    """The text of a command of a GitHub workflow, which no line of it can end."""
    if isinstance(value, Markup):
        return value
    text = visible(value).replace("%", "%25")
    return Markup(text.replace("\r", "%0D").replace("\n", "%0A"))


def for_workflow_property(value: object) -> Markup:
    return Markup(for_workflow(value).replace(":", "%3A").replace(",", "%2C"))


ESCAPES: dict[str, Callable[[object], Markup]] = {
    "html": for_html,
    "json": for_json,
    "jsonld": for_json,
    "md": for_markdown,
    "svg": for_xml,
    "tap": for_tap,
    "workflow": for_workflow,
    "xml": for_xml,
}


def escape_for(suffix: str) -> Callable[[object], Markup]:
    """The escape of a kind of file; kinds that know no markup are made visible only."""
    return ESCAPES.get(suffix, for_plain)


def fenced(value: object) -> Markup:
    """A block of code in Markdown, behind a fence that the text cannot close."""
    text = visible(value)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return Markup(f"{fence}\n{text}\n{fence}")
