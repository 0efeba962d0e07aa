"""Deleting one's own account: what becomes of each organization first, then the password as a sign that it is meant."""

from __future__ import annotations

from pydantic import BaseModel, Field
from starlette.responses import Response

from api.acts.deletion import Fate, delete, have_link_sent, outcomes
from api.edge.authentication import password_guess
from api.edge.caller import CurrentBySession
from domain.refusals import Refusal

from .account import PATH as SETTINGS
from .page_caller import PageCaller, see_other
from .page_route import CurrentPageCaller, Pages

pages = Pages()

PATH = "/account/delete"
_AFTERWARDS = "/sign-in?done=deleted"


class Deletion(BaseModel):
    """The password, as a sign that it is meant."""

    current_password: str = Field(default="", repr=False)


@pages.show(PATH)
def deletion_page(caller: CurrentPageCaller) -> Response:
    return _page(caller, caller.require_person(), {})


@pages.act(PATH, "delete_user")
def delete_account(caller: CurrentPageCaller, form: Deletion) -> Response:
    current = caller.require_person()
    by_mail = caller.services.settings.deletion_by_mail == "on"
    try:
        with password_guess(caller.services, caller.request, current.session):
            if by_mail:
                elsewhere = have_link_sent(current, password=form.current_password, callback_url=_AFTERWARDS)
                return see_other(SETTINGS, done="deletion-mail-elsewhere" if elsewhere else "deletion-mail")
            delete(current, password=form.current_password)
    except Refusal as refused:
        return _page(caller, current, caller.problems_of(refused))
    return see_other("/sign-in", done="deleted")


def _page(caller: PageCaller, current: CurrentBySession, problems: dict[str, str]) -> Response:
    found = outcomes(current)
    return caller.page(
        "delete_account.html",
        status=400 if problems else 200,
        outcomes=found,
        in_the_way=any(one.fate is Fate.IN_THE_WAY for one in found),
        fates={one.name: one for one in Fate},
        email=current.email or "",
        problems=problems,
    )
