"""What a form was about to send when something else had to come first: the page keeps it, so that it is not lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Self
from urllib.parse import parse_qsl, urlencode

CONFIRMATION = "confirm_password"
"""The field by which somebody confirms that it is them; it goes before what the form itself does."""
_SECRET = frozenset({"password", "current_password", CONFIRMATION})
"""Fields that stand in no page."""
_A_FIELD = 4_000
_MOST_FIELDS = 20


class Kept(NamedTuple):
    """The fields of a form, and the page of ours that they are sent to; `whole` if all of them stand here."""

    path: str
    fields: Mapping[str, str]
    whole: bool = True

    @classmethod
    def of(cls, path: str, content: object) -> Self:
        """What of a form may be kept: no password."""
        given = content if isinstance(content, dict) else {}
        secret = given.keys() & (_SECRET - {CONFIRMATION})
        return cls(path, {name: str(value) for name, value in given.items() if name not in _SECRET}, not secret)

    @classmethod
    def read(cls, path: str, text: str) -> Self | None:
        """What a page has kept; None if nothing, or not for a page of ours."""
        if not path.startswith("/") or path.startswith(("//", "/\\")):
            return None
        fields = parse_qsl(text[:_A_FIELD], keep_blank_values=True)[:_MOST_FIELDS]
        return cls(path, {name: value for name, value in fields if name not in _SECRET})

    @property
    def text(self) -> str:
        """As it stands in a page."""
        return urlencode(self.fields)
