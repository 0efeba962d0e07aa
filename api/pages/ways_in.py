"""Signing up, in and out."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from anyio import to_thread
from fastapi import Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.acts import ways_in
from api.acts.ways_in import Application
from api.edge.authentication import PresentedCredentials
from api.edge.query import ExactQuery
from domain.email_address import canonical
from domain.events.keys import token_hash
from domain.password_strength import Familiar
from domain.refusals import (
    EmailNotVerified,
    MalformedEmail,
    PasswordCompromised,
    PasswordTooLong,
    PasswordTooShort,
    Refusal,
    SignUpByInvitationOnly,
)

from .accept import Offer, offer_behind
from .first import SESSION_ENDED, send_kept, sign_in_first
from .kept import Kept
from .names import wrong_with_name
from .organization import MEMBERS
from .page_caller import PageCaller, see_other
from .page_route import CurrentPageCaller, Pages
from .refusals import problems_of
from .wording import marked as _

pages = Pages()

_AS_THE_OTHER = _("You are signed out. Sign in as the person who opened the form; nothing was lost.")
_SIGNED_IN = _("You are signed in")


class Asked(ExactQuery):
    """Where somebody wants to go, and why they were led here first."""

    next: str = ""
    over: str = ""
    done: str = ""
    invitation: str = ""


class SignIn(BaseModel):
    """The form of a sign-in; with what was about to be sent when the session was over, if something was."""

    email: str = ""
    password: str = Field(default="", repr=False)
    remember: str = ""
    next: str = ""
    kept_for: str = ""
    kept: str = Field(default="", repr=False)


class SignUp(BaseModel):
    """The form of a sign-up; with the invitation that it is by, if it is by one: then the address is that one's."""

    name: str = ""
    email: str = ""
    password: str = Field(default="", repr=False)
    next: str = ""
    invitation: str = ""


class SignOut(BaseModel):
    """Where somebody goes on as somebody else, if they do; with what was about to be sent, if something was."""

    next: str = ""
    kept_for: str = ""
    kept: str = Field(default="", repr=False)


@pages.show("/sign-in")
async def sign_in_page(caller: CurrentPageCaller, query: Annotated[Asked, Query()]) -> Response:
    if caller.presented.session is not None and not query.over:
        return caller.led_to(query.next, told=_SIGNED_IN)
    over = caller.text(SESSION_ENDED) if query.over == "1" else ""
    return _sign_in_page(caller.saying(query.done), SignIn(next=query.next, remember="on"), over=over)


@pages.act("/sign-in", "sign_in")
async def sign_in(caller: CurrentPageCaller, form: SignIn) -> Response:
    try:
        signed_in = await to_thread.run_sync(
            lambda: ways_in.sign_in(
                caller,
                email=form.email,
                password=form.password,
                remembered=form.remember == "on",
                callback_url=form.next if caller.trusts(form.next) else "",
            )
        )
    except EmailNotVerified as refused:
        caller.problems_of(refused)
        return caller.page("verify_first.html", status=403, email=form.email, narrow=True)
    except Refusal as refused:
        return _sign_in_page(caller, form, problems=caller.problems_of(refused))
    kept = Kept.read(form.kept_for, form.kept)
    if kept is None:
        return caller.led_to(form.next, told=_SIGNED_IN)
    # who they are now decides whether what was kept is theirs
    session = await caller.services.sessions.live_session(token_hash(signed_in.token))
    if session is None:
        return sign_in_first(caller, kept)
    return send_kept(replace(caller, presented=PresentedCredentials(session, signed_in.token)), kept)


def _sign_in_page(
    caller: PageCaller, form: SignIn, *, over: str = "", problems: dict[str, str] | None = None
) -> Response:
    return caller.page(
        "sign_in.html",
        status=400 if problems else 200,
        form=form,
        over=over,
        problems=problems or {},
        open_sign_up=caller.services.context.rules.open_sign_up,
        sends_mail=caller.services.settings.sends_mail,
        narrow=True,
    )


@pages.show("/sign-up")
async def sign_up_page(caller: CurrentPageCaller, query: Annotated[Asked, Query()]) -> Response:
    if caller.presented.session is not None:
        return caller.led_to(query.next, told=_SIGNED_IN)
    return _sign_up_page(caller, SignUp(next=query.next, invitation=query.invitation))


@pages.act("/sign-up", "sign_up")
async def sign_up(caller: CurrentPageCaller, form: SignUp) -> Response:
    offer = offer_behind(caller, form.invitation) if form.invitation else None
    email = offer.email if isinstance(offer, Offer) else form.email
    problems = await _wrong_with(caller, form, email)
    if problems:
        return _sign_up_page(caller, form, problems)
    application = Application(
        email=email,
        name=form.name,
        password=form.password,
        link=form.invitation or None,
        callback_url=form.next if caller.trusts(form.next) else "",
    )
    try:
        account = await ways_in.open_account(caller, application)
    except Refusal as refused:
        return _sign_up_page(caller, form, caller.problems_of(refused))
    if account.token is None:
        return caller.page("verify_first.html", email=form.email, narrow=True)
    return see_other(MEMBERS, done="joined") if form.invitation else caller.led_to(form.next, told=_SIGNED_IN)


async def _wrong_with(caller: PageCaller, form: SignUp, email: str) -> dict[str, str]:
    """All mistakes of a form at once; nothing if the command may judge it."""
    problems = {}
    if wrong := wrong_with_name(form.name, caller.wording, missing=_("Tell us what to call you.")):
        problems["name"] = wrong
    if canonical(email) is None:
        problems |= caller.problems_of(MalformedEmail())
    if problems:
        passwords, familiar = caller.services.context.passwords, Familiar(email=email, name=form.name)
        try:
            await to_thread.run_sync(passwords.require_worthy, form.password, familiar)
        except (PasswordTooShort, PasswordTooLong, PasswordCompromised) as refused:
            problems |= caller.problems_of(refused)
    return problems


def _sign_up_page(caller: PageCaller, form: SignUp, problems: dict[str, str] | None = None) -> Response:
    offer = offer_behind(caller, form.invitation) if form.invitation else None
    if isinstance(offer, str):
        return caller.page("invitation_over.html", status=404, reason=caller.text(offer), narrow=True)
    if offer is None and not caller.services.context.rules.open_sign_up:
        [reason] = problems_of(SignUpByInvitationOnly(), caller.wording).values()
        return caller.page("sign_up_closed.html", reason=reason, narrow=True)
    return caller.page(
        "sign_up.html",
        status=400 if problems else 200,
        form=form if offer is None else form.model_copy(update={"email": offer.email}),
        offer=offer,
        problems=problems or {},
        shortest=caller.services.settings.password_minimum_length,
        narrow=True,
    )


@pages.act("/sign-out", "sign_out")
def sign_out(caller: CurrentPageCaller, form: SignOut) -> Response:
    ways_in.sign_out(caller)
    if Kept.read(form.kept_for, form.kept) is not None:
        waiting = SignIn(remember="on", kept_for=form.kept_for, kept=form.kept)
        nobody = replace(caller, presented=PresentedCredentials())
        return _sign_in_page(nobody, waiting, over=caller.text(_AS_THE_OTHER))
    return see_other(form.next) if caller.is_here(form.next) else see_other("/sign-in", done="signed-out")
