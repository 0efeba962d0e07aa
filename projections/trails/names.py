"""Names: what people and organizations were called when something happened, and what of that a reader may see now.

A name is opened from the event that gave it, the last one up to the version an entry keeps. So nobody rewrites the
trail by taking another name, nobody reads a name that was given after they left, and what was erased is nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from domain.api_key import ApiKeyMade, ApiKeyRenamed
from domain.events.catalogue import stored_names
from domain.organization import OrganizationFounded, OrganizationRenamed, PersonalOrganizationFounded
from domain.store import Store, StreamVersion
from domain.store.envelope import Recorded
from domain.store.select_list import Known, SelectList
from domain.user import EmailChanged, EmailRestored, NameChanged, SignedUp

from .language import ENGLISH, Choice, Language, Word
from .printable import printable

YOU = Word("You")
SOMEBODY = Word("a removed person")
FORMER = Word("a former organization")
INVITED = Word("somebody")
A_KEY = Word("without a name")
_YOU_TOO = Word("you")
_OTHER_NAME = Word("another name")
_OTHER_ADDRESS = Word("another one")
_ROLES = {"owner": Word("owner"), "admin": Word("admin"), "member": Word("member")}

_NAMING = [
    name
    for event in (
        SignedUp,
        NameChanged,
        PersonalOrganizationFounded,
        OrganizationFounded,
        OrganizationRenamed,
        ApiKeyMade,
        ApiKeyRenamed,
    )
    for name in stored_names(event)
]
_ADDRESSING = [name for event in (SignedUp, EmailChanged, EmailRestored) for name in stored_names(event)]
_LAST_UP_TO = """
(SELECT e.version FROM events e WHERE e.stream_id = given.stream_id AND e.version <= given.version
    AND e.name = ANY({names}) ORDER BY e.version DESC LIMIT 1)
"""


class WhereNamed(NamedTuple):
    """Up to a version of a stream: the versions that last gave it its name, and its address; None if none did."""

    stream_id: UUID
    version: int
    naming: int | None
    addressing: int | None


class CalledNow(NamedTuple):
    """Who or what is called how now; None once erased."""

    stream_id: UUID
    name: str | None
    email: str | None


_WHERE = SelectList(
    WhereNamed,
    stream_id="given.stream_id",
    version="given.version",
    naming=_LAST_UP_TO.format(names="$3"),
    addressing=_LAST_UP_TO.format(names="$4"),
)
_PERSON = SelectList(CalledNow, stream_id="a.user_id", name="a.name", email="a.email")
_ORGANIZATION = SelectList(CalledNow, stream_id="o.organization_id", name="o.name", email=Known(None))
_WHERE_NAMED = f"""
SELECT {_WHERE.sql}
  FROM unnest($1::uuid[], $2::integer[]) AS given (stream_id, version)
"""
_FELLOWS = f"""
SELECT {_PERSON.sql} FROM account_list a
 WHERE user_id = ANY($1) AND EXISTS (
       SELECT FROM member_list theirs JOIN member_list own USING (organization_id)
         JOIN organization_list o USING (organization_id)
        WHERE theirs.live_user_id = a.user_id AND own.live_user_id = $2 AND o.ended_at IS NULL)
"""
_MEMBERS = f"""
SELECT {_PERSON.sql} FROM account_list a
 WHERE user_id = ANY($1) AND EXISTS (
       SELECT FROM member_list m JOIN organization_list o USING (organization_id)
        WHERE m.live_user_id = a.user_id AND m.organization_id = $2 AND o.ended_at IS NULL)
"""
_OWN_ORGANIZATIONS = f"""
SELECT {_ORGANIZATION.sql} FROM organization_list o
 WHERE organization_id = ANY($1) AND EXISTS (
       SELECT FROM member_list m WHERE m.organization_id = o.organization_id AND m.live_user_id = $2)
"""
_ERASED = "SELECT user_id FROM account_list WHERE user_id = ANY($1) AND ended_at IS NOT NULL"
_ITSELF = f"""
SELECT {_ORGANIZATION.sql} FROM organization_list o WHERE organization_id = ANY($1) AND organization_id = $2
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """Who reads: a person (`user_id`) their own journal, or whoever may an organization's trail."""

    user_id: UUID | None = None
    organization_id: UUID | None = None


class Named(NamedTuple):
    """A person as of some moment, by their address if they had no name: on one line, "" if unknown or erased."""

    name: str = ""
    email: str = ""


_NOBODY = Named()


class NamesThen:
    """The names of those whom entries are about, looked up together; `people`, `organizations` and API `keys` by stream
    version.
    """

    def __init__(
        self,
        store: Store,
        reader: Reader,
        *,
        people: Iterable[StreamVersion],
        organizations: Iterable[StreamVersion],
        keys: Iterable[StreamVersion] = (),
        language: Language = ENGLISH,
    ) -> None:
        self._language = language
        self._people, self._organizations = set(people), set(organizations)
        self._reader, self._read = reader, store.statements
        self._then = self._opened(store, self._people | self._organizations | set(keys))
        self._now = self._present()

    def person(self, user_id: UUID | None, version: int | None) -> Named:
        """What they were called then."""
        if user_id is None or version is None:
            return _NOBODY
        return self._then.get((user_id, version), _NOBODY)

    def person_in_words(self, user_id: UUID | None, version: int | None) -> str:
        """As a sentence names them; "You" if it is the reader."""
        if user_id is not None and user_id == self._reader.user_id:
            return YOU
        return self._in_words(user_id, self.person(user_id, version).name) or SOMEBODY

    def organization_in_words(self, organization_id: UUID | None, version: int | None) -> str:
        """As a sentence names it; by its name of now where that of then is erased."""
        if organization_id is None or version is None:
            return FORMER
        then = self._then.get((organization_id, version), _NOBODY).name
        return self._in_words(organization_id, then) or self._language.quoted(
            self._now.get(organization_id), otherwise=FORMER
        )

    def key_in_words(self, api_key_id: UUID, version: int | None) -> str:
        """What a key was called then, as a sentence names it."""
        then = _NOBODY if version is None else self._then.get((api_key_id, version), _NOBODY)
        return self._language.quoted(then.name, otherwise=A_KEY)

    def before(self, stream_id: UUID, version: int) -> str:
        """What whoever's stream it is was called just before this version of it, as a sentence names it."""
        then = self._then.get((stream_id, version - 1), _NOBODY)
        return self._language.quoted(then.name, otherwise=_OTHER_NAME)

    def address_before(self, stream_id: UUID, version: int) -> str:
        """Which address whoever's stream it is had just before this version of it, as a sentence names it."""
        then = self._then.get((stream_id, version - 1), _NOBODY)
        return self._language.quoted(then.email, otherwise=_OTHER_ADDRESS)

    def _in_words(self, who: UUID | None, then: str) -> str:
        if not then:
            return ""
        now = self._now.get(who)
        named = self._language.quoted(then)
        if not now or now == then:
            return named
        return self._language.say("{name} (now {now})", name=named, now=self._language.quoted(now))

    def _opened(self, store: Store, wanted: set[StreamVersion]) -> dict[StreamVersion, Named]:
        if not wanted:
            return {}
        streams, versions = [stream_id for stream_id, _ in wanted], [version for _, version in wanted]
        found = _WHERE.read_all(self._read.rows(_WHERE_NAMED, streams, versions, _NAMING, _ADDRESSING))
        giving = {(one.stream_id, at) for one in found for at in (one.naming, one.addressing) if at is not None}
        events = self._telling(store.recorded(list(giving)))

        def said(stream_id: UUID, version: int | None, what: str) -> str:
            recorded = None if version is None else events.get((stream_id, version))
            return "" if recorded is None else printable(getattr(recorded.event, what))

        named = {}
        for one in found:
            address = said(one.stream_id, one.addressing, "email")
            name = said(one.stream_id, one.naming, "name") or address
            named[one.stream_id, one.version] = Named(name=name, email=address)
        return named

    def _telling(self, events: dict[StreamVersion, Recorded]) -> dict[StreamVersion, Recorded]:
        """Those that still tell a name: an organization that came with an account was called after its person, and has
        a key of its own since others have it.
        """
        named_after = {
            place: one.event.owner_id
            for place, one in events.items()
            if isinstance(one.event, PersonalOrganizationFounded)
        }
        if not named_after:
            return events
        gone = {user_id for [user_id] in self._read.rows(_ERASED, list(set(named_after.values())))}
        return {place: one for place, one in events.items() if named_after.get(place) not in gone}

    def _present(self) -> dict[UUID | None, str]:
        """What those are called now of whom the reader may know it: who belongs together sees one another."""
        people = list({user_id for user_id, _ in self._people} - {self._reader.user_id})
        organizations = list({organization_id for organization_id, _ in self._organizations})
        whose = self._reader.organization_id or self._reader.user_id
        fellows, own = (_FELLOWS, _OWN_ORGANIZATIONS) if self._reader.organization_id is None else (_MEMBERS, _ITSELF)
        called = list[CalledNow]()
        if people:
            called += _PERSON.read_all(self._read.rows(fellows, people, whose))
        if organizations:
            called += _ORGANIZATION.read_all(self._read.rows(own, organizations, whose))
        return {one.stream_id: printable(one.name) or printable(one.email) for one in called}


@dataclass(frozen=True, kw_only=True)
class Names:
    """Who and what an event is told with, and in which language; `actor` and `person` are YOU if it is the reader.

    Names are in quotation marks; what else stands in their place is a Word, and translated within its sentence.
    """

    actor: str
    person: str
    same: bool
    """Whether the actor is the person."""
    organization: str
    device: str
    """Of the session the event is about, with its place: "Chrome 130 on macOS, Germany"."""
    invited: str = INVITED
    """The address an invitation was sent to."""
    before: str = _OTHER_NAME
    """Of a renaming: the name before."""
    address_before: str = _OTHER_ADDRESS
    """Of another address: the one before."""
    key: str = A_KEY
    """The API key the event is about."""
    language: Language = ENGLISH

    def say(self, text: str, /, **more: str) -> str:
        """A sentence with these names, and more."""
        return self.language.filled(text, _Said(self, more))

    def quoted(self, name: str | None, *, otherwise: Word) -> str:
        """Another name, as it stands in a sentence."""
        return self.language.quoted(name, otherwise=otherwise)

    def roles(self, text: str) -> str:
        """Roles as they are stored, in words."""
        return self.language.text(" and ").join(self.language.word(_ROLES.get(one, one)) for one in text.split(","))

    @property
    def does(self) -> Choice:
        """What the actor does, where a language has another word for it when the reader is addressed."""
        return Choice("", self.actor == YOU)

    @property
    def person_does(self) -> Choice:
        """The same of the person."""
        return Choice("", self.person == YOU)

    @property
    def whose(self) -> Choice:
        """The person's, after the actor was named: "changed your name", "changed their name", "changed “Bo”'s name"."""
        if self.person == YOU:
            return Choice("your", 0)
        if self.same:
            return Choice("their", 1)
        return Choice(f"{self.person}'s", 2, self.language.word(self.person, "dative"))

    @property
    def whom(self) -> str:
        """The person, as somebody to whom something is done."""
        return _YOU_TOO if self.person == YOU else self.person


class _Said(dict[str, str]):
    """What a sentence names: what it was given, else one of the names."""

    def __init__(self, names: Names, more: Mapping[str, str]) -> None:
        super().__init__(more)
        self._names = names

    def __missing__(self, name: str) -> str:
        said: str = getattr(self._names, name)
        return said
