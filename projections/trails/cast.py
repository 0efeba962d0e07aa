"""Cast: who and what an event is told with."""

from __future__ import annotations

from dataclasses import dataclass

YOU = "You"


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Who and what an event is told with. `actor` and `person` are "You" if it is the reader; names are as of now."""

    actor: str
    person: str
    organization: str
    device: str
    """Of the session the event is about, with its place: "Chrome 130 on macOS, Germany"."""
    times: int = 1
    invited: str = "somebody"
    """The address an invitation was sent to."""

    @property
    def whose(self) -> str:
        """The person's, after the actor was named: "changed your name", "changed their name", "changed Bo's name"."""
        if self.person == YOU:
            return "your"
        return "their" if self.actor == self.person else f"{self.person}'s"

    @property
    def whom(self) -> str:
        """The person, as somebody to whom something is done."""
        return "you" if self.person == YOU else self.person
