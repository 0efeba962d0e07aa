"""Confirm your address: what a link in a mail leads to who is not signed in to the account; only pressing does it.

Mail is looked through by programs that open every link in it: none of them shall prove that somebody has an address.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.edge.query import ExactQuery
from api.edge.redirects import CONFIRM_ADDRESS
from api.edge.request_context import BASE_PATH
from domain.commands.email import address_link, verify_email
from domain.refusals import LinkExpired, LinkNotFound

from .done import DONE
from .page_caller import HOME, PageCaller, see_other
from .page_route import CurrentPageCaller, Pages

pages = Pages()


class Opened(ExactQuery):
    """The secret of a link, and where it leads to in the end."""

    token: str = ""
    callbackURL: str = ""


class Confirmed(BaseModel):
    """The same, once somebody has said that it is meant."""

    token: str = Field(default="", repr=False)
    next: str = ""


@pages.show(CONFIRM_ADDRESS)
def confirm_page(caller: CurrentPageCaller, query: Annotated[Opened, Query()]) -> Response:
    session, target = caller.presented.session, query.callbackURL
    try:
        found = address_link(caller.services.context, link=query.token, now=caller.request.now)
    except (LinkNotFound, LinkExpired) as refused:
        if caller.trusts(target) and not caller.is_here(target):
            # the application's own page tells of it
            return _at_once(query)
        return _over(caller, refused)
    if session is not None and session.user_id == found.user_id:
        return _at_once(query)
    return caller.page("confirm_address.html", found=found, token=query.token, next=query.callbackURL, narrow=True)


def _at_once(query: Opened) -> Response:
    return see_other(f"{BASE_PATH}/verify-email", token=query.token, callbackURL=query.callbackURL)


@pages.act(CONFIRM_ADDRESS, "verify_email")
def confirm(caller: CurrentPageCaller, form: Confirmed) -> Response:
    request = caller.request
    try:
        changed = verify_email(caller.services.context, link=form.token, now=request.now, where_from=request.where_from)
    except (LinkNotFound, LinkExpired) as refused:
        return _over(caller, refused)
    return _onward(caller, form.next, "verified" if changed is None else "address-changed")


def _onward(caller: PageCaller, target: str, done: str) -> Response:
    """To where the link leads, by way of what was done: said by the sign-in to who is not signed in, else by a page of
    its own, since it may be another account that shows the target.
    """
    if caller.trusts(target) and not caller.is_here(target):
        return caller.led_to(target, told=DONE[done])
    if not caller.trusts(target) or target.partition("?")[0] == HOME:
        # what its address says was done is said already, and not of whoever signs in
        target = HOME
    if caller.presented.session is None:
        return see_other("/sign-in", done=done, next="" if target == HOME else target)
    return caller.page("onward.html", target=target, told=caller.text(DONE[done]), at_once=False, narrow=True)


def _over(caller: PageCaller, refused: LinkNotFound | LinkExpired) -> Response:
    [reason] = caller.problems_of(refused).values()
    return caller.page("link_over.html", status=400, reason=reason, again="/sign-in", narrow=True)
