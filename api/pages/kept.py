"""What a form was about to send when something else had to come first: the page keeps it, so that it is not lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Self
from urllib.parse import quote_plus, urlencode
from uuid import UUID

from api.edge import strict_json
from api.edge.body import LARGEST

CONFIRMATION = "confirm_password"
"""The field by which somebody confirms that it is them; it goes before what the form itself does."""
MADE_FOR = "made_for"
"""The field by which a form says for whom its page was made: their id, which is no secret. Without it, for anybody."""
_SECRET = frozenset({"password", "current_password", CONFIRMATION})
"""Fields that stand in no page."""
_BESIDE = 4_096
"""Bytes of a form for what stands beside what is kept: the longest address, the longest password, their names."""


class Kept(NamedTuple):
    """The fields of a form, the page of ours that they are sent to, and for whom the form was made, if it said so.

    `secret` if there was a password among them, which does not stand here.
    """

    path: str
    fields: Mapping[str, str]
    made_for: str = ""
    secret: bool = False

    @classmethod
    def of(cls, path: str, content: object) -> Self:
        """What of a form may be kept: no password."""
        given = content if isinstance(content, dict) else {}
        fields = {name: str(value) for name, value in given.items() if name not in _SECRET | {MADE_FOR}}
        return cls(path, fields, made_for_of(given), bool(given.keys() & (_SECRET - {CONFIRMATION})))

    @classmethod
    def read(cls, path: str, text: str) -> Self | None:
        """What a page has kept; None if nothing, or not for a page of ours."""
        if not path.startswith("/") or path.startswith(("//", "/\\")) or not path.isprintable():
            return None
        try:
            # all of it, whatever its length: the body that it came in is bounded
            return cls.of(path, strict_json.form(text.encode()))
        except strict_json.MalformedBody:
            return None

    @property
    def text(self) -> str:
        """As it stands in a page."""
        return urlencode({**self.fields, MADE_FOR: self.made_for} if self.made_for else self.fields)

    @property
    def whole(self) -> bool:
        """Whether all of it can wait in the form of a sign-in, of which it is one field: it is encoded twice there."""
        length = len(_as_sent(self.path)) + len(_as_sent(self.text))
        return not self.secret and length + _BESIDE <= LARGEST

    @property
    def fits_again(self) -> bool:
        """Whether its fields can be sent once more with a password beside them."""
        return len(self.text.replace("~", "%7E")) + _BESIDE <= LARGEST

    def is_anothers(self, user_id: UUID) -> bool:
        """Whether it says that it was made for somebody else than this person."""
        return bool(self.made_for) and self.made_for != user_id.hex


def made_for_of(content: object) -> str:
    """For whom a form says that its page was made; empty if it does not say."""
    return str(content.get(MADE_FOR, "")) if isinstance(content, dict) else ""


def _as_sent(text: str) -> str:
    """The value of a field as browsers send it, who encode a tilde too (WHATWG URL standard §5.2)."""
    return quote_plus(text).replace("~", "%7E")
