"""Numbers as people read them."""

from __future__ import annotations


def grouped(number: int) -> str:
    """12345678 as 12 345 678, with spaces that do not break."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def short(number: int) -> str:
    """At most four characters, for where there is no room: 927, 2.8k, 38k, 1.2M."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= size * 0.9995:
            whole = number / size
            return f"{whole:.1f}{letter}" if whole < 9.95 else f"{whole:.0f}{letter}"
    return str(number)
