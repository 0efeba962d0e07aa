"""Commands that delete an account, and with it what was personal: by the person themselves, or by an operator.

docs/decisions/0049-erasure.md says what that reaches, and what it cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from domain.events.catalogue import USER
from domain.mailed_link import MailedLink
from domain.passwords import require_not_too_long
from domain.refusals import SubjectGone
from domain.store import HeldKeys, Loaded, Reading
from domain.store.conflicts import StreamMovedOn, retry_on_conflict
from domain.store.erasure import bid_farewell, record, sweep

from .context import Context, hashed_once
from .deletion_request import deletion_link
from .leaving import Leaving, SentBefore, history_of, invitations_with, keys_held, leaving
from .principal import Operator, PersonBySession, Principal, load_by_session, record_of
from .queries import the_account, the_mailed_link
from .verified_account import confirm_password

NOTHING_MORE: Mapping[bytes, SentBefore] = MappingProxyType({})
CountersOf = Callable[[UUID, Sequence[str]], Sequence[bytes]]
"""The keys of the rate limits that count for a person, or for an address of theirs."""


def uncounted(_user_id: UUID, _addresses: Sequence[str]) -> Sequence[bytes]:
    """Nothing was counted."""
    return ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Erased:
    """Somebody was erased: when, and how many rows of which table that took."""

    user_id: UUID
    at: datetime
    touched: Mapping[str, int]


@hashed_once
@retry_on_conflict
def delete_account(
    context: Context,
    principal: PersonBySession,
    *,
    password: str | None,
    link: str | None = None,
    counters: CountersOf = uncounted,
) -> Erased:
    """Delete one's own account, by a link that was sent for it, or with the password, or else through a fresh session
    (wire.md §9, A3, A8).

    Where they came from is not kept: its key ends here. Raises LinkNotFound, PasswordTooLong, WrongPassword,
    NoPassword, SessionNotFresh, LastOwner, SessionOver, SubjectGone, HashingBusy, Conflict.
    """
    loaded, _ = load_by_session(context, principal)
    guards = loaded.guards
    if link is not None:
        guards.append(deletion_link(context, loaded, link))
    elif password is None:
        loaded.require_fresh(context)
    else:
        require_not_too_long(password)
        confirm_password(context, loaded.user, password, now=principal.at)
    return _erase(context, replace(principal, where_from=None), principal.user_id, counters, guards=guards)


@retry_on_conflict
def erase_person(
    context: Context,
    principal: Operator,
    *,
    user_id: UUID,
    counters: CountersOf = uncounted,
    closing: bool = False,
    certificate: str | None = None,
    email_hashes: Mapping[bytes, SentBefore] = NOTHING_MORE,
) -> Erased:
    """Delete somebody's account, as the operator may, `closing` also what others belong to and they alone own.

    `certificate` is what was issued for it before a backup was restored, `email_hashes` are of the addresses that they
    had then, as in `PersonsHistory`: the backup need not know all. Of those that it knows it says until when they were
    theirs. Raises LastOwner, SubjectGone if there is no such account any more, Conflict.
    """
    return _erase(
        context,
        principal,
        user_id,
        counters,
        closing=closing,
        certificate=certificate,
        email_hashes=email_hashes,
    )


@retry_on_conflict
def forget_invitations(
    context: Context, principal: Operator, *, user_id: UUID, email_hashes: Collection[bytes], erased_at: datetime
) -> int:
    """End the invitations to addresses that a person had who was erased then; how many those were.

    Where a backup was restored that is older than the account; nothing if the account is, or was, there. What was sent
    afterwards is for who has the address now. Raises Conflict.
    """
    if context.store.find(the_account(user_id)) != [None]:
        return 0
    command, forgotten = record_of(principal), list[UUID]()

    def whose(reading: Reading) -> list[UUID]:
        return context.lookups.invitations_ever_to(user_id, dict.fromkeys(email_hashes, erased_at), reading=reading)

    def steps(held: HeldKeys) -> None:
        loaded = invitations_with(context, whose(held), held)
        if not {one.stream_id for one in loaded} <= held.subjects.keys():
            raise StreamMovedOn
        forgotten[:] = [one.stream_id for one in loaded]
        if loaded:
            additions = [one.with_events(one.state.erase_recipient(user_id)) for one in loaded]
            context.store.append_under(held, command, None, *additions, destroyed=forgotten)

    if whose(context.store.statements):
        context.store.under_keys(command, whose, steps)
    return len(forgotten)


def foreseen(context: Context, user_id: UUID, *, closing: bool = False) -> Leaving:
    """What erasing somebody would take now. Raises LastOwner, SubjectGone, StreamMovedOn."""
    reading = context.store.statements
    return leaving(context, user_id, history_of(context, _account(context, user_id)), reading, closing=closing)


def addresses_hashed(context: Context, user_id: UUID) -> Collection[bytes]:
    """The keyed hashes of the addresses that were somebody's who may be erased. Raises NoSuchStream."""
    return history_of(context, context.store.load(USER, user_id)).email_hashes.keys()


def _erase(
    context: Context,
    principal: Principal,
    user_id: UUID,
    counters: CountersOf,
    *,
    guards: Iterable[Loaded[Any]] = (),
    closing: bool = False,
    certificate: str | None = None,
    email_hashes: Mapping[bytes, SentBefore] = NOTHING_MORE,
) -> Erased:
    """All of it in one transaction, under the locks of every key that it takes (docs/decisions/0037)."""
    # opened before its key is locked and destroyed; that it is still all there is, is found out under the lock
    history = history_of(context, _account(context, user_id))
    history = replace(history, email_hashes={**email_hashes, **history.email_hashes})
    command, guards, touched = record_of(principal), list(guards), dict[str, int]()
    counted_by = counters(user_id, history.addresses)

    def steps(held: HeldKeys) -> None:
        plan = leaving(context, user_id, history, held, closing=closing)
        offer = _offer_to_undo(context, user_id, held, now=command.at)
        if offer is not None:
            plan.add(offer, offer.state.lapse())
        if plan.user.version != history.version or not plan.destroyed <= held.subjects.keys():
            # more came while the keys were locked
            raise StreamMovedOn
        context.store.append_under(
            held,
            command,
            None,
            *plan.additions,
            guards=[*guards, *plan.guards],
            writes=plan.writes,
            blanked=plan.blanked,
            destroyed=plan.destroyed,
        )
        version = plan.user.version + 1
        swept = sweep(held, user_id, session_ids=[*plan.session_ids, *plan.api_key_ids], counters=counted_by)
        touched.update(plan.counted | swept)
        record(held, user_id, version=version, erased_at=command.at, touched=touched, certificate=certificate)
        if history.addresses and certificate is None:
            # who was erased before a backup was restored was told then
            _bid_farewell(context, held, history.addresses[-1], user_id, version)
            for address in history.addresses:
                if offer is not None and context.keyring.email_hash(address) == offer.state.email_hash:
                    _bid_farewell(context, held, address, offer.stream_id, offer.version + 1)

    context.store.under_keys(command, lambda reading: keys_held(context, user_id, history, reading), steps)
    return Erased(user_id=user_id, at=command.at, touched=touched)


def _offer_to_undo(context: Context, user_id: UUID, reading: Reading, *, now: datetime) -> Loaded[MailedLink] | None:
    """The offer to who had the account's address first and can still have it back: they are told of its end."""
    offer = context.lookups.oldest_offer_to_undo(user_id, now=now, reading=reading)
    return None if offer is None else context.store.find(the_mailed_link(offer.mailed_link_id), reading=reading)[0]


def _bid_farewell(context: Context, held: HeldKeys, address: str, stream_id: UUID, version: int) -> None:
    """To one address, of the event that says it."""
    sealed = context.keyring.seal_address(address, stream_id=stream_id, version=version)
    bid_farewell(held, stream_id, version, sealed)


def _account(context: Context, user_id: UUID) -> Loaded[Any]:
    [user] = context.store.find(the_account(user_id))
    if user is None or user.state.closed:
        raise SubjectGone
    return user
