"""Deleting one's own account (wire.md §9, A3, A8)."""

from __future__ import annotations

from functools import partial
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from api.edge.authentication import clear_cookies, forget_device, password_guess
from api.edge.caller import CurrentBySession, CurrentCaller
from api.edge.contract_route import ContractRoute
from api.edge.json_response import JsonResponse
from api.edge.limiting.of_a_person import counters_of
from api.edge.problems import Problem
from api.edge.request_context import BASE_PATH
from domain.commands.erasure import delete_account
from domain.refusals import SessionNotFresh

from .documented import at, documented
from .fields import CallbackUrl, GivenPassword

router = APIRouter(route_class=ContractRoute, prefix=BASE_PATH, tags=["account"])


class DeleteUser(BaseModel):
    """The body of a deletion: empty through a session that signed in a short while ago. Unknown fields are ignored."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [{"password": "correct horse 1"}]})

    password: GivenPassword = ""
    token: str = ""
    callbackURL: CallbackUrl = ""


class DeletedAnswer(TypedDict):
    """The account is no more, and what was personal is gone for good."""

    success: Literal[True]
    message: Literal["User deleted"]


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
    current = caller.require_principal()
    if form.token:
        # no mail went out that could have brought one
        raise Problem.of_code("INVALID_TOKEN", status=404)
    if form.password:
        with password_guess(caller.services, caller.request, current.session):
            _delete(current, form.password)
    else:
        _delete(current, None)
    forget_device(caller.services, caller.request, current.user_id)
    return JsonResponse(DeletedAnswer(success=True, message="User deleted"))


def _delete(current: CurrentBySession, password: str | None) -> None:
    services = current.services
    try:
        delete_account(
            services.context,
            current.principal,
            password=password,
            counters=partial(counters_of, services.context.keyring),
        )
    except SessionNotFresh:
        raise Problem.of_code("SESSION_EXPIRED") from None
    clear_cookies(services, current.request)
