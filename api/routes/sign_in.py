"""Signing up, in and out with e-mail and password (wire.md §9)."""

from __future__ import annotations

from typing import Annotated, NotRequired
from urllib.parse import parse_qs, quote, urlsplit

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from api.edge.admission import Calling, clear_cookies, give_cookie, guessing, remember_device
from api.edge.answers import Answer
from api.edge.daybook import Daybook, daybook_of
from api.edge.origins import forbidden_sign_in
from api.edge.problems import Problem
from api.edge.visit import BASE_PATH, Visit, visit_of
from domain.commands import session as sessions
from domain.commands.credential import verified_account
from domain.commands.session import SignedIn
from domain.commands.user import sign_up
from domain.refusals import AlreadyMember, InvitationsOff, InviterGone, MemberLimitReached, NotTheRecipient

from . import shapes
from .documented import documented
from .fields import EmailAddress, ImageUrl, PersonsName

router = APIRouter(prefix=BASE_PATH, tags=["account"])


class SignUp(BaseModel):
    """The body of a sign-up. Unknown fields are ignored."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [
        {"name": "Ada Lovelace", "email": "ada@example.com", "password": "correct horse 1"}
    ]})  # fmt: skip

    name: PersonsName
    email: EmailAddress
    password: Annotated[str, Field(min_length=1)]
    image: ImageUrl = ""
    callbackURL: str = ""
    rememberMe: bool = True


class SignIn(BaseModel):
    """The body of a sign-in. Unknown fields are ignored."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [
        {"email": "ada@example.com", "password": "correct horse 1"}
    ]})  # fmt: skip

    email: str
    password: str
    callbackURL: str = ""
    rememberMe: bool = True


class SignedUpAnswer(TypedDict):
    """A new account, signed in. `token` is the session's secret, as the cookie has it."""

    token: str
    user: shapes.User


class SignedInAnswer(TypedDict):
    """A new session. `redirect` and `url` say where the request asked to be sent."""

    redirect: bool
    token: str
    url: NotRequired[str]
    user: shapes.User


class SignedOutAnswer(TypedDict):
    """Signed out, or there was nothing to sign out of."""

    success: bool


@router.post(
    "/sign-up/email",
    name="sign_up",
    summary="Open an account with its personal organization, signed in",
    responses=documented(
        SignedUpAnswer,
        "VALIDATION_ERROR",
        "PASSWORD_TOO_SHORT",
        "PASSWORD_TOO_LONG",
        "EMAIL_PASSWORD_SIGN_UP_DISABLED",
        "INVITATION_NOT_FOUND",
        "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL",
        "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED",
        "CONFLICT",
    ),
)
def sign_up_with_email(request: Request, form: SignUp) -> Answer:
    daybook, visit = daybook_of(request), visit_of(request)
    _refuse_other_sites(daybook, visit)
    try:
        signed_in = _sign_up(daybook, visit, form)
    except (NotTheRecipient, InviterGone, AlreadyMember, MemberLimitReached, InvitationsOff) as refused:
        # whatever is wrong with the invitation, it is the request that was bad (wire.md A4)
        raise Problem.of_code(refused.code, status=400) from None
    _give_cookies(daybook, visit, signed_in, remembered=form.rememberMe)
    return Answer(SignedUpAnswer(token=signed_in.token, user=shapes.user(signed_in.person)))


def _sign_up(daybook: Daybook, visit: Visit, form: SignUp) -> SignedIn:
    return sign_up(
        daybook.context,
        email=form.email,
        name=form.name,
        image=form.image or None,
        password=form.password,
        remembered=form.rememberMe,
        link=_invitation_id(form.callbackURL),
        now=visit.now,
        where_from=visit.where_from,
    )


@router.post(
    "/sign-in/email",
    name="sign_in",
    summary="Sign a device in",
    responses=documented(
        SignedInAnswer,
        "VALIDATION_ERROR",
        "INVALID_EMAIL",
        "PASSWORD_TOO_LONG",
        "INVALID_EMAIL_OR_PASSWORD",
        "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED",
        "CONFLICT",
    ),
)
def sign_in_with_email(request: Request, form: SignIn) -> Answer:
    daybook, visit = daybook_of(request), visit_of(request)
    _refuse_other_sites(daybook, visit)
    with guessing(daybook, visit, form.email):
        account = verified_account(daybook.context, email=form.email, password=form.password)
    signed_in = sessions.sign_in(
        daybook.context, account, remembered=form.rememberMe, now=visit.now, where_from=visit.where_from
    )
    _give_cookies(daybook, visit, signed_in, remembered=form.rememberMe)
    answer = SignedInAnswer(redirect=bool(form.callbackURL), token=signed_in.token, user=shapes.user(signed_in.person))
    if not form.callbackURL:
        return Answer(answer)
    return Answer({**answer, "url": form.callbackURL}, headers={"Location": _header_safe(form.callbackURL)})


@router.post("/sign-out", summary="Sign this device out", responses=documented(SignedOutAnswer, "CONFLICT"))
def sign_out(calling: Calling) -> Answer:
    daybook, visit, shown = calling.daybook, calling.visit, calling.shown
    # a second live cookie of the same name would otherwise be what the browser shows next
    for session in (shown.session, *shown.others):
        if session is not None:
            sessions.sign_out(
                daybook.context, session_id=session.session_id, now=visit.now, where_from=visit.where_from
            )
    for session_id in shown.run_out:
        sessions.expire(daybook.context, session_id=session_id, now=visit.now)
    clear_cookies(daybook, visit)
    return Answer(SignedOutAnswer(success=True))


def _refuse_other_sites(daybook: Daybook, visit: Visit) -> None:
    if code := forbidden_sign_in(visit.headers, daybook.origins):
        raise Problem.of_code(code)


def _give_cookies(daybook: Daybook, visit: Visit, signed_in: SignedIn, *, remembered: bool) -> None:
    give_cookie(daybook, visit, signed_in.token, remembered=remembered, started_at=visit.now)
    if remembered and daybook.cookies.dont_remember(visit.headers.get("cookie")):
        # what an earlier session in this browser asked for must not keep this one from being extended
        visit.set_cookies.append(daybook.cookies.clear()[-1])
    if remembered:
        remember_device(daybook, visit, signed_in.person.user_id)


def _invitation_id(callback_url: str) -> str | None:
    """The invitation a new account shall accept (wire.md A4), None if the link carries none."""
    return next(iter(parse_qs(urlsplit(callback_url).query).get("invitationId", [])), None)


def _header_safe(url: str) -> str:
    """The URL as a header may carry it: what is not ASCII percent-encoded, the rest as it was."""
    return quote(url, safe="%/:?#[]@!$&'()*+,;=~ ").replace(" ", "%20")
