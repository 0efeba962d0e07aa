"""Names as they may be printed: on one line, what they seem, and apart from the sentence they stand in."""

from __future__ import annotations

from unicodedata import category

_QUOTES = str.maketrans(dict.fromkeys("“”„‟″«»❝❞〝〞〟\uff02", '"'))

_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters, marks and a symbol of which nothing is to be seen either (Unicode, Default_Ignorable_Code_Point; Braille's
blank): they are no format characters.
"""


def printable(name: str | None) -> str:
    """A name on one line, without what cannot be seen or turns the direction of what can: it may imitate another."""
    if name and name.isprintable() and _BLANK.isdisjoint(name):
        # most are, and pages of a trail ask often: nothing of them is a control or a format character
        return " ".join(name.split())
    seen = (" " if category(one) == "Cc" else one for one in name or "" if category(one) != "Cf" and one not in _BLANK)
    return " ".join("".join(seen).split())


def quoted(name: str | None, *, otherwise: str = "", marks: tuple[str, str] = ("“", "”")) -> str:
    """A name within a sentence: in quotation marks that it cannot hold itself, so that it cannot pass for a sentence.

    `otherwise` stands for one of which nothing is to be seen, or that was erased; `marks` open and close the quotation.
    """
    shown = printable(name).translate(_QUOTES)
    return f"{marks[0]}{shown}{marks[1]}" if shown else otherwise
