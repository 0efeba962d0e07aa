"""Opening an account, signing in and out, with the cookies that come of it (wire.md §9)."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from functools import cache, partial

from anyio import to_thread

from api.edge.authentication import clear_cookies, give_cookie, remember_device, sign_in_guess
from api.edge.caller import Caller, Client
from api.edge.even_time import evened
from domain.commands import session as sessions
from domain.commands.context import EmailVerification
from domain.commands.mailed_link import note_sign_up
from domain.commands.session import SignedIn
from domain.commands.user import NewAccount, sign_up
from domain.commands.verified_account import VerifiedAccount, is_signed_up_again, verify_password
from domain.email_address import canonical
from domain.mailed_link import Purpose
from domain.passwords import HashingBusy
from domain.pictures import Picture
from domain.refusals import Conflict, EmailNotVerified, EmailTaken, MalformedEmail, SubjectGone

from .verification import have_verification_sent


@dataclass(frozen=True, kw_only=True, slots=True)
class Application:
    """What somebody wants an account with: `link` is the invitation they came by, `callback_url` where they want to."""

    email: str
    name: str
    password: str = field(repr=False)
    image: Picture | str | None = None
    remembered: bool = True
    link: str | None = None
    callback_url: str = ""


async def open_account(client: Client, application: Application) -> NewAccount:
    """The account, signed in; as far as who asked can tell, where addresses are to be proved first (wire.md A4).

    Who has the address already is told of it by mail then. Raises as `domain.commands.user.sign_up`.
    """
    hiding = client.services.context.rules.email_verification is EmailVerification.REQUIRED
    async with evened() if hiding else nullcontext():
        account = await to_thread.run_sync(_open, client, application)
    if account.token is not None:
        _give_cookies(client, account.session, remembered=application.remembered)
    return account


def _open(client: Client, application: Application) -> NewAccount:
    """The account. If there is one already that is noted, where addresses are verified: who has it is told of it by
    mail if who asked is not told.
    """
    try:
        account = _sign_up(client, application)
    except EmailTaken:
        if client.services.context.rules.email_verification is not EmailVerification.OFF:
            _note(client, application, telling=False)
        raise
    if account.taken:
        _note(client, application, telling=True)
    return account


def _note(client: Client, application: Application, *, telling: bool) -> None:
    """Who sends the same form twice, or again since no mail came, is the one who opened the account: they get the link
    once more instead, where they are told of nothing.
    """
    services, request, address = client.services, client.request, application.email.lower()
    with suppress(HashingBusy):
        if is_signed_up_again(services.context, email=address, password=application.password):
            if telling:
                have_verification_sent(client, address, callback_url=application.callback_url)
            return
    # what only an account that there is may meet says nothing to who asks
    with suppress(Conflict, SubjectGone):
        note_sign_up(
            services.context,
            email=address,
            now=request.now,
            where_from=request.where_from,
            telling=telling and services.mail_brake.admits(Purpose.SIGN_UP_NOTICE, address),
        )


def _sign_up(client: Client, application: Application) -> NewAccount:
    services, request = client.services, client.request
    return sign_up(
        services.context,
        email=application.email,
        name=application.name,
        image=application.image,
        password=application.password,
        remembered=application.remembered,
        link=application.link,
        callback_url=application.callback_url,
        # counted once, however often it is decided
        admitted=cache(partial(services.mail_brake.admits, Purpose.EMAIL_VERIFICATION)),
        now=request.now,
        where_from=request.where_from,
    )


def sign_in(client: Client, *, email: str, password: str, remembered: bool, callback_url: str) -> SignedIn:
    """A new session of the account with this address and password.

    Raises MalformedEmail, PasswordTooLong, WrongCredentials, TooManyAttempts, EmailNotVerified (and one more link is
    sent), HashingBusy, Conflict.
    """
    services, request, address = client.services, client.request, canonical(email)
    if address is None:
        raise MalformedEmail
    with sign_in_guess(services, request, address) as account:
        verified = verify_password(services.context, account, password, now=request.now)
    _require_verified(client, verified, address, callback_url)
    signed_in = sessions.sign_in(
        services.context, verified, remembered=remembered, now=request.now, where_from=request.where_from
    )
    _give_cookies(client, signed_in, remembered=remembered)
    return signed_in


def sign_out(caller: Caller) -> None:
    """End the session that is shown, and every other live one beside it. Raises Conflict."""
    services, request, shown = caller.services, caller.request, caller.presented
    # a second live cookie of the same name would otherwise be what the browser shows next
    for session in (shown.session, *shown.others):
        if session is not None:
            sessions.sign_out(
                services.context, session_id=session.session_id, now=request.now, where_from=request.where_from
            )
    for session_id in shown.run_out:
        sessions.expire(services.context, session_id=session_id, now=request.now)
    clear_cookies(services, request)


def _require_verified(client: Client, verified: VerifiedAccount, address: str, callback_url: str) -> None:
    """Who has the password, but did not prove the address, gets one more link (wire.md A4). Raises EmailNotVerified."""
    required = client.services.context.rules.email_verification is EmailVerification.REQUIRED
    if required and not verified.account.person.email_verified:
        have_verification_sent(client, address, callback_url=callback_url)
        raise EmailNotVerified


def _give_cookies(client: Client, signed_in: SignedIn, *, remembered: bool) -> None:
    services, request = client.services, client.request
    give_cookie(services, request, signed_in.token, remembered=remembered, started_at=request.now)
    if remembered and services.cookies.dont_remember(request.headers.get("cookie")):
        # what an earlier session in this browser asked for must not keep this one from being extended
        request.set_cookies += services.cookies.clear_dont_remember()
    if remembered:
        remember_device(services, request, signed_in.person.user_id)
