"""Signing up, in and out with e-mail and password (wire.md §9)."""

from __future__ import annotations

from typing import Annotated, NotRequired
from urllib.parse import parse_qs, quote, urlsplit

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from api.acts import ways_in
from api.acts.pictures_given import wanted
from api.acts.ways_in import Application
from api.edge.caller import Client, CurrentCaller, CurrentClient
from api.edge.contract_route import ContractRoute
from api.edge.json_response import JsonResponse
from api.edge.origins import forbidden_sign_in
from api.edge.problems import Problem
from api.edge.request_context import BASE_PATH
from api.edge.session_schemes import SESSION_USED
from domain.refusals import (
    AlreadyMember,
    InvitationsOff,
    InviterGone,
    MemberLimitReached,
    NotTheRecipient,
)

from . import shapes
from .answer_fields import SessionSecret
from .documented import at, documented
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
    _refuse_other_sites(client)
    application = Application(
        email=form.email,
        name=form.name,
        password=form.password,
        image=wanted(form.image) or None,
        remembered=form.rememberMe,
        link=_invitation_id(form.callbackURL),
        callback_url=form.callbackURL,
    )
    try:
        with picture_given_in("image"):
            account = await ways_in.open_account(client, application)
    except _OF_THE_INVITATION as refused:
        # whatever is wrong with the invitation, it is the request that was bad (wire.md A4)
        raise Problem.of_code(refused.code, status=400) from None
    return JsonResponse(SignedUpAnswer(token=account.token, user=shapes.user(account.person)))


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
    _refuse_other_sites(client)
    signed_in = ways_in.sign_in(
        client,
        email=form.email,
        password=form.password,
        remembered=form.rememberMe,
        callback_url=form.callbackURL,
    )
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
    ways_in.sign_out(caller)
    return JsonResponse(SignedOutAnswer(success=True))


def _refuse_other_sites(client: Client) -> None:
    if code := forbidden_sign_in(client.request.headers, client.services.origins):
        raise Problem.of_code(code)


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
