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
from .page_route import CurrentVisit, Pages
from .visit import Visit, see_other
from .wording import marked as _

pages = Pages()

PATH = "/account/settings"
_LONGEST_NAME = 200


class Shown(ExactQuery):
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
def settings_page(visit: CurrentVisit, query: Annotated[Shown, Query()]) -> Response:
    current = visit.require_person()
    problems = {"": visit.text(_("This link opens nothing any more. Ask for a new one."))} if query.error else {}
    return _page(visit.saying("" if query.error else query.done), current, problems)


@pages.act("/account/profile", "update_user")
def save_profile(visit: CurrentVisit, form: Profile) -> Response:
    current = visit.require_person()
    if not form.name.strip() or len(form.name) > _LONGEST_NAME:
        return _page(visit, current, {"name": visit.text(_("Tell us what to call you."))}, profile=form)
    try:
        image = None if form.image == (current.session.image or "") else wanted(require_picture_url(form.image))
    except ValueError:
        return _page(visit, current, {"image": visit.text(_("This is no address of a picture."))}, profile=form)
    if "/update-user" in visit.services.settings.fresh_paths:
        current.require_fresh()
    try:
        user.update_user(visit.services.context, current.principal, name=form.name, image=image)
    except Refusal as refused:
        return _page(visit, current, visit.problems_of(refused), profile=form)
    return see_other(PATH, done="profile")


@pages.act("/account/address", "request_email_change")
async def change_address(visit: CurrentVisit, form: Address) -> Response:
    current = await visit.require_person_soon()
    if not visit.services.settings.sends_mail:
        raise Problem(404)
    try:
        await address.request_change(current, email=form.new_email, callback_url=f"{PATH}?done=address-changed")
    except Refusal as refused:
        problems = visit.problems_of(refused, names={"email": "new_email"})
        return _page(visit, current, problems, new_email=form.new_email)
    return see_other(PATH, done="address")


@pages.act("/account/address/cancel", "withdraw_email_change")
def cancel_change(visit: CurrentVisit) -> Response:
    current = visit.require_person()
    withdraw_email_change(visit.services.context, current.principal)
    return see_other(PATH, done="address-kept")


@pages.act("/account/verify", "request_verification")
async def verify(visit: CurrentVisit) -> Response:
    current = await visit.require_person_soon()
    if not _may_verify(visit) or current.email is None:
        raise Problem(404)
    await to_thread.run_sync(
        lambda: have_verification_sent(visit, current.email or "", callback_url=f"{PATH}?done=verified")
    )
    return see_other(PATH, done="verification")


@pages.act("/account/password", "change_password")
def change_password(visit: CurrentVisit, form: Password) -> Response:
    current = visit.require_person()
    if "/change-password" in visit.services.settings.fresh_paths:
        current.require_fresh()
    try:
        changed = passwords.change_password(
            visit, current, given=form.current_password, wanted=form.password, revoking=form.others == "on"
        )
    except Refusal as refused:
        return _page(visit, current, visit.problems_of(refused), others=form.others)
    return see_other(PATH, done="password" if changed.token is None else "password-others")


def _page(visit: Visit, current: CurrentBySession, problems: dict[str, str], **values: object) -> Response:
    session, settings = current.session, visit.services.settings
    shown = {
        "profile": Profile(name=session.name or "", image=session.image or ""),
        "new_email": "",
        "asked_for": address_asked_for(visit.services.context, current.user_id, now=visit.request.now),
        "others": "on",
        **values,
    }
    return visit.page(
        "settings.html",
        status=400 if problems else 200,
        problems=problems,
        face=face(session.image, session.name),
        email=current.email or "",
        verified=current.email_verified,
        may_verify=_may_verify(visit),
        sends_mail=settings.sends_mail,
        always_signs_out=settings.password_change_revokes == "always",  # noqa: S105  a word, no secret
        shortest=settings.password_minimum_length,
        **shown,
    )


def _may_verify(visit: Visit) -> bool:
    return visit.services.context.rules.email_verification is not EmailVerification.OFF
