"""A password that is changed, confirmed, forgotten or set by a link (wire.md §9, A7, A25)."""

from __future__ import annotations

from contextlib import suppress

from anyio import to_thread

from api.edge.authentication import give_cookie, password_guess
from api.edge.caller import Caller, Client, CurrentBySession
from api.edge.even_time import evened
from api.edge.limiting.wrong_passwords import forget_wrong_passwords
from domain.commands import credential
from domain.commands.credential import ChangedPassword
from domain.commands.mailed_link import request_password_reset
from domain.commands.password_reset import reset_password
from domain.email_address import canonical
from domain.mailed_link import Purpose
from domain.refusals import Conflict, SubjectGone
from domain.store.conflicts import StoreUnavailable


def change_password(
    caller: Caller, current: CurrentBySession, *, given: str, wanted: str, revoking: bool, ending_keys: bool = False
) -> ChangedPassword:
    """Replace the password; if asked, or always by the settings, all sessions begun with the old one end.

    Raises as `domain.commands.credential.change_password`, and TooManyAttempts.
    """
    services, request = caller.services, caller.request
    always = services.settings.password_change_revokes == "always"  # noqa: S105  a word, no secret
    with password_guess(services, request, current.session):
        changed = credential.change_password(
            services.context,
            current.principal,
            current=given,
            new=wanted,
            revoking=revoking or always,
            ending_keys=ending_keys,
            organization_id=current.active_organization_id,
        )
    if changed.token is not None:
        give_cookie(services, request, changed.token, remembered=caller.remembered, started_at=request.now)
    return changed


def confirm_password(current: CurrentBySession, password: str) -> None:
    """What is sensitive is open to this session for a while. Raises WrongPassword, TooManyAttempts and others."""
    with password_guess(current.services, current.request, current.session):
        credential.reauthenticate(current.services.context, current.principal, password=password)


async def have_reset_link_sent(client: Client, *, email: str, callback_url: str) -> None:
    """Have a link sent to who has this address; what comes of it, and how long it takes, tells nobody whether there is
    an account.
    """
    async with evened():
        await to_thread.run_sync(_have_reset_link_sent, client, email, callback_url)


def _have_reset_link_sent(client: Client, email: str, callback_url: str) -> None:
    services, request, address = client.services, client.request, canonical(email)
    if address is None or not services.mail_brake.admits(Purpose.PASSWORD_RESET, address):
        return
    # what only an account that there is may meet says nothing to who asks
    with suppress(Conflict, SubjectGone):
        request_password_reset(
            services.context, email=address, callback_url=callback_url, now=request.now, where_from=request.where_from
        )


def set_password_by_link(client: Client, *, link: str, password: str, ending_keys: bool) -> None:
    """Set another password by a link, and end all API keys if that is wanted.

    Raises as `domain.commands.password_reset.reset_password`.
    """
    services, request = client.services, client.request
    person = reset_password(
        services.context,
        link=link,
        password=password,
        ending_keys=ending_keys,
        now=request.now,
        where_from=request.where_from,
    )
    # the guesses of others, or one's own that led here, were at a password that is no more
    with suppress(StoreUnavailable):
        forget_wrong_passwords(
            services.counters, services.context.keyring, address=person.email or "", user_id=person.user_id
        )
