"""Deleting one's account by a link that goes to its address (wire.md §9)."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from domain.mailed_link import DELETION_LIFETIME, AccountDeletionRequested, MailedLink, Purpose
from domain.passwords import require_not_too_long
from domain.refusals import LinkExpired, LinkNotFound, SubjectGone
from domain.store import Loaded
from domain.store.conflicts import retry_on_conflict

from .context import Context, hashed_once
from .lookups import OfferToUndo
from .mailed_link import address_offered_back, sending
from .principal import LoadedBySession, PersonBySession, load_by_session, record_of
from .queries import link_for, link_mailed
from .verified_account import confirm_password


@hashed_once
@retry_on_conflict
def request_deletion(
    context: Context,
    principal: PersonBySession,
    *,
    password: str | None,
    callback_url: str,
    admitted: Callable[[str], bool] = lambda _address: True,
) -> bool:
    """Have a link sent by which an account's person deletes it, signed in; a password is looked at.

    It goes to the account's address, but while a change of that can be undone to who had it before: whether to an
    address of before is returned. Whether the address may get one more message is asked (`admitted`) only after that: a
    wrong password sends none. Raises PasswordTooLong, WrongPassword, NoPassword, SessionOver, SubjectGone, HashingBusy,
    Conflict.
    """
    loaded, [before] = load_by_session(context, principal, link_for(principal.user_id, Purpose.ACCOUNT_DELETION))
    if password is not None:
        require_not_too_long(password)
        confirm_password(context, loaded.user, password, now=principal.at)
    user, offer = loaded.user.state, context.lookups.oldest_offer_to_undo(principal.user_id, now=principal.at)
    address = _address(context, principal.user_id, offer)
    elsewhere = offer is not None and offer.email_hash != user.email_hash
    if not admitted(address):
        return elsewhere
    record = record_of(principal)
    requested = sending(
        context,
        record.command_id,
        before,
        loaded.subject,
        lambda link_hash: AccountDeletionRequested(
            user_id=principal.user_id,
            email_hash=user.email_hash if offer is None else offer.email_hash,
            session_epoch=user.session_epoch,
            link_hash=link_hash,
            expires_at=principal.at + DELETION_LIFETIME,
            callback_url=callback_url,
            offer_id=offer.mailed_link_id if offer is not None and elsewhere else None,
        ),
    )
    context.store.append(record, loaded.subject, requested, guards=loaded.guards)
    return elsewhere


def _address(context: Context, user_id: UUID, offer: OfferToUndo | None) -> str:
    """Where the link goes. Raises SubjectGone."""
    if offer is not None:
        address = address_offered_back(context.store, offer.mailed_link_id)
    else:
        account = context.lookups.account(user_id)
        address = None if account is None else account.person.email
    if address is None:
        raise SubjectGone
    return address


def deletion_link(context: Context, loaded: LoadedBySession, link: str) -> Loaded[MailedLink]:
    """The link by which the person who brings it may delete their account: theirs, in time, the newest.

    It must have gone to where it would go now: offers to undo are made, taken up and withdrawn by commands that also
    change the account, which is a guard of whoever asks this. Raises LinkNotFound.
    """
    [mailed] = context.store.find(link_mailed(context.keyring.link_hash(link)))
    user = loaded.user.state
    offer = context.lookups.oldest_offer_to_undo(loaded.user.stream_id, now=loaded.principal.at)
    email_hash = user.email_hash if offer is None else offer.email_hash
    if (
        mailed is None
        or mailed.state.purpose is not Purpose.ACCOUNT_DELETION
        or mailed.state.user_id != loaded.user.stream_id
        or (mailed.state.session_epoch, mailed.state.email_hash) != (user.session_epoch, email_hash)
    ):
        raise LinkNotFound
    try:
        mailed.state.use(now=loaded.principal.at)
    except LinkExpired:
        raise LinkNotFound from None
    return mailed
