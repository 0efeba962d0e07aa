"""A life whose journal the tests read: Ada and the others do things, by the real commands, a minute apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from domain.commands.context import Context
from domain.commands.credential import change_password
from domain.commands.session import revoke_other_sessions, revoke_session, sign_in, sign_out, use_session
from domain.commands.user import sign_up
from domain.commands.verified_account import verified_account
from domain.events.catalogue import SESSION
from domain.session import EndReason, OrganizationChosen
from domain.store.attempts import Attempt as Refused
from domain.store.attempts import Attempts, Folded
from domain.store.envelope import CommandRecord, WhereFrom
from projections.places import Places
from projections.trails.activity import OwnSelection, Page, Selection, of_a_person, of_an_organization
from projections.trails.cursor import Cursor
from projections.trails.language import ENGLISH, Language
from projections.trails.names import Reader
from projections.trails.narrator import Narrator, RenderedEntry
from tests.databases import Database
from tests.keeping import caught_up
from tests.lived import comes_back, through
from tests.people import NOON, PASSWORD

MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko)"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
CHROME = f"{MAC} Chrome/130.0.0.0 Safari/537.36"
CHROME_UPDATED = f"{MAC} Chrome/131.0.0.0 Safari/537.36"
CHROME_ON_WINDOWS = f"{WINDOWS} Chrome/131.0.0.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"

GERMANY, NEXT_DOOR, ELSEWHERE = "141.20.1.1", "141.20.1.77", "141.21.1.1"
BRITAIN = "212.58.244.20"
AT_HOME = WhereFrom(GERMANY, CHROME)
AWAY = WhereFrom(BRITAIN, FIREFOX)
EVERYWHERE = Places()

OPENED = [
    "You opened your account. You signed in with Chrome 130 on macOS, Germany.",
]


@dataclass
class Life:
    """Ada and the others do things, one after the other, a minute apart."""

    context: Context
    database: Database
    now: datetime = NOON
    people: dict[str, UUID] = field(default_factory=dict)

    def passes(self, **by: float) -> datetime:
        """Time; what it is then."""
        self.now += timedelta(**(by or {"minutes": 1}))
        return self.now

    def opens(self, name: str, where_from: WhereFrom = AT_HOME) -> UUID:
        """Somebody opens an account; their session."""
        signed_in = sign_up(
            self.context, email=f"{len(self.people)}@example.com", name=name, image=None, password=PASSWORD,
            remembered=True, now=self.passes(), where_from=where_from,
        )  # fmt: skip
        self.people[name] = signed_in.person.user_id
        return self.newest_session(name)

    def signs_in(self, name: str, where_from: WhereFrom = AT_HOME) -> UUID:
        """One of them signs in; the new session."""
        email = f"{list(self.people).index(name)}@example.com"
        account = verified_account(self.context, email=email, password=PASSWORD, now=self.now)
        sign_in(self.context, account, remembered=True, now=self.passes(), where_from=where_from)
        return self.newest_session(name)

    def newest_session(self, name: str) -> UUID:
        """The session somebody began last."""
        found: UUID = self.database.value(
            "SELECT session_id FROM session_list WHERE user_id = %s ORDER BY created_at DESC LIMIT 1", self.people[name]
        )
        return found

    def renews(self, session_id: UUID, where_from: WhereFrom = AT_HOME) -> None:
        """A session is used a day later."""
        assert comes_back(
            self.context,
            session_id=session_id,
            now=self.passes(days=1, minutes=1),
            where_from=where_from,
        )

    def does_something(self, session_id: UUID, where_from: WhereFrom) -> bool:
        """A session is used for a command, a minute later; whether it moved there."""
        now = self.passes()
        return use_session(
            self.context, session_id=session_id, extending=False, reading=False, now=now, where_from=where_from
        )

    def looks(self, session_id: UUID, where_from: WhereFrom) -> bool:
        """A session is used to look at something, an hour later; whether it moved there."""
        now = self.passes(hours=1)
        return use_session(
            self.context, session_id=session_id, extending=False, reading=True, now=now, where_from=where_from
        )

    def changes_password(self, session_id: UUID, where_from: WhereFrom = AT_HOME, *, revoking: bool) -> None:
        """The password is replaced by the same one, which is allowed and keeps the story short."""
        change_password(
            self.context,
            through(self.context, session_id, now=self.passes(), where_from=where_from),
            current=PASSWORD,
            new=PASSWORD,
            revoking=revoking,
            organization_id=None,
        )

    def revokes(self, session_id: UUID, by: UUID, where_from: WhereFrom = AT_HOME) -> None:
        """A session is ended through another one."""
        ended = revoke_session(
            self.context, through(self.context, by, now=self.passes(), where_from=where_from), named=session_id.hex
        )
        assert ended == session_id

    def signs_out_others(self, session_id: UUID, where_from: WhereFrom = AT_HOME) -> None:
        """All sessions of the person but this one are ended."""
        revoke_other_sessions(self.context, through(self.context, session_id, now=self.passes(), where_from=where_from))

    def signs_out(self, session_id: UUID, where_from: WhereFrom = AT_HOME) -> None:
        """A session ends by itself."""
        assert sign_out(self.context, session_id=session_id, now=self.passes(), where_from=where_from)

    def ends(self, session_id: UUID, command: Callable[[datetime], CommandRecord], sealed_for: UUID) -> None:
        """A session is ended by such a command."""
        store = self.context.store
        session = store.load(SESSION, session_id)
        ended = session.with_events(session.state.end(reason=EndReason.SIGNED_OUT))
        assert store.append(command(self.passes()), store.subject(sealed_for), ended)

    def turns_to(self, session_id: UUID, name: str, organization_id: UUID | None) -> None:
        """A person chooses an organization on a device."""
        user_id, store = self.people[name], self.context.store
        command = CommandRecord.by_user(user_id, session_id=session_id, at=self.passes(), where_from=AT_HOME)
        session = store.load(SESSION, session_id)
        chosen = session.with_events([OrganizationChosen(organization_id=organization_id)])
        assert store.append(command, store.subject(user_id), chosen)

    def is_refused(self, name: str, where_from: WhereFrom = AWAY, *, times: int = 1) -> None:
        """Somebody tries to sign in as that person, where the log stands now."""
        caught_up(self.database)
        folded = Folded()
        for _ in range(times):
            folded.add(
                Refused(
                    person_id=self.people[name], session_id=None, command="sign_in",
                    code="INVALID_EMAIL_OR_PASSWORD", where_from=where_from, at=self.passes(),
                )
            )  # fmt: skip
        Attempts(self.context.store.pool, self.context.keyring).record(folded.tallies)

    def organization_of(self, name: str) -> UUID:
        """The organization that came with the account."""
        found: UUID = self.database.value(
            "SELECT organization_id FROM member_list WHERE user_id = %s", self.people[name]
        )
        return found

    def page(self, name: str, cursor: str = "", *, limit: int = 100, **only: Any) -> Page:
        """A page of a person's journal."""
        caught_up(self.database)
        return of_a_person(
            self.context.store.statements,
            self.context.keyring,
            self.people[name],
            before=Cursor.of(cursor),
            limit=limit,
            only=OwnSelection(**only),
        )

    def told(self, name: str, page: Page | None = None, *, language: Language = ENGLISH) -> list[RenderedEntry]:
        """What a person is told, of everything if no page is given."""
        return self._rendered(page or self.page(name), Reader(user_id=self.people[name]), language)

    def texts(self, name: str) -> list[str]:
        """What a person is told, in words only."""
        return [one.text for one in self.told(name)]

    def selected(self, cursor: str = "", *, limit: int = 100, organization: str = "Ada", **only: Any) -> Page:
        """A page of an organization's journal."""
        caught_up(self.database)
        selection = Selection(organization_id=self.organization_of(organization), **only)
        return of_an_organization(self.context.store.statements, selection, before=Cursor.of(cursor), limit=limit)

    def told_to_admins(
        self, page: Page | None = None, *, organization: str = "Ada", language: Language = ENGLISH
    ) -> list[RenderedEntry]:
        """What those who read the trail of somebody's organization are told."""
        reader = Reader(organization_id=self.organization_of(organization))
        return self._rendered(page or self.selected(organization=organization), reader, language)

    def _rendered(self, page: Page, reader: Reader, language: Language) -> list[RenderedEntry]:
        locate = partial(EVERYWHERE, language=language.code)
        return Narrator(self.context.store, locate, page.entries, reader=reader, language=language).rendered()

    def spots_of(self, name: str) -> list[tuple[int, bytes]]:
        """Where a person's entries stand, newest first, as the owner of the tables sees them."""
        user_id = self.people[name]
        return [
            (position, bytes(key))
            for position, key in self.database.rows(
                "SELECT min(position), ''::bytea AS key FROM journal WHERE (person_id = %s OR actor_id = %s)"
                " GROUP BY command_id"
                " UNION ALL SELECT after_position, key FROM attempts WHERE person_id = %s ORDER BY 1 DESC, 2 DESC",
                user_id,
                user_id,
                user_id,
            )
        ]
