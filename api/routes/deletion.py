"""Deleting one's own account (wire.md §9, A3, A8)."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Annotated, Any, Literal, NotRequired

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response
from typing_extensions import TypedDict

from api.acts import deletion
from api.edge.authentication import password_guess
from api.edge.caller import CurrentBySession, CurrentCaller
from api.edge.contract_route import ContractRoute
from api.edge.fetch_purpose import require_opened_by_hand
from api.edge.json_response import JsonResponse
from api.edge.problems import Problem
from api.edge.query import ExactQuery
from api.edge.redirects import redirect, require_page
from api.edge.request_context import BASE_PATH
from api.edge.session_schemes import SESSION_USED
from domain.refusals import LinkNotFound, SessionNotFresh

from .documented import at, documented
from .fields import CallbackUrl, GivenPassword
from .password_reset import MailedSecret

router = APIRouter(route_class=ContractRoute, prefix=BASE_PATH, tags=["account"])


class DeleteUser(BaseModel):
    """The body of a deletion: empty through a session that signed in a short while ago. Unknown fields are ignored."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [{"password": "correct horse 1"}]})

    password: GivenPassword = ""
    token: str = ""
    callbackURL: CallbackUrl = ""


class Confirmed(ExactQuery):
    """The secret of the link in the mail, and where it leads to in the end."""

    token: MailedSecret
    callbackURL: CallbackUrl = ""


class DeletedAnswer(TypedDict):
    """The account is no more, and what was personal is gone for good; or a link was sent that makes it so.

    `sentToFormerAddress` is there only where that went to the address of before, since the change can still be undone.
    """

    success: Literal[True]
    message: Literal["User deleted", "Verification email sent"]
    sentToFormerAddress: NotRequired[Literal[True]]


@router.post(
    "/delete-user",
    operation_id="deleteUser",
    summary="Delete your account for good, with the password or shortly after signing in",
    responses=documented(
        DeletedAnswer,
        "VALIDATION_ERROR",
        "PASSWORD_TOO_LONG",
        "INVALID_PASSWORD",
        "CREDENTIAL_ACCOUNT_NOT_FOUND",
        "SESSION_EXPIRED",
        "YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER",
        "UNAUTHORIZED",
        "SESSION_NOT_FRESH",
        at(404, "INVALID_TOKEN"),
        "CONFLICT",
    ),
)
def delete_user(caller: CurrentCaller, form: DeleteUser) -> JsonResponse:
    current = caller.require_session()
    if form.token:
        _delete(current, None, link=form.token)
    else:
        guessing = password_guess(caller.services, caller.request, current.session) if form.password else nullcontext()
        with guessing:
            if caller.services.settings.deletion_by_mail == "on":
                return JsonResponse(_have_link_sent(current, form))
            _delete(current, form.password or None)
    return JsonResponse(DeletedAnswer(success=True, message="User deleted"))


_CONFIRMED: dict[int | str, dict[str, Any]] = {
    **documented(
        DeletedAnswer,
        "VALIDATION_ERROR",
        "INVALID_CALLBACK_URL",
        "YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER",
        at(404, "FAILED_TO_GET_USER_INFO"),
        at(404, "INVALID_TOKEN"),
        "CONFLICT",
        body=False,
    ),
    302: {"description": "To `callbackURL`, where one is given"},
}


@router.get(
    "/delete-user/callback",
    operation_id="confirmDeletion",
    name="delete_user",
    openapi_extra=SESSION_USED,
    summary="Where the link in the mail leads: the account of who is signed in is deleted",
    response_class=Response,
    responses=_CONFIRMED,
)
def confirm_deletion(caller: CurrentCaller, query: Annotated[Confirmed, Query()]) -> Response:
    require_opened_by_hand(caller.request)
    services = caller.services
    require_page(query.callbackURL, services.origins)
    current = caller.require_session_or(Problem.of_code("FAILED_TO_GET_USER_INFO", status=404))
    _delete(current, None, link=query.token)
    if query.callbackURL:
        return redirect(query.callbackURL, services.settings.origin)
    return JsonResponse(DeletedAnswer(success=True, message="User deleted"))


def _have_link_sent(current: CurrentBySession, form: DeleteUser) -> DeletedAnswer:
    elsewhere = deletion.have_link_sent(current, password=form.password or None, callback_url=form.callbackURL)
    answer = DeletedAnswer(success=True, message="Verification email sent")
    return {**answer, "sentToFormerAddress": True} if elsewhere else answer


def _delete(current: CurrentBySession, password: str | None, *, link: str | None = None) -> None:
    try:
        deletion.delete(current, password=password, link=link)
    except SessionNotFresh:
        raise Problem.of_code("SESSION_EXPIRED") from None
    except LinkNotFound as refused:
        raise Problem.of_code(refused.code, status=404) from None
