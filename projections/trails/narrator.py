"""The journal as it is read: acts with their events opened, those they name as they were, devices and places named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, get_args
from unicodedata import normalize
from uuid import UUID

from domain.api_key import ApiKeyEvent, ApiKeyRenamed
from domain.events.catalogue import NAME_BY_EVENT
from domain.invitation import InvitationEvent, InvitationRejected, RecipientErased
from domain.organization import OrganizationRenamed
from domain.store import Store, StreamVersion
from domain.store.connections import Statements
from domain.store.envelope import ActorKind, Recorded
from domain.store.select_list import SelectList
from domain.user import EmailChanged, NameChanged

from .activity import ATTEMPT, Act, JournalEntry
from .acts import told
from .attempts import Attempts
from .language import ENGLISH, Language, Word
from .names import INVITED, SOMEBODY, YOU, Named, Names, NamesThen, Reader
from .new_devices import unfamiliar
from .printable import printable
from .sentences import refusal, sentence

Locate = Callable[[str | None], str]
_ACTORS = {
    ActorKind.SYSTEM: Word("Daybook"),
    ActorKind.OPERATOR: Word("An operator"),
    ActorKind.SERVICE: Word("A service"),
}
_ATTEMPTING = Word("Somebody")
_RENAMING = {NAME_BY_EVENT[NameChanged], NAME_BY_EVENT[EmailChanged]}
_OF_A_KEY = {NAME_BY_EVENT[event] for event in get_args(ApiKeyEvent)}
"""What is told with what was so before it."""
UNKNOWN_DEVICE = Word("an unknown device")
_SENTENCES = 6
"""Of an act that ended more sessions than that, the others are counted."""


class LastFrom(NamedTuple):
    """What a session last came from; None once erased."""

    session_id: UUID
    user_agent: str | None
    ip_address: str | None


_LAST_FROM = SelectList(
    LastFrom,
    session_id="session_id",
    user_agent="coalesce(moved_user_agent, user_agent)",
    ip_address="coalesce(moved_ip_address, ip_address)",
)
_SESSIONS = f"""
SELECT {_LAST_FROM.sql}
  FROM session_list WHERE session_id = ANY($1)
"""
_INVITED = "SELECT invitation_id, email FROM invitation_list WHERE invitation_id = ANY($1)"


@dataclass(frozen=True, kw_only=True, slots=True)
class RenderedEntry:
    """An entry in words. Where from is empty if unknown, and where it is not the reader's business.

    `actor` and `person` (whom it concerns, of members only) are as they were called then, with the addresses they had;
    `session_id` is the session the entry is about or was done through; `times` and `since` tell of folded ones.
    """

    at: datetime
    event: str
    text: str
    actor: str
    actor_id: UUID | None
    actor_email: str
    person: str
    person_id: UUID | None
    person_email: str
    device: str
    location: str
    ip_address: str
    session_id: UUID | None
    times: int
    since: datetime
    new_device: bool


class _Part(NamedTuple):
    """An event of an act; `recorded` is None if it cannot be read."""

    entry: JournalEntry
    recorded: Recorded | None

    @property
    def event(self) -> Any:
        return None if self.recorded is None else self.recorded.event


class Narrator:
    """Tells entries to one reader: a person their own, or somebody who reads an organization's trail.

    `locate` names places in the same language.
    """

    def __init__(
        self,
        store: Store,
        locate: Locate,
        entries: Sequence[Act | Attempts],
        *,
        reader: Reader,
        language: Language = ENGLISH,
    ) -> None:
        self._language = language
        self._read, self._locate, self._reader, self._entries = store.statements, locate, reader, entries
        of_journal = [entry for act in entries if isinstance(act, Act) for entry in act.entries]
        self._events = store.recorded([entry.place for entry in of_journal])
        self._names = NamesThen(
            store,
            reader,
            people=_people(of_journal),
            organizations=_organizations(of_journal, self._events),
            keys=_keys(of_journal),
            language=language,
        )
        self._sessions = _sessions(self._read, of_journal)
        self._invited = _invited(self._read, of_journal)
        you = reader.user_id
        self._unfamiliar = set() if you is None else unfamiliar(store, you, of_journal, self._events)

    def rendered(self) -> list[RenderedEntry]:
        """All entries, in the order given."""
        return [self._attempts(one) if isinstance(one, Attempts) else self._act(one) for one in self._entries]

    def _attempts(self, one: Attempts) -> RenderedEntry:
        user_agent = None if one.where_from is None else one.where_from.user_agent
        ip_address = None if one.where_from is None else one.where_from.ip_address
        where = self._where(user_agent, ip_address)
        return RenderedEntry(
            at=one.at,
            event=ATTEMPT,
            text=refusal(one.command, one.code, place=where, times=one.times, language=self._language),
            actor=self._language.word(_ATTEMPTING),
            actor_id=None,
            actor_email="",
            person="",
            person_id=None,
            person_email="",
            device=self._language.device(user_agent),
            location=self._locate(ip_address),
            ip_address=ip_address or "",
            session_id=one.session_id,
            times=one.times,
            since=one.since,
            new_device=False,
        )

    def _act(self, act: Act) -> RenderedEntry:
        parts = [_Part(entry, self._events.get(entry.place)) for entry in act.entries]
        worth = told(parts, lambda part: part.event)
        lead = worth[0]
        entry = lead.entry
        user_agent, ip_address = self._came_from(lead)
        actor, person = self._actor(lead), self._concerned(lead)
        return RenderedEntry(
            at=entry.at,
            event=act.event or entry.event,
            text=self._text(worth),
            actor=self._language.word(
                actor.name if entry.actor_kind == ActorKind.USER else _ACTORS[ActorKind(entry.actor_kind)]
            ),
            actor_id=None if self._outside(lead) else entry.actor_id,
            actor_email=actor.email,
            person=self._language.word(person.name),
            person_id=entry.person_id if person.name else None,
            person_email=person.email,
            device=self._language.device(user_agent),
            location=self._locate(ip_address),
            ip_address=ip_address or "",
            session_id=self._session(worth),
            times=1,
            since=entry.at,
            new_device=any(part.entry.place in self._unfamiliar for part in parts),
        )

    def _text(self, worth: Sequence[_Part]) -> str:
        sentences = [self._sentence(part) for part in worth[:_SENTENCES]]
        if len(worth) > _SENTENCES:
            sentences.append(self._language.say("And {number} more.", number=str(len(worth) - _SENTENCES)))
        lead = worth[0].entry
        if lead.api_key_id is not None and lead.api_key_id != lead.stream_id:
            key = self._names.key_in_words(lead.api_key_id, lead.api_key_version)
            sentences.append(self._language.say("It was done by the API key {key}.", key=key))
        return " ".join(sentences)

    def _sentence(self, part: _Part) -> str:
        entry, recorded = part
        if recorded is None:
            return self._language.text("This entry cannot be read.")
        last = self._sessions.get(entry.stream_id)
        user_agent, ip_address = (None, None) if last is None else (last.user_agent, last.ip_address)
        if self._may_see(entry) and entry.stream_id in (entry.session_id, entry.api_key_id):
            # what the entry itself says is nearer than what the session says now; of another session it says nothing
            user_agent, ip_address = self._came_from(part)
        names = Names(
            actor=self._actor_in_words(part),
            person=self._names.person_in_words(entry.person_id, entry.person_version),
            same=entry.actor_kind == ActorKind.USER and entry.actor_id == entry.person_id,
            organization=self._names.organization_in_words(_organization(entry, recorded), entry.organization_version),
            device=self._where(user_agent, ip_address) or UNKNOWN_DEVICE,
            invited=self._address(entry),
            before=self._names.before(entry.stream_id, entry.version),
            address_before=self._names.address_before(entry.stream_id, entry.version),
            key=self._names.key_in_words(entry.stream_id, entry.version),
            language=self._language,
        )
        words = sentence(part.event, names)
        return words[:1].upper() + words[1:]

    def _actor(self, part: _Part) -> Named:
        """Who did it, as they were called; of an outsider only the address the organization has."""
        if self._outside(part):
            address = printable(self._invited.get(part.entry.stream_id))
            return Named(address, address)
        if part.entry.actor_id is None:
            return Named(_ATTEMPTING)
        return self._person(part.entry.actor_id, part.entry.actor_version)

    def _concerned(self, part: _Part) -> Named:
        """The member it is about. Whether who was invited has an account is nobody's business."""
        if part.recorded is None or isinstance(part.event, InvitationEvent):
            return Named()
        return self._person(part.entry.person_id, part.entry.person_version)

    def _person(self, user_id: UUID | None, version: int | None) -> Named:
        if user_id is not None and user_id == self._reader.user_id:
            return Named(YOU)
        found = self._names.person(user_id, version)
        if not found.name:
            return found if user_id is None else Named(SOMEBODY)
        return found._replace(name=_apart(found.name, self._language))

    def _actor_in_words(self, part: _Part) -> str:
        entry = part.entry
        if entry.actor_kind != ActorKind.USER:
            return _ACTORS[ActorKind(entry.actor_kind)]
        if self._outside(part):
            return self._address(entry)
        if entry.actor_id is None:
            return _ATTEMPTING
        return self._names.person_in_words(entry.actor_id, entry.actor_version)

    def _address(self, entry: JournalEntry) -> str:
        return self._language.quoted(self._invited.get(entry.stream_id), otherwise=INVITED)

    def _outside(self, part: _Part) -> bool:
        """Whether an organization reads of somebody who never belonged to it."""
        return self._reader.organization_id is not None and isinstance(part.event, InvitationRejected | RecipientErased)

    def _may_see(self, entry: JournalEntry) -> bool:
        """A person sees where they acted from themselves, never where others did (wire.md, our own calls).

        But from where somebody did something to their account who did not say who they are.
        """
        you = self._reader.user_id
        by_whom = entry.person_id if entry.actor_id is None else entry.actor_id
        return entry.actor_kind == ActorKind.USER and (you is None or by_whom == you)

    def _came_from(self, part: _Part) -> tuple[str | None, str | None]:
        if part.recorded is None or self._outside(part) or not self._may_see(part.entry):
            return None, None
        return part.recorded.command.user_agent, part.recorded.command.ip_address

    def _session(self, worth: Sequence[_Part]) -> UUID | None:
        about = (part.entry.stream_id for part in worth if part.entry.stream_id in self._sessions)
        lead = worth[0]
        through = lead.entry.session_id if self._may_see(lead.entry) and not self._outside(lead) else None
        return next(about, through)

    def _where(self, user_agent: str | None, ip_address: str | None) -> str:
        return self._language.where(self._language.device(user_agent), self._locate(ip_address))


@cache
def _our_words(language: Language) -> set[str]:
    words = (YOU, SOMEBODY, _ATTEMPTING, *_ACTORS.values())
    return {name.casefold() for word in words for name in (word, language.word(word))}


def _apart(name: str, language: Language) -> str:
    """A name beside a sentence: whoever calls themselves "You" or "Daybook" shall not pass for the reader or for us."""
    return language.quoted(name) if normalize("NFKC", name).casefold() in _our_words(language) else name


def _people(entries: Iterable[JournalEntry]) -> Iterator[StreamVersion]:
    for one in entries:
        if one.actor_id is not None and one.actor_version is not None:
            yield one.actor_id, one.actor_version
        if one.person_id is not None and one.person_version is not None:
            yield one.person_id, one.person_version
        if one.event in _RENAMING:
            yield one.stream_id, one.version - 1


def _organizations(
    entries: Iterable[JournalEntry], events: Mapping[StreamVersion, Recorded]
) -> Iterator[StreamVersion]:
    for one in entries:
        organization_id = _organization(one, events.get(one.place))
        if organization_id is not None and one.organization_version is not None:
            yield organization_id, one.organization_version
        if one.event == NAME_BY_EVENT[OrganizationRenamed]:
            yield one.stream_id, one.version - 1


def _keys(entries: Iterable[JournalEntry]) -> Iterator[StreamVersion]:
    for one in entries:
        if one.event in _OF_A_KEY:
            yield one.place
        if one.api_key_id is not None and one.api_key_version is not None:
            yield one.api_key_id, one.api_key_version
        if one.event == NAME_BY_EVENT[ApiKeyRenamed]:
            yield one.stream_id, one.version - 1


def _organization(entry: JournalEntry, recorded: Recorded | None) -> UUID | None:
    """The organization an entry names."""
    chosen: UUID | None = None if recorded is None else getattr(recorded.event, "organization_id", None)
    return entry.organization_id or chosen


def _invited(read: Statements, entries: Iterable[JournalEntry]) -> dict[UUID, str | None]:
    """The addresses that the invitations among these were sent to."""
    streams = list({one.stream_id for one in entries if one.event.startswith("Invitation")})
    return dict(read.rows(_INVITED, streams)) if streams else {}


def _sessions(read: Statements, entries: Iterable[JournalEntry]) -> dict[UUID, LastFrom]:
    """The sessions entries are about, and what they last came from."""
    streams = list({one.stream_id for one in entries})
    return {one.session_id: one for one in _LAST_FROM.read_all(read.rows(_SESSIONS, streams))}
