"""Pictures of people and organizations as pages show them: what is kept here, or the first letters of a name."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from domain.pictures import PATH

_LETTERS = 2


class Face(NamedTuple):
    """A picture by its path here, empty if there is none that is kept here; and letters to show instead."""

    path: str
    letters: str


def face(url: str | None, name: str | None) -> Face:
    """What is shown of somebody with this picture and name.

    A picture of another host is never fetched: that would tell it who looks at whom, and when.
    """
    path = urlsplit(url or "").path
    words = [word for word in (name or "").split() if word[:1].isalnum()]
    letters = "".join(word[0].upper() for word in words[:_LETTERS])
    return Face(path if path.startswith(PATH) else "", letters or "·")
