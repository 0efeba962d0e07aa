"""Deleting one's account by a link that goes to its address (wire.md §9)."""

from __future__ import annotations

from collections.abc import Callable

from domain.mailed_link import DELETION_LIFETIME, AccountDeletionRequested, MailedLink, Purpose
from domain.passwords import require_not_too_long
from domain.refusals import LinkExpired, LinkNotFound
from domain.store import Loaded
from domain.store.conflicts import retry_on_conflict

from .context import Context, hashed_once
from .mailed_link import sending
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
    admitted: Callable[[], bool] = lambda: True,
) -> None:
    """Have a link sent to the account's address, by which its person deletes it, signed in; a password is looked at.

    Whether the address may get one more message is asked (`admitted`) only after that: a wrong password sends none.
    Raises PasswordTooLong, WrongPassword, NoPassword, SessionOver, SubjectGone, HashingBusy, Conflict.
    """
    loaded, [before] = load_by_session(context, principal, link_for(principal.user_id, Purpose.ACCOUNT_DELETION))
    if password is not None:
        require_not_too_long(password)
        confirm_password(context, loaded.user, password, now=principal.at)
    if not admitted():
        return
    user = loaded.user.state
    requested = sending(
        context,
        before,
        loaded.subject,
        lambda link_hash: AccountDeletionRequested(
            user_id=principal.user_id,
            email_hash=user.email_hash,
            session_epoch=user.session_epoch,
            link_hash=link_hash,
            expires_at=principal.at + DELETION_LIFETIME,
            callback_url=callback_url,
        ),
    )
    context.store.append(record_of(principal), loaded.subject, requested, guards=loaded.guards)


def deletion_link(context: Context, loaded: LoadedBySession, link: str) -> Loaded[MailedLink]:
    """The link by which the person who brings it may delete their account: theirs, in time, the newest.

    Raises LinkNotFound.
    """
    [mailed] = context.store.find(link_mailed(context.keyring.link_hash(link)))
    user = loaded.user.state
    if (
        mailed is None
        or mailed.state.purpose is not Purpose.ACCOUNT_DELETION
        or mailed.state.user_id != loaded.user.stream_id
        or (mailed.state.session_epoch, mailed.state.email_hash) != (user.session_epoch, user.email_hash)
    ):
        raise LinkNotFound
    try:
        mailed.state.use(now=loaded.principal.at)
    except LinkExpired:
        raise LinkNotFound from None
    return mailed
