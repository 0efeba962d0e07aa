"""A forgotten password: having a link sent, and setting another one by it. Opening the link uses nothing up."""

from __future__ import annotations

from typing import Annotated

from anyio import to_thread
from fastapi import Query
from pydantic import BaseModel, Field
from starlette.responses import PlainTextResponse, Response

from api.acts import passwords
from api.edge.problems import Problem
from api.edge.query import ExactQuery
from domain.commands.password_reset import require_reset_link
from domain.email_address import canonical
from domain.password_strength import Familiar
from domain.refusals import LinkNotFound, MalformedEmail, Refusal

from .page_caller import PageCaller, see_other
from .page_route import CurrentPageCaller, Pages
from .refusals import problems_of

pages = Pages()


class Forgotten(BaseModel):
    """Whose password is forgotten, and where they wanted to go."""

    email: str = ""
    next: str = ""


class Opened(ExactQuery):
    """The link that was opened: the secret in it, or why it does nothing; and where its asker wanted to go."""

    token: str = ""
    error: str = ""
    next: str = ""


class NewPassword(BaseModel):
    """Another password, by a link."""

    token: str = Field(default="", repr=False)
    password: str = Field(default="", repr=False)
    end_keys: str = ""
    next: str = ""


class Judged(BaseModel):
    """A password that somebody is typing, and for whom."""

    password: str = Field(default="", repr=False)
    email: str = ""
    name: str = ""


class Wanted(ExactQuery):
    """Where somebody wanted to go."""

    next: str = ""


@pages.act("/password-strength", "judge_password")
def judge(caller: CurrentPageCaller, form: Judged) -> Response:
    """What would be said of a password, as text; nothing if it would do. Nothing of it is kept."""
    session = caller.presented.session
    familiar = Familiar(
        email=form.email or (None if session is None else session.email),
        name=form.name or (None if session is None else session.name),
    )
    try:
        caller.services.context.passwords.require_worthy(form.password, familiar)
    except Refusal as refused:
        [advice] = problems_of(refused, caller.wording).values()
        return PlainTextResponse(advice)
    return PlainTextResponse("")


@pages.show("/forgot-password")
async def forgot_page(caller: CurrentPageCaller, query: Annotated[Wanted, Query()]) -> Response:
    return _forgot_page(caller, Forgotten(next=query.next))


@pages.act("/forgot-password", "request_password_reset")
async def forgot(caller: CurrentPageCaller, form: Forgotten) -> Response:
    if not caller.services.settings.sends_mail:
        raise Problem(404)
    if canonical(form.email) is None:
        return _forgot_page(caller, form, problems_of(MalformedEmail(), caller.wording))
    await passwords.have_reset_link_sent(caller, email=form.email, callback_url=_page_of_resets(caller, form.next))
    return caller.page("reset_sent.html", email=form.email, narrow=True)


def _forgot_page(caller: PageCaller, form: Forgotten, problems: dict[str, str] | None = None) -> Response:
    if not caller.services.settings.sends_mail:
        raise Problem(404)
    return caller.page("forgot.html", status=400 if problems else 200, form=form, problems=problems or {}, narrow=True)


def _page_of_resets(caller: PageCaller, target: str) -> str:
    """The page that the link leads to, and from there to where somebody wanted in the first place."""
    return see_other("/reset-password", next=target if caller.trusts(target) else "").headers["location"]


@pages.show("/reset-password")
def reset_page(caller: CurrentPageCaller, query: Annotated[Opened, Query()]) -> Response:
    try:
        if query.error or not query.token:
            raise LinkNotFound
        require_reset_link(caller.services.context, link=query.token, now=caller.request.now)
    except LinkNotFound as refused:
        return _over(caller, refused)
    return _reset_page(caller, NewPassword(token=query.token, next=query.next))


@pages.act("/reset-password", "reset_password")
async def reset(caller: CurrentPageCaller, form: NewPassword) -> Response:
    try:
        await to_thread.run_sync(
            lambda: passwords.set_password_by_link(
                caller, link=form.token, password=form.password, ending_keys=bool(form.end_keys)
            )
        )
    except LinkNotFound as refused:
        return _over(caller, refused)
    except Refusal as refused:
        return _reset_page(caller, form, caller.problems_of(refused))
    return see_other("/sign-in", done="reset", next=form.next)


def _reset_page(caller: PageCaller, form: NewPassword, problems: dict[str, str] | None = None) -> Response:
    return caller.page(
        "reset.html",
        status=400 if problems else 200,
        form=form,
        problems=problems or {},
        shortest=caller.services.settings.password_minimum_length,
        narrow=True,
    )


def _over(caller: PageCaller, refused: Refusal) -> Response:
    [reason] = caller.problems_of(refused).values()
    return caller.page("link_over.html", status=400, reason=reason, again="/forgot-password", narrow=True)
