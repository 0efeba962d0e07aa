"""Signing up, in and out with e-mail and password (wire.md §9)."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from functools import cache, partial
from typing import Annotated, NotRequired
from urllib.parse import parse_qs, quote, urlsplit

from anyio import to_thread
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from api.acts.pictures_given import wanted
from api.edge.authentication import clear_cookies, give_cookie, remember_device, sign_in_guess
from api.edge.caller import CurrentCaller, CurrentClient
from api.edge.contract_route import ContractRoute
from api.edge.even_time import evened
from api.edge.json_response import JsonResponse
from api.edge.origins import forbidden_sign_in
from api.edge.problems import Problem
from api.edge.request_context import BASE_PATH, RequestContext
from api.edge.services import Services
from api.edge.session_schemes import SESSION_USED
from domain.commands import session as sessions
from domain.commands.context import EmailVerification
from domain.commands.mailed_link import note_sign_up
from domain.commands.session import SignedIn
from domain.commands.user import NewAccount, sign_up
from domain.commands.verified_account import VerifiedAccount, is_signed_up_again, verify_password
from domain.email_address import canonical
from domain.mailed_link import Purpose
from domain.passwords import HashingBusy
from domain.refusals import (
    AlreadyMember,
    Conflict,
    EmailNotVerified,
    EmailTaken,
    InvitationsOff,
    InviterGone,
    MalformedEmail,
    MemberLimitReached,
    NotTheRecipient,
    SubjectGone,
)

from . import shapes
from .answer_fields import SessionSecret
from .documented import at, documented
from .email import send_verification_to
from .fields import (
    CallbackUrl,
    EmailAddress,
    GivenAddress,
    GivenPassword,
    NewPassword,
    PersonsName,
    PictureUrl,
    RememberMe,
    picture_given_in,
)

_OF_THE_INVITATION = (NotTheRecipient, InviterGone, AlreadyMember, MemberLimitReached, InvitationsOff)

router = APIRouter(route_class=ContractRoute, prefix=BASE_PATH, tags=["account"])


class SignUp(BaseModel):
    """The body of a sign-up. Unknown fields are ignored."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [
        {"name": "Ada Lovelace", "email": "ada@example.com", "password": "correct horse 1"}
    ]})  # fmt: skip

    name: PersonsName
    email: EmailAddress
    password: Annotated[NewPassword, Field(min_length=1)]
    image: PictureUrl = ""
    callbackURL: CallbackUrl = ""
    rememberMe: RememberMe = True


class SignIn(BaseModel):
    """The body of a sign-in. Unknown fields are ignored."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [
        {"email": "ada@example.com", "password": "correct horse 1"}
    ]})  # fmt: skip

    email: GivenAddress
    password: GivenPassword
    callbackURL: CallbackUrl = ""
    rememberMe: RememberMe = True


class SignedUpAnswer(TypedDict):
    """A new account, signed in. `token` is the session's secret, as the cookie has it.

    It is null where the address has to be verified first; then nothing tells whether there was an account already.
    """

    token: SessionSecret | None
    user: shapes.User


class SignedInAnswer(TypedDict):
    """A new session. `redirect` and `url` say where the request asked to be sent."""

    redirect: bool
    token: SessionSecret
    url: NotRequired[Annotated[str, Field(examples=["/welcome"])]]
    user: shapes.User


class SignedOutAnswer(TypedDict):
    """Signed out, or there was nothing to sign out of."""

    success: bool


@router.post(
    "/sign-up/email",
    operation_id="signUpEmail",
    name="sign_up",
    summary="Open an account with its personal organization, signed in",
    responses=documented(
        SignedUpAnswer,
        "VALIDATION_ERROR",
        "PASSWORD_TOO_SHORT",
        "PASSWORD_TOO_LONG",
        "PASSWORD_COMPROMISED",
        "EMAIL_PASSWORD_SIGN_UP_DISABLED",
        "INVITATION_NOT_FOUND",
        *(at(400, refusal.code) for refusal in _OF_THE_INVITATION),
        "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL",
        "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED",
        "CONFLICT",
    ),
)
async def sign_up_with_email(client: CurrentClient, form: SignUp) -> JsonResponse:
    services, request = client.services, client.request
    _refuse_other_sites(services, request)
    hiding = services.context.rules.email_verification is EmailVerification.REQUIRED
    try:
        async with evened() if hiding else nullcontext():
            account = await to_thread.run_sync(_sign_up, services, request, form)
    except _OF_THE_INVITATION as refused:
        # whatever is wrong with the invitation, it is the request that was bad (wire.md A4)
        raise Problem.of_code(refused.code, status=400) from None
    if account.token is not None:
        _give_cookies(services, request, account.session, remembered=form.rememberMe)
    return JsonResponse(SignedUpAnswer(token=account.token, user=shapes.user(account.person)))


def _sign_up(services: Services, request: RequestContext, form: SignUp) -> NewAccount:
    """The account, as far as who asked can tell. If there is one already that is noted, where addresses are verified:
    who has it is told of it by mail if who asked is not told.
    """
    try:
        account = _open(services, request, form)
    except EmailTaken:
        if services.context.rules.email_verification is not EmailVerification.OFF:
            _note(services, request, form, telling=False)
        raise
    if account.taken:
        _note(services, request, form, telling=True)
    return account


def _note(services: Services, request: RequestContext, form: SignUp, *, telling: bool) -> None:
    """Who sends the same form twice, or again since no mail came, is the one who opened the account: they get the link
    once more instead, where they are told of nothing.
    """
    with suppress(HashingBusy):
        if is_signed_up_again(services.context, email=form.email, password=form.password):
            if telling:
                send_verification_to(services, request, form.email.lower(), callback_url=form.callbackURL)
            return
    # what only an account that there is may meet says nothing to who asks
    with suppress(Conflict, SubjectGone):
        note_sign_up(
            services.context,
            email=form.email,
            now=request.now,
            where_from=request.where_from,
            telling=telling and services.mail_brake.admits(Purpose.SIGN_UP_NOTICE, form.email.lower()),
        )


def _open(services: Services, request: RequestContext, form: SignUp) -> NewAccount:
    with picture_given_in("image"):
        return sign_up(
            services.context,
            email=form.email,
            name=form.name,
            image=wanted(form.image) or None,
            password=form.password,
            remembered=form.rememberMe,
            link=_invitation_id(form.callbackURL),
            callback_url=form.callbackURL,
            # counted once, however often it is decided
            admitted=cache(partial(services.mail_brake.admits, Purpose.EMAIL_VERIFICATION)),
            now=request.now,
            where_from=request.where_from,
        )


@router.post(
    "/sign-in/email",
    operation_id="signInEmail",
    name="sign_in",
    summary="Sign a device in",
    responses=documented(
        SignedInAnswer,
        "VALIDATION_ERROR",
        "INVALID_EMAIL",
        "PASSWORD_TOO_LONG",
        "INVALID_EMAIL_OR_PASSWORD",
        "EMAIL_NOT_VERIFIED",
        "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED",
        "CONFLICT",
    ),
)
def sign_in_with_email(client: CurrentClient, form: SignIn) -> JsonResponse:
    services, request = client.services, client.request
    _refuse_other_sites(services, request)
    address = canonical(form.email)
    if address is None:
        raise MalformedEmail
    with sign_in_guess(services, request, address) as account:
        verified = verify_password(services.context, account, form.password, now=request.now)
    _require_verified(services, request, verified, form)
    signed_in = sessions.sign_in(
        services.context, verified, remembered=form.rememberMe, now=request.now, where_from=request.where_from
    )
    _give_cookies(services, request, signed_in, remembered=form.rememberMe)
    answer = SignedInAnswer(redirect=bool(form.callbackURL), token=signed_in.token, user=shapes.user(signed_in.person))
    if not form.callbackURL:
        return JsonResponse(answer)
    return JsonResponse({**answer, "url": form.callbackURL}, headers={"Location": _header_safe(form.callbackURL)})


@router.post(
    "/sign-out",
    operation_id="signOut",
    openapi_extra=SESSION_USED,
    summary="Sign this device out",
    responses=documented(SignedOutAnswer, "CONFLICT"),
)
def sign_out(caller: CurrentCaller) -> JsonResponse:
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
    return JsonResponse(SignedOutAnswer(success=True))


def _require_verified(services: Services, request: RequestContext, verified: VerifiedAccount, form: SignIn) -> None:
    """Who has the password, but did not prove the address, gets one more link (wire.md A4). Raises EmailNotVerified."""
    required = services.context.rules.email_verification is EmailVerification.REQUIRED
    if required and not verified.account.person.email_verified:
        send_verification_to(services, request, form.email.lower(), callback_url=form.callbackURL)
        raise EmailNotVerified


def _refuse_other_sites(services: Services, request: RequestContext) -> None:
    if code := forbidden_sign_in(request.headers, services.origins):
        raise Problem.of_code(code)


def _give_cookies(services: Services, request: RequestContext, signed_in: SignedIn, *, remembered: bool) -> None:
    give_cookie(services, request, signed_in.token, remembered=remembered, started_at=request.now)
    if remembered and services.cookies.dont_remember(request.headers.get("cookie")):
        # what an earlier session in this browser asked for must not keep this one from being extended
        request.set_cookies += services.cookies.clear_dont_remember()
    if remembered:
        remember_device(services, request, signed_in.person.user_id)


def _invitation_id(callback_url: str) -> str | None:
    """The invitation a new account shall accept (wire.md A4), None if the link carries none.

    Applications that route by the fragment have their query there: `/#/join?invitationId=…`.
    """
    url = urlsplit(callback_url)
    fragment = url.fragment.partition("?")[2] or url.fragment
    given = [*parse_qs(url.query).get("invitationId", []), *parse_qs(fragment).get("invitationId", [])]
    return next(iter(given), None)


def _header_safe(url: str) -> str:
    """The URL as a header may carry it: what is not ASCII percent-encoded, the rest as it was."""
    return quote(url, safe="%/:?#[]@!$&'()*+,;=~ ").replace(" ", "%20")
