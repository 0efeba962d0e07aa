"""The address of an account: proving it by a link, and changing it (wire.md §9, A3)."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response
from typing_extensions import TypedDict

from api.acts.address import request_change
from api.acts.verification import have_verification_sent
from api.edge.caller import Caller, CurrentCaller
from api.edge.contract_route import ContractRoute
from api.edge.even_time import evened
from api.edge.fetch_purpose import require_opened
from api.edge.json_response import JsonResponse
from api.edge.problems import Problem, message_for
from api.edge.query import ExactQuery
from api.edge.redirects import CONFIRM_ADDRESS, redirect, require_page
from api.edge.request_context import BASE_PATH
from api.edge.session_schemes import SESSION_USED
from domain.commands.context import EmailVerification
from domain.commands.email import address_link, verify_email
from domain.commands.mailed_link import require_verification_of
from domain.email_address import canonical
from domain.refusals import LinkExpired, LinkNotFound, SameEmail

from . import shapes
from .documented import at, documented, uncoded
from .fields import CallbackUrl, EmailAddress
from .password_reset import MailedSecret
from .sessions import DoneAnswer

router = APIRouter(route_class=ContractRoute, prefix=BASE_PATH, tags=["account"])

_NO_MAIL = message_for("VERIFICATION_EMAIL_NOT_ENABLED")
_THE_SAME = "Email is the same"


class SendVerification(BaseModel):
    """The body of a request for a link. Unknown fields are ignored."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [
        {"email": "ada@example.com", "callbackURL": "/verified"}
    ]})  # fmt: skip

    email: EmailAddress
    callbackURL: CallbackUrl = ""


class ChangeEmail(BaseModel):
    """The body of a change of address. Unknown fields are ignored."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [
        {"newEmail": "ada@example.org", "callbackURL": "/changed"}
    ]})  # fmt: skip

    newEmail: EmailAddress
    callbackURL: CallbackUrl = ""


class Verification(ExactQuery):
    """The secret of a link, and where it leads to in the end."""

    token: MailedSecret
    callbackURL: CallbackUrl = ""


class VerifiedAnswer(TypedDict):
    """The address is proved. `user` is whose address is another one now, null if it is the one it was."""

    status: bool
    user: shapes.User | None


@router.post(
    "/send-verification-email",
    operation_id="sendVerificationEmail",
    name="request_verification",
    openapi_extra=SESSION_USED,
    summary="Have a link sent to this address, that proves it to be its holder's",
    responses=documented(
        DoneAnswer,
        "VALIDATION_ERROR",
        "VERIFICATION_EMAIL_NOT_ENABLED",
        "EMAIL_MISMATCH",
        "EMAIL_ALREADY_VERIFIED",
    ),
)
async def send_verification(caller: CurrentCaller, form: SendVerification) -> JsonResponse:
    services, session = caller.services, caller.presented.session
    if services.context.rules.email_verification is EmailVerification.OFF:
        raise Problem.of_code("VERIFICATION_EMAIL_NOT_ENABLED")
    if session is not None:
        await to_thread.run_sync(lambda: require_verification_of(services.context, session.user_id, email=form.email))
    async with evened():
        await to_thread.run_sync(_have_link_sent, caller, form)
    return JsonResponse(DoneAnswer(status=True))


def _have_link_sent(caller: Caller, form: SendVerification) -> None:
    address = canonical(form.email)
    if address is not None:
        have_verification_sent(caller, address, callback_url=form.callbackURL)


def _wants_to_be_asked(caller: Caller, link: str) -> bool:
    """A page was asked for, by nobody who is signed in to the account: it may be what looks through mail for danger.

    What opens nothing is not asked about, either.
    """
    if "text/html" not in caller.request.headers.get("accept", ""):
        return False
    session = caller.presented.session
    try:
        found = address_link(caller.services.context, link=link, now=caller.request.now)
    except (LinkNotFound, LinkExpired):
        return False
    return session is None or session.user_id != found.user_id


_VERIFIED: dict[int | str, dict[str, Any]] = {
    **documented(
        VerifiedAnswer,
        "VALIDATION_ERROR",
        "INVALID_CALLBACK_URL",
        at(401, "INVALID_TOKEN"),
        at(401, "TOKEN_EXPIRED"),
        "CONFLICT",
        body=False,
    ),
    302: {
        "description": "To `callbackURL`, where one is given; with `error` if the link does nothing. A browser that is"
        " not signed in to the account goes to a page of ours first, which asks"
    },
}


@router.get(
    "/verify-email",
    operation_id="verifyEmail",
    name="verify_email",
    summary="Where the link in the mail leads: the address is proved, or becomes the account's",
    response_class=Response,
    responses=_VERIFIED,
)
def open_verification_link(caller: CurrentCaller, query: Annotated[Verification, Query()]) -> Response:
    require_opened(caller.request)
    services, request, target = caller.services, caller.request, query.callbackURL
    require_page(target, services.origins)
    if services.settings.has_pages and _wants_to_be_asked(caller, query.token):
        return redirect(CONFIRM_ADDRESS, services.settings.origin, token=query.token, callbackURL=target)
    try:
        person = verify_email(services.context, link=query.token, now=request.now, where_from=request.where_from)
    except (LinkNotFound, LinkExpired) as refused:
        request.refused_with = refused.code
        if target:
            return redirect(target, services.settings.origin, error=refused.code)
        raise Problem.of_code(refused.code, status=401) from None
    if target:
        return redirect(target, services.settings.origin)
    return JsonResponse(VerifiedAnswer(status=True, user=None if person is None else shapes.user(person)))


@router.post(
    "/change-email",
    operation_id="changeEmail",
    name="request_email_change",
    summary="Have a link sent to another address, by which it becomes yours",
    responses=documented(
        DoneAnswer,
        "VALIDATION_ERROR",
        uncoded(400, "EMAIL_IS_THE_SAME", _THE_SAME),
        uncoded(400, "VERIFICATION_EMAIL_NOT_ENABLED", _NO_MAIL),
        "UNAUTHORIZED",
        "SESSION_NOT_FRESH",
        "CONFLICT",
    ),
)
async def change_email(caller: CurrentCaller, form: ChangeEmail) -> JsonResponse:
    current = await caller.require_session_soon()
    if not caller.services.settings.sends_mail:
        raise Problem(400, message=_NO_MAIL)

    try:
        await request_change(current, email=form.newEmail, callback_url=form.callbackURL)
    except SameEmail:
        raise Problem(400, message=_THE_SAME) from None
    return JsonResponse(DoneAnswer(status=True))
