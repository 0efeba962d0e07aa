"""A forgotten password: a link by mail, and another password by it (wire.md §9, A7)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response
from typing_extensions import TypedDict

from api.acts import passwords
from api.edge.caller import CurrentClient
from api.edge.contract_route import ContractRoute
from api.edge.json_response import JsonResponse
from api.edge.problems import Problem
from api.edge.query import ExactQuery
from api.edge.redirects import error_page_of, redirect, require_page
from api.edge.request_context import BASE_PATH
from domain.commands.password_reset import require_reset_link
from domain.refusals import LinkNotFound

from .documented import documented
from .fields import CallbackUrl, EmailAddress, NewPassword
from .sessions import DoneAnswer

router = APIRouter(route_class=ContractRoute, prefix=BASE_PATH, tags=["account"])

_SENT = "If this email exists in our system, check your email for the reset link"
_LINK_EXAMPLE = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
MailedSecret = Annotated[str, Field(description="As it stands in the link.", examples=[_LINK_EXAMPLE])]


class RequestPasswordReset(BaseModel):
    """The body of a request for a link. Unknown fields are ignored."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [
        {"email": "ada@example.com", "redirectTo": "/reset-password"}
    ]})  # fmt: skip

    email: EmailAddress
    redirectTo: CallbackUrl = ""


class ResetPassword(BaseModel):
    """The body of a new password. Unknown fields are ignored."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [
        {"newPassword": "battery staple 2", "token": _LINK_EXAMPLE}
    ]})  # fmt: skip

    newPassword: NewPassword
    token: MailedSecret = ""
    revokeApiKeys: Annotated[bool, Field(description="End all API keys too.")] = False


class WithToken(ExactQuery):
    """The secret of a link, where it does not stand in the body."""

    token: MailedSecret = ""


class Callback(ExactQuery):
    """Where a link leads to in the end. Given, be it empty."""

    callbackURL: CallbackUrl


class LinkSentAnswer(TypedDict):
    """The same, whether somebody has the address or not."""

    status: bool
    message: Annotated[str, Field(examples=[_SENT])]


@router.post(
    "/request-password-reset",
    operation_id="requestPasswordReset",
    name="request_password_reset",
    summary="Have a link sent to who has this address, by which they set another password",
    responses=documented(LinkSentAnswer, "VALIDATION_ERROR", "RESET_PASSWORD_DISABLED"),
)
async def request_reset(client: CurrentClient, form: RequestPasswordReset) -> JsonResponse:
    if not client.services.settings.sends_mail:
        raise Problem.of_code("RESET_PASSWORD_DISABLED")
    await passwords.have_reset_link_sent(client, email=form.email, callback_url=form.redirectTo)
    return JsonResponse(LinkSentAnswer(status=True, message=_SENT))


_REDIRECTS: dict[int | str, dict[str, Any]] = {
    302: {"description": "To `callbackURL`, with `token`; or with `error` if no password can be set by the link"},
    **documented(None, "VALIDATION_ERROR", "INVALID_CALLBACK_URL", body=False),
}


@router.get(
    "/reset-password/{token}",
    operation_id="openResetLink",
    status_code=302,
    summary="Where the link in the mail leads: to the page that asks for a new password. Nothing is used up",
    response_class=Response,
    responses=_REDIRECTS,
)
def open_reset_link(
    client: CurrentClient,
    token: Annotated[str, Path(json_schema_extra={"examples": [_LINK_EXAMPLE]})],
    query: Annotated[Callback, Query()],
) -> Response:
    services = client.services
    require_page(query.callbackURL, services.origins, ours=services.settings.page_of_resets)
    try:
        require_reset_link(services.context, link=token, now=client.request.now)
    except LinkNotFound as refused:
        return redirect(
            query.callbackURL or error_page_of(services.settings.origin), services.settings.origin, error=refused.code
        )
    if not query.callbackURL:
        return redirect(error_page_of(services.settings.origin), services.settings.origin, error=LinkNotFound.code)
    return redirect(query.callbackURL, services.settings.origin, token=token)


@router.post(
    "/reset-password",
    operation_id="resetPassword",
    name="reset_password",
    summary="Set another password by a link that was sent by mail; every session ends",
    responses=documented(
        DoneAnswer,
        "VALIDATION_ERROR",
        "INVALID_TOKEN",
        "PASSWORD_TOO_SHORT",
        "PASSWORD_TOO_LONG",
        "PASSWORD_COMPROMISED",
        "CONFLICT",
    ),
)
def set_password(client: CurrentClient, query: Annotated[WithToken, Query()], form: ResetPassword) -> JsonResponse:
    link = form.token or query.token
    if not link:
        raise LinkNotFound
    passwords.set_password_by_link(client, link=link, password=form.newPassword, ending_keys=form.revokeApiKeys)
    return JsonResponse(DoneAnswer(status=True))
