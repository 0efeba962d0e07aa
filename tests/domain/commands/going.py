"""Ada, who leaves something of herself wherever that is possible, and Bo and Cy, who stay."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.commands import invitation as invitations
from domain.commands import received_invitation
from domain.commands.context import Context
from domain.commands.erasure import Erased, delete_account
from domain.commands.organization import found_organization
from domain.commands.principal import PersonBySession
from domain.commands.session import sign_in, use_session
from domain.commands.user import choose_language, sign_up, update_user
from domain.commands.verified_account import verified_account
from domain.pictures import Picture
from domain.store.attempts import Attempt, Attempts, Folded
from domain.store.envelope import WhereFrom
from domain.store.last_active import LastActive
from tests.databases import Database
from tests.people import NOON, PASSWORD

PNG = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
ADAS, BOS, CYS = "ada.lovelace@example.com", "bo@example.com", "cy@example.com"
HERS = WhereFrom("203.0.113.77", "Mozilla/5.0 Analytical Engine")
ELSEWHERE = WhereFrom("203.0.113.88", "Mozilla/5.0 Difference Engine")
THEIRS = WhereFrom("192.0.2.1", "Chrome")
HER_WORDS = [
    ADAS, "ada.lovelace", "Ada Lovelace", "Countess Ada", "https://example.com/ada-herself.png", HERS.ip_address,
    HERS.user_agent, ELSEWHERE.ip_address, ELSEWHERE.user_agent, "Enchantress of Numbers", "enchantress", "Byron's",
]  # fmt: skip
"""What she typed, and where she came from. Organizations that she shares are called otherwise."""


@dataclass
class Town:
    """Who lives there. A moment passes with each thing that happens."""

    context: Context
    database: Database
    now: datetime = NOON

    def by(self, user_id: UUID, where_from: WhereFrom = THEIRS) -> PersonBySession:
        """What somebody does through their newest session."""
        self.now += timedelta(minutes=1)
        session_id = self.database.value(
            "SELECT session_id FROM session_list WHERE user_id = %s ORDER BY session_id DESC LIMIT 1", user_id
        )
        return PersonBySession(user_id=user_id, session_id=session_id, at=self.now, where_from=where_from)

    def signs_up(self, email: str, name: str, *, where_from: WhereFrom = THEIRS, image: str = "") -> UUID:
        """Somebody opens an account."""
        self.now += timedelta(minutes=1)
        return sign_up(
            self.context, email=email, name=name, image=image or None, password=PASSWORD, remembered=True, now=self.now,
            where_from=where_from,
        ).person.user_id  # fmt: skip

    def signs_in(self, email: str, where_from: WhereFrom = THEIRS) -> UUID:
        """On another device."""
        self.now += timedelta(minutes=1)
        account = verified_account(self.context, email=email, password=PASSWORD, now=self.now)
        return sign_in(
            self.context, account, remembered=True, now=self.now, where_from=where_from
        ).person.user_id  # fmt: skip

    def founds(self, user_id: UUID, name: str, slug: str, metadata: str | None = None) -> UUID:
        """An organization of their own."""
        organization_id, _ = found_organization(
            self.context, self.by(user_id), name=name, slug=slug, logo=None, metadata=metadata, turning=True
        )
        return organization_id

    def invites(self, user_id: UUID, organization_id: UUID, email: str, role: str = "member") -> str:
        """The id in the link of what was sent."""
        invitation_id = invitations.invite(
            self.context, self.by(user_id), organization_id=organization_id, email=email, role=role, resend=False
        )
        return self.context.keyring.invitation_link(invitation_id)

    def takes_in(self, user_id: UUID, organization_id: UUID, who: UUID, role: str = "member") -> UUID:
        """Invited and joined; the membership."""
        email = self.database.value("SELECT email FROM account_list WHERE user_id = %s", who)
        link = self.invites(user_id, organization_id, email, role)
        return received_invitation.accept(self.context, self.by(who), link=link).membership_id

    def personal(self, user_id: UUID) -> UUID:
        """The organization that came with an account."""
        found: UUID = self.database.value(
            "SELECT organization_id FROM organization_list WHERE personal_organization = %s", user_id
        )
        return found

    def refused(self, user_id: UUID, where_from: WhereFrom) -> None:
        """A wrong password, as it is remembered."""
        self.now += timedelta(minutes=1)
        folded = Folded()
        folded.add(
            Attempt(
                person_id=user_id, session_id=None, command="sign_in", code="INVALID_EMAIL_OR_PASSWORD",
                where_from=where_from, at=self.now,
            )
        )  # fmt: skip
        Attempts(self.context.store.pool, self.context.keyring).record(folded.tallies)

    def was_active(self, user_id: UUID) -> None:
        """As it is remembered of each session of theirs."""
        sessions = self.database.rows("SELECT session_id FROM session_list WHERE user_id = %s", user_id)
        LastActive(self.context.store.statements).record({session_id: self.now for [session_id] in sessions})

    def goes(self, user_id: UUID) -> Erased:
        """They delete their account."""
        return delete_account(self.context, self.by(user_id), password=PASSWORD)

    def ada_lives(self) -> tuple[UUID, UUID, UUID]:
        """Ada's account, with all that there can be of a person, and Bo's and Cy's."""
        ada = self.signs_up(ADAS, "Ada Lovelace", where_from=HERS, image="https://example.com/ada-herself.png")
        bo, cy = self.signs_up(BOS, "Bo"), self.signs_up(CYS, "Cy")
        update_user(self.context, self.by(ada, HERS), name="Countess Ada", image=Picture(PNG))
        choose_language(self.context, self.by(ada, HERS), language="de", before=None)
        self.signs_in(ADAS, ELSEWHERE)
        moved = self.by(ada, HERS)
        use_session(
            self.context, session_id=moved.session_id, extending=True, reading=False, now=self.now, where_from=HERS
        )
        self.founds(ada, "Enchantress of Numbers", "enchantress", '{"of":"Byron\'s"}')
        acme = self.founds(bo, "Acme", "acme")
        self.takes_in(bo, acme, ada, "admin")
        self.invites(ada, acme, "someone@example.org")
        self.invites(cy, self.founds(cy, "Works", "works"), ADAS)
        for person, where_from in ((ada, HERS), (bo, THEIRS)):
            self.refused(person, where_from)
            self.was_active(person)
        return ada, bo, cy
