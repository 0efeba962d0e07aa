"""A race for a session: who takes part, what must have become of them however it went, and how the log says it went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.faults.judging import Entry, Sessions
from tests.faults.owners import Device, Owner

ENDINGS = ("revoke-session", "sign-out", "revoke-sessions", "revoke-other-sessions", "change-password")
"""What ends the victim's session: asked by its other device, but for the sign-out. The password changes with an end to
all sessions begun with the old one."""
RACERS = ("renewal", "reauthentication", "sign-in")
"""What would keep the person signed in: the victim's session used, confirmed, or another one begun, by the password
that was right when the race began."""

_RECORDED = {"renewal": "SessionRenewed", "reauthentication": "SessionReauthenticated", "sign-in": "SessionStarted"}
_ENDS_ONE = ("revoke-session", "sign-out")
_ENDS_THE_OTHER = ("revoke-sessions", "change-password")


@dataclass
class Race:
    """One round: a person with two devices, of which the victim's session is ended.

    `handed` is the secret a sign-in was given that raced it, `replaced` that of the session a change of password began.
    """

    owner: Owner
    victim: Device
    other: Device
    password: str
    handed: list[str] = field(default_factory=list, repr=False)
    replaced: list[str] = field(default_factory=list, repr=False)

    def tokens(self) -> list[str]:
        """All secrets that were given out."""
        return [self.victim.token, self.other.token, *self.replaced, *self.handed]

    def require_fate(self, ending: str, lives: dict[str, bool]) -> None:
        """Who must live now, and who must not. Of a sign-in that raced the end of all sessions, the log decides."""
        assert not lives[self.victim.token]
        assert lives[self.other.token] == (ending not in _ENDS_THE_OTHER)
        assert all(lives[token] for token in self.replaced)
        if ending in _ENDS_ONE:
            assert all(lives[token] for token in self.handed)
        if ending == "change-password":
            assert len(self.replaced) == 1
            assert not any(lives[token] for token in self.handed)

    def order(self, book: Sessions, entries: Sequence[Entry], ending: str, racer: str) -> str:
        """Where the log has what raced: before the end, after it, or nowhere."""
        end = book.ended[self.victim.session_id] if ending in _ENDS_ONE else book.revoked[-1]
        streams = [book.of(token) for token in self.handed] if racer == "sign-in" else [self.victim.session_id]
        places = [at.position for at in entries if at.stream_id in streams and at.name == _RECORDED[racer]]
        return "nowhere" if not places else "before" if places[-1] < end else "after"
