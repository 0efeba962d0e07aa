"""What becomes of all that a person had a part in when their account is deleted, decided from rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar
from unicodedata import normalize
from uuid import UUID

from domain.events.catalogue import INVITATION
from domain.invitation import Invitation, Status
from domain.mailed_link import Purpose
from domain.organization import NEUTRAL_NAME, Organization, personal_name
from domain.refusals import LastOwner, SubjectGone
from domain.store import Addition, Blanked, Loaded, Reading, StreamQuery
from domain.store.conflicts import StreamMovedOn
from domain.store.pictures import no_picture
from domain.store.rows import Write
from domain.user import EmailChanged, EmailRestored, EmailVerified, User

from .context import Context, EmailVerification
from .lookups import Belonging
from .queries import link_for, the_account, the_membership, the_organization

T = TypeVar("T")
SentBefore = datetime | None
"""Of an address that somebody had: what was sent there before that was for them; None if all was."""
CLOCKS = timedelta(minutes=5)
"""By so much the clocks of two nodes may differ: an invitation and what it is compared with are dated by one each."""
_A_LETTER_OR_TWO = 2
_AT_ONCE = 8
"""Streams found by one query: each is a join."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonsHistory:
    """What a person's own events say, up to a version of their stream: each address and name they ever had.

    `email_hashes` are of the addresses that were theirs, as far as anybody asked: not of one that they were to prove
    and did not. Whoever signs up with an address need not have it, and ends nothing then that was sent there. With each
    of them stands until when it was theirs, where they gave it up: what is sent there afterwards is for whoever comes
    after them.
    """

    version: int
    addresses: Sequence[str]
    email_hashes: Mapping[bytes, SentBefore]
    names: Collection[str]


@dataclass(slots=True)
class Leaving:
    """All of one append that a person's going takes, and which keys end with it.

    `counted` are the rows of each table that change, `effects` what a person would want to know of before.
    """

    user: Loaded[User]
    additions: list[Addition] = field(default_factory=list)
    guards: list[Loaded[Any]] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    blanked: list[Blanked] = field(default_factory=list)
    destroyed: set[UUID] = field(default_factory=set)
    session_ids: list[UUID] = field(default_factory=list)
    api_key_ids: list[UUID] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    effects: Counter[str] = field(default_factory=Counter)

    def add(self, loaded: Loaded[Any], events: Sequence[Any]) -> None:
        """These events happen to a stream."""
        self.additions.append(loaded.with_events(events))
        self.counted[_TABLES[loaded.aggregate.name]] += 1


_TABLES = {
    "user": "account_list",
    "organization": "organization_list",
    "membership": "member_list",
    "invitation": "invitation_list",
    "mailed_link": "mailed_link_list",
}


def history_of(context: Context, user: Loaded[User]) -> PersonsHistory:
    """Read of every event of theirs that can be read: whichever says an address or a name."""
    addresses, names = dict[str, None](), set[str]()
    had, proved, current = dict[bytes, SentBefore]({user.state.email_hash: None}), set[bytes](), user.state.email_hash
    places = [(user.stream_id, version) for version in range(1, user.version + 1)]
    for _, recorded in sorted(context.store.readable(places), key=lambda one: one[1].version):
        said = vars(recorded.event)
        if email := said.get("email"):
            # the last one is the one they have
            addresses.pop(email, None)
            addresses[email] = None
        if email_hash := said.get("email_hash"):
            had[current] = recorded.at + CLOCKS
            current = email_hash
            had[current] = None
        if isinstance(recorded.event, EmailVerified | EmailChanged | EmailRestored):
            proved.add(current)
        if name := said.get("name"):
            names.add(name)
    # whatever cannot be read: it is the one they have
    had[user.state.email_hash] = None
    asked = _to_be_proved(context, user.stream_id)
    theirs = {email_hash: until for email_hash, until in had.items() if not asked or email_hash in proved}
    return PersonsHistory(version=user.version, addresses=list(addresses), email_hashes=theirs, names=names)


def _to_be_proved(context: Context, user_id: UUID) -> bool:
    """Whether people are to prove their addresses, or this person was."""
    if context.rules.email_verification is not EmailVerification.OFF:
        return True
    return context.store.find(link_for(user_id, Purpose.EMAIL_VERIFICATION)) != [None]


def keys_held(context: Context, user_id: UUID, history: PersonsHistory, reading: Reading) -> set[UUID]:
    """The keys that are sealed with or destroyed when this person goes, as far as is committed."""
    belongings = context.lookups.belongings(user_id, reading=reading)
    return {
        *context.lookups.keys_of_a_person(user_id, reading=reading),
        *context.lookups.invitations_ever_to(user_id, history.email_hashes, reading=reading),
        *(one.organization_id for one in belongings if one.named_after or not one.shared),
    }


def leaving(
    context: Context, user_id: UUID, history: PersonsHistory, reading: Reading, *, closing: bool = False
) -> Leaving:
    """What is written when this person goes, as things stand where it is read.

    Each question is answered as of its own moment: what does not fit together is decided again. Nobody can join an
    organization meanwhile that is to close since nobody else is in it: every invitation to it that could be accepted is
    the person's own, and each of those is taken back at the version it was read at. `closing` also ends what others
    belong to and nobody else owns. Raises LastOwner otherwise, StreamMovedOn, and SubjectGone if they have gone
    already.
    """
    [user] = context.store.find(the_account(user_id), reading=reading)
    if user is None or user.state.closed:
        raise SubjectGone
    plan = Leaving(user)
    plan.add(user, user.state.erase())
    plan.destroyed.update(context.lookups.keys_of_a_person(user_id, reading=reading))
    _organizations(context, plan, history, reading, closing=closing)
    _invitations(context, plan, history, reading)
    kept = {one.stream_id for one in plan.additions} - plan.destroyed
    for row in context.lookups.rows_of_a_person(user_id, reading=reading):
        if row.key not in kept:
            plan.blanked.append(row)
            plan.counted[row.table.name] += row.key not in {one.stream_id for one in plan.additions}
    plan.session_ids = context.lookups.sessions_ever_of(user_id, reading=reading)
    plan.api_key_ids = context.lookups.keys_ever_of(user_id, reading=reading)
    plan.counted["subject_keys"] = len(plan.destroyed)
    plan.counted["pictures"] = context.lookups.pictures_of(plan.destroyed, reading=reading)
    plan.effects["sessions"] = len(plan.session_ids)
    plan.effects["API keys"] = len(plan.api_key_ids)
    return plan


def _organizations(
    context: Context, plan: Leaving, history: PersonsHistory, reading: Reading, *, closing: bool
) -> None:
    belongings = context.lookups.belongings(plan.user.stream_id, reading=reading)
    touched = [one for one in belongings if _touches(one, history)]
    found = _found(context, (the_organization(one.organization_id) for one in touched), reading)
    for one, organization in zip(touched, found, strict=True):
        if one.open == organization.state.closed:
            raise StreamMovedOn
        if one.open and one.membership_id is not None and one.others:
            if closing and organization.state.owners == {plan.user.stream_id}:
                _close(plan, one, organization)
            else:
                _leave(context, plan, one, organization, history, reading)
        elif one.open and one.others:
            plan.add(organization, _neutral(one, organization.state, history))
        else:
            _close(plan, one, organization)


def _touches(one: Belonging, history: PersonsHistory) -> bool:
    """Whether anything becomes of it: what the person left long ago, and what was closed, stays as it is."""
    if one.open:
        return one.membership_id is not None or _is_named_after(one, history)
    return not one.shared and not one.theirs


def _leave(
    context: Context,
    plan: Leaving,
    one: Belonging,
    organization: Loaded[Organization],
    history: PersonsHistory,
    reading: Reading,
) -> None:
    """Who goes from where others stay must not have been its only owner."""
    assert one.membership_id is not None, "of a living member"
    [membership] = context.store.find(the_membership(one.membership_id), reading=reading)
    if membership is None or membership.state.ended:
        raise StreamMovedOn
    plan.add(membership, membership.state.leave())
    plan.effects["memberships"] += 1
    try:
        owners = organization.state.remove_owner(plan.user.stream_id)
    except LastOwner:
        if one not in context.lookups.belongings(plan.user.stream_id, reading=reading):
            # the others are gone since it was asked whether there are any
            raise StreamMovedOn from None
        raise
    changed = [*owners, *_neutral(one, organization.state_after(owners), history)]
    if changed:
        plan.add(organization, changed)
        plan.destroyed.discard(organization.stream_id)
    else:
        plan.guards.append(organization)


def _close(plan: Leaving, one: Belonging, organization: Loaded[Organization]) -> None:
    """An organization without anybody ends; of one that nobody else ever belonged to, what was typed goes too."""
    if one.theirs or one.shared:
        plan.add(organization, organization.state.close())
        plan.writes.append(no_picture(organization.stream_id))
    else:
        plan.add(organization, organization.state.erase(plan.user.stream_id))
        if organization.subject is not None and not organization.subject.new and not organization.subject.lost:
            plan.destroyed.add(organization.stream_id)
    plan.effects["organizations"] += one.open


def _neutral(one: Belonging, organization: Organization, history: PersonsHistory) -> list[Any]:
    return organization.rename(NEUTRAL_NAME, before=one.name) if _is_named_after(one, history) else []


def _is_named_after(one: Belonging, history: PersonsHistory) -> bool:
    """Whether an organization that came with the account still goes by a name, or an address, of the person's."""
    if not one.named_after or one.name is None:
        return False
    called = [*history.names, *(address.partition("@")[0] for address in history.addresses)]
    return any(_carries(_plain(one.name), _plain(name)) for name in called if name.strip())


def _carries(name: str, called: str) -> bool:
    """Whether an organization's name has a person's in it; a letter or two are in any word."""
    return called in name if len(called) > _A_LETTER_OR_TWO else name == _plain(personal_name(called))


def _plain(name: str) -> str:
    return normalize("NFKC", name).casefold()


def _invitations(context: Context, plan: Leaving, history: PersonsHistory, reading: Reading) -> None:
    """Those to the person end with their addresses, those from the person are taken back."""
    user_id = plan.user.stream_id
    to_them = context.lookups.invitations_ever_to(user_id, history.email_hashes, reading=reading)
    for invitation in invitations_with(context, to_them, reading):
        plan.add(invitation, invitation.state.erase_recipient(user_id))
        plan.destroyed.add(invitation.stream_id)
    plan.effects["invitations to the person"] = len(to_them)
    from_them = context.lookups.invitations_pending_from(user_id, reading=reading)
    taken_back = [one for one in from_them if one not in set(to_them)]
    for invitation in invitations_with(context, taken_back, reading):
        if invitation.state.status is not Status.PENDING:
            raise StreamMovedOn
        plan.add(invitation, invitation.state.cancel())
    plan.effects["invitations from the person"] = len(taken_back)


def invitations_with(context: Context, ids: Iterable[UUID], reading: Reading) -> list[Loaded[Invitation]]:
    """The invitations with these ids."""
    return _found(context, (StreamQuery(INVITATION, {"invitation_id": one}) for one in ids), reading)


def _found(context: Context, queries: Iterable[StreamQuery[Any]], reading: Reading) -> list[Loaded[Any]]:
    """The streams of rows that are there."""
    found = list[Loaded[Any]]()
    for some in _parts(queries):
        for one in context.store.find(*some, reading=reading):
            assert one is not None, "its row is never deleted"
            found.append(one)
    return found


def _parts(given: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(given)
    while part := list(islice(rest, _AT_ONCE)):
        yield part
