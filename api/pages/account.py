"""Account → Settings: who somebody is, their address, their password."""

from __future__ import annotations

from typing import Annotated

from anyio import to_thread
from fastapi import Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.acts import address, passwords
from api.acts.pictures_given import require_picture_url, wanted
from api.acts.verification import have_verification_sent
from api.edge.caller import CurrentBySession
from api.edge.problems import Problem
from api.edge.query import ExactQuery
from domain.commands import user
from domain.commands.context import EmailVerification
from domain.commands.email import address_asked_for, withdraw_email_change
from domain.refusals import Refusal

from .faces import face
from .names import wrong_with_name
from .page_caller import PageCaller, see_other
from .page_route import CurrentPageCaller, Pages
from .wording import marked as _

pages = Pages()

PATH = "/account/settings"


class DoneQuery(ExactQuery):
    """What was done before; or that a link which was opened does nothing."""

    done: str = ""
    error: str = ""


class Profile(BaseModel):
    """What others see of somebody."""

    name: str = ""
    image: str = ""


class Address(BaseModel):
    """Another address."""

    new_email: str = ""


class Password(BaseModel):
    """The password as it is, and as it shall be."""

    current_password: str = Field(default="", repr=False)
    password: str = Field(default="", repr=False)
    others: str = ""


@pages.show(PATH)
def settings_page(caller: CurrentPageCaller, query: Annotated[DoneQuery, Query()]) -> Response:
    current = caller.require_person()
    problems = {"": caller.text(_("This link opens nothing any more. Ask for a new one."))} if query.error else {}
    return _page(caller.saying("" if query.error else query.done), current, problems)


@pages.act("/account/profile", "update_user")
def save_profile(caller: CurrentPageCaller, form: Profile) -> Response:
    current = caller.require_person()
    problems, image = dict[str, str](), None
    if wrong := wrong_with_name(form.name, caller.wording, missing=_("Tell us what to call you.")):
        problems["name"] = wrong
    try:
        image = None if form.image == (current.session.image or "") else wanted(require_picture_url(form.image))
    except ValueError:
        problems["image"] = caller.text(_("This is no address of a picture."))
    if problems:
        return _page(caller, current, problems, profile=form)
    if "/update-user" in caller.services.settings.fresh_paths:
        current.require_fresh()
    try:
        user.update_user(caller.services.context, current.principal, name=form.name, image=image)
    except Refusal as refused:
        return _page(caller, current, caller.problems_of(refused), profile=form)
    return see_other(PATH, done="profile")


@pages.act("/account/address", "request_email_change")
async def change_address(caller: CurrentPageCaller, form: Address) -> Response:
    current = await caller.require_person_soon()
    if not caller.services.settings.sends_mail:
        raise Problem(404)
    try:
        await address.request_change(current, email=form.new_email, callback_url=f"{PATH}?done=address-changed")
    except Refusal as refused:
        problems = caller.problems_of(refused, names={"email": "new_email"})
        return _page(caller, current, problems, new_email=form.new_email)
    return see_other(PATH, done="address")


@pages.act("/account/address/cancel", "withdraw_email_change")
def cancel_change(caller: CurrentPageCaller) -> Response:
    current = caller.require_person()
    withdraw_email_change(caller.services.context, current.principal)
    return see_other(PATH, done="address-kept")


@pages.act("/account/verify", "request_verification")
async def verify(caller: CurrentPageCaller) -> Response:
    current = await caller.require_person_soon()
    if not _may_verify(caller) or current.email is None:
        raise Problem(404)
    await to_thread.run_sync(
        lambda: have_verification_sent(caller, current.email or "", callback_url=f"{PATH}?done=verified")
    )
    return see_other(PATH, done="verification")


@pages.act("/account/password", "change_password")
def change_password(caller: CurrentPageCaller, form: Password) -> Response:
    current = caller.require_person()
    # fresh or not: the present password, which comes with it, is all that confirming would ask for
    try:
        changed = passwords.change_password(
            caller, current, given=form.current_password, wanted=form.password, revoking=form.others == "on"
        )
    except Refusal as refused:
        return _page(caller, current, caller.problems_of(refused), others=form.others)
    return see_other(PATH, done="password" if changed.token is None else "password-others")


def _page(caller: PageCaller, current: CurrentBySession, problems: dict[str, str], **values: object) -> Response:
    session, settings = current.session, caller.services.settings
    shown = {
        "profile": Profile(name=session.name or "", image=session.image or ""),
        "new_email": "",
        "asked_for": address_asked_for(caller.services.context, current.user_id, now=caller.request.now),
        "others": "on",
        **values,
    }
    return caller.page(
        "settings.html",
        status=400 if problems else 200,
        problems=problems,
        face=face(session.image, session.name),
        email=current.email or "",
        verified=current.email_verified,
        may_verify=_may_verify(caller),
        sends_mail=settings.sends_mail,
        always_signs_out=settings.password_change_revokes == "always",  # noqa: S105  a word, no secret
        shortest=settings.password_minimum_length,
        **shown,
    )


def _may_verify(caller: PageCaller) -> bool:
    return caller.services.context.rules.email_verification is not EmailVerification.OFF
