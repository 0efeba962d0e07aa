"""Names as they are printed: what cannot be seen, or turns or breaks the line, does not stand in them."""

from __future__ import annotations

import pytest

from projections.trails.printable import printable, quoted


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ada", "Ada"),
        ("  Ada   Lovelace ", "Ada Lovelace"),
        ("Ada\nBo", "Ada Bo"),
        ("Ad\u200ba\u202e", "Ada"),
        ("Ada\u3164", "Ada"),  # Hangul filler
        ("\u2800Ada\u2800", "Ada"),  # Braille's blank
        ("A\u115fd\u1160a\uffa0", "Ada"),
        ("李 明", "李 明"),
        ("Zoë 🦉", "Zoë 🦉"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_name_is_printed_as_what_can_be_seen_of_it(name: str | None, shown: str) -> None:
    assert printable(name) == shown


@pytest.mark.parametrize("name", ["\u3164", "\u2800\u2800", "\u115f \u1160", "\u034f", "\u200d", " \t"])
def test_of_a_name_that_nobody_sees_something_else_is_said(name: str) -> None:
    assert quoted(name, otherwise="somebody") == "somebody"


def test_a_name_cannot_end_its_own_quotation() -> None:
    assert quoted("Ann” removed “Bob") == '“Ann" removed "Bob”'
