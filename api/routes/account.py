"""The account of the person who asks: their password, their name and image (wire.md §9, A3, A25)."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from api.edge.admission import Calling, give_cookie, guessing
from api.edge.answers import Answer
from api.edge.problems import Problem
from api.edge.visit import BASE_PATH
from domain.commands import credential, user
from projections.lists.account_list import password_dates

from . import shapes
from .documented import documented
from .fields import NOTHING_TO_UPDATE, ImageUrl, PersonsName
from .sessions import DoneAnswer

router = APIRouter(prefix=BASE_PATH, tags=["account"])


class ChangePassword(BaseModel):
    """The body of a change of password. Unknown fields are ignored."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [
        {"currentPassword": "correct horse 1", "newPassword": "battery staple 2", "revokeOtherSessions": True}
    ]})  # fmt: skip

    currentPassword: str
    newPassword: str
    revokeOtherSessions: bool = False


class VerifyPassword(BaseModel):
    """The body of a confirmation. Unknown fields are ignored."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [{"password": "correct horse 1"}]})

    password: str


class UpdateUser(BaseModel):
    """What may be changed of a person; an image of null is none. Other fields are ignored, `email` is refused."""

    model_config = ConfigDict(strict=True, extra="allow", json_schema_extra={"examples": [{"name": "Ada King"}]})

    name: PersonsName = ""
    image: ImageUrl | None = None


class ChangedPasswordAnswer(TypedDict):
    """The password is another one. `token` is the secret of the session that replaced yours, null if yours goes on."""

    token: str | None
    user: shapes.User


@router.post(
    "/change-password",
    summary="Replace your password, and if asked end all sessions begun with the old one",
    responses=documented(
        ChangedPasswordAnswer,
        "VALIDATION_ERROR",
        "PASSWORD_TOO_SHORT",
        "PASSWORD_TOO_LONG",
        "INVALID_PASSWORD",
        "CREDENTIAL_ACCOUNT_NOT_FOUND",
        "UNAUTHORIZED",
        "SESSION_NOT_FRESH",
        "CONFLICT",
    ),
)
def change_password(calling: Calling, form: ChangePassword) -> Answer:
    session, daybook, visit = calling.admitted(), calling.daybook, calling.visit
    always = daybook.settings.password_change_revokes == "always"  # noqa: S105  a word, no secret
    with guessing(daybook, visit, session.email or "", session=session):
        changed = credential.change_password(
            daybook.context,
            calling.command(session),
            current=form.currentPassword,
            new=form.newPassword,
            revoking=form.revokeOtherSessions or always,
            organization_id=session.active_organization_id,
        )
    if changed.token is not None:
        give_cookie(daybook, visit, changed.token, remembered=calling.remembered, started_at=visit.now)
    return Answer(ChangedPasswordAnswer(token=changed.token, user=shapes.user(changed.person)))


@router.post(
    "/verify-password",
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
def verify_password(calling: Calling, form: VerifyPassword) -> Answer:
    session, daybook, visit = calling.admitted(), calling.daybook, calling.visit
    with guessing(daybook, visit, session.email or "", session=session):
        credential.reauthenticate(daybook.context, calling.command(session), password=form.password)
    return Answer(DoneAnswer(status=True))


@router.post(
    "/update-user",
    summary="Change your name or image",
    responses=documented(
        DoneAnswer, "VALIDATION_ERROR", "EMAIL_CAN_NOT_BE_UPDATED", "UNAUTHORIZED", "SESSION_NOT_FRESH", "CONFLICT"
    ),
)
def update_user(calling: Calling, form: UpdateUser) -> Answer:
    session, daybook, visit = calling.admitted(), calling.daybook, calling.visit
    given = form.model_fields_set
    if "email" in (form.model_extra or {}):
        raise Problem.of_code("EMAIL_CAN_NOT_BE_UPDATED")
    if not given & {"name", "image"}:
        raise Problem(400, message=NOTHING_TO_UPDATE)
    user.update_user(
        daybook.context,
        calling.command(session),
        name=form.name if "name" in given else None,
        image=form.image or "" if "image" in given else None,
    )
    token, remembered = calling.shown.token, calling.remembered
    give_cookie(daybook, visit, token, remembered=remembered, started_at=session.created_at)
    return Answer(DoneAnswer(status=True))


@router.get(
    "/list-accounts",
    summary="What you sign in with",
    responses=documented(list[shapes.Account], "UNAUTHORIZED", body=False),
)
def list_accounts(calling: Calling) -> Answer:
    session = calling.admitted()
    dates = password_dates(calling.daybook.context.store.statements, session.user_id)
    return Answer([] if dates is None else [shapes.account(session.user_id, dates)])
