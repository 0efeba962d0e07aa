"""The account of the person who asks: their password, their name and image (wire.md §9, A3, A25)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from api.acts import passwords
from api.acts.pictures_given import wanted
from api.edge.authentication import give_cookie
from api.edge.caller import CurrentBySession, CurrentCaller
from api.edge.contract_route import ContractRoute
from api.edge.json_response import JsonResponse
from api.edge.problems import Problem
from api.edge.request_context import BASE_PATH
from api.edge.session_schemes import EVERYTHING, by_key
from domain.commands import user
from projections.lists.account_list import password_dates

from . import shapes
from .answer_fields import SessionSecret
from .documented import documented, uncoded
from .fields import NOTHING_TO_UPDATE, GivenPassword, NewPassword, PersonsName, PictureUrl, picture_given_in
from .sessions import DoneAnswer

router = APIRouter(route_class=ContractRoute, prefix=BASE_PATH, tags=["account"])


class ChangePassword(BaseModel):
    """The body of a change of password. Unknown fields are ignored."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [
        {"currentPassword": "correct horse 1", "newPassword": "battery staple 2", "revokeOtherSessions": True}
    ]})  # fmt: skip

    currentPassword: GivenPassword
    newPassword: NewPassword
    revokeOtherSessions: bool = False
    revokeApiKeys: Annotated[bool, Field(description="End all API keys too.")] = False


class VerifyPassword(BaseModel):
    """The body of a confirmation. Unknown fields are ignored."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [{"password": "correct horse 1"}]})

    password: GivenPassword


class UpdateUser(BaseModel):
    """What may be changed of a person; an image of null is none. Other fields are ignored, `email` is refused."""

    model_config = ConfigDict(strict=True, extra="allow", json_schema_extra={"examples": [{"name": "Ada King"}]})

    name: PersonsName = ""
    image: PictureUrl | None = None


class ChangedPasswordAnswer(TypedDict):
    """The password is another one. `token` is the secret of the session that replaced yours, null if yours goes on."""

    token: SessionSecret | None
    user: shapes.User


@router.post(
    "/change-password",
    operation_id="changePassword",
    summary="Replace your password, and if asked end all sessions begun with the old one",
    responses=documented(
        ChangedPasswordAnswer,
        "VALIDATION_ERROR",
        "PASSWORD_TOO_SHORT",
        "PASSWORD_TOO_LONG",
        "PASSWORD_COMPROMISED",
        "INVALID_PASSWORD",
        "CREDENTIAL_ACCOUNT_NOT_FOUND",
        "UNAUTHORIZED",
        "SESSION_NOT_FRESH",
        "CONFLICT",
    ),
)
def change_password(caller: CurrentCaller, form: ChangePassword) -> JsonResponse:
    changed = passwords.change_password(
        caller,
        caller.require_session(),
        given=form.currentPassword,
        wanted=form.newPassword,
        revoking=form.revokeOtherSessions,
        ending_keys=form.revokeApiKeys,
    )
    return JsonResponse(ChangedPasswordAnswer(token=changed.token, user=shapes.user(changed.person)))


@router.post(
    "/verify-password",
    operation_id="verifyPassword",
    name="reauthenticate",
    summary="Confirm your password: what is sensitive is open to this session for a while",
    responses=documented(
        DoneAnswer,
        "VALIDATION_ERROR",
        "PASSWORD_TOO_LONG",
        "INVALID_PASSWORD",
        "CREDENTIAL_ACCOUNT_NOT_FOUND",
        "UNAUTHORIZED",
        "CONFLICT",
    ),
)
def verify_password(caller: CurrentCaller, form: VerifyPassword) -> JsonResponse:
    passwords.confirm_password(caller.require_session(), form.password)
    return JsonResponse(DoneAnswer(status=True))


@router.post(
    "/update-user",
    operation_id="updateUser",
    summary="Change your name or image",
    openapi_extra=by_key(EVERYTHING),
    responses=documented(
        DoneAnswer,
        "VALIDATION_ERROR",
        "EMAIL_CAN_NOT_BE_UPDATED",
        uncoded(400, "NOTHING_TO_UPDATE", NOTHING_TO_UPDATE),
        "UNAUTHORIZED",
        "SESSION_NOT_FRESH",
        "CONFLICT",
    ),
)
def update_user(caller: CurrentCaller, form: UpdateUser) -> JsonResponse:
    current, services = caller.require_principal(), caller.services
    given = form.model_fields_set
    if "email" in (form.model_extra or {}):
        raise Problem.of_code("EMAIL_CAN_NOT_BE_UPDATED")
    if not given & {"name", "image"}:
        raise Problem(400, message=NOTHING_TO_UPDATE)
    with picture_given_in("image"):
        user.update_user(
            services.context,
            current.principal,
            name=form.name if "name" in given else None,
            image=wanted(form.image or "") if "image" in given else None,
        )
    if isinstance(current, CurrentBySession):
        token, remembered = caller.presented.token, caller.remembered
        give_cookie(services, caller.request, token, remembered=remembered, started_at=current.session.created_at)
    return JsonResponse(DoneAnswer(status=True))


@router.get(
    "/list-accounts",
    operation_id="listAccounts",
    summary="What you sign in with",
    openapi_extra=by_key(EVERYTHING),
    responses=documented(list[shapes.Account], "UNAUTHORIZED", body=False),
)
def list_accounts(caller: CurrentCaller) -> JsonResponse:
    current = caller.require_principal()
    dates = password_dates(caller.services.context.store.statements, current.user_id)
    return JsonResponse([] if dates is None else [shapes.account(current.user_id, dates)])
