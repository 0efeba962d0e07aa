"""Invite member by link, and what may be done with an invitation that waits: renew it, take it back, correct it."""

from __future__ import annotations

from pydantic import BaseModel
from starlette.responses import Response

from domain.commands import invitation as commands
from domain.refusals import Refusal

from .members import Wanted, members_shown
from .organization import MEMBERS, ORGANIZATIONS, here
from .page_caller import PageCaller, see_other
from .page_route import CurrentPageCaller, Pages

pages = Pages()


class Invite(BaseModel):
    """Whom to invite, and as what; `instead` is the invitation to a wrong address that this one takes the place of."""

    organization: str = ""
    email: str = ""
    role: str = ""
    instead: str = ""


class Named(BaseModel):
    """An invitation, by the id in its link."""

    organization: str = ""
    invitation: str = ""


class Renewed(Named):
    """An invitation to be sent again, to the address it was sent to."""

    email: str = ""
    role: str = "member"


@pages.act("/organization/invitations", "invite")
def invite(caller: CurrentPageCaller, form: Invite) -> Response:
    if form.instead:
        refused = _cancel(caller, form.organization, form.instead)
        if refused is not None:
            return refused
    return _sent(caller, form, resend=False, done="invited")


@pages.act("/organization/invitations/renew", "invite")
def renew(caller: CurrentPageCaller, form: Renewed) -> Response:
    wanted = Invite(organization=form.organization, email=form.email, role=form.role)
    return _sent(caller, wanted, resend=True, done="renewed")


@pages.act("/organization/invitations/cancel", "cancel_invitation")
def cancel(caller: CurrentPageCaller, form: Named) -> Response:
    return _cancel(caller, form.organization, form.invitation) or see_other(MEMBERS, done="canceled")


def _sent(caller: PageCaller, form: Invite, *, resend: bool, done: str) -> Response:
    at = here(caller, caller.require_person(), form.organization)
    if at is None:
        return see_other(ORGANIZATIONS)
    try:
        with caller.services.mail_brake.sending(at.current.user_id) as admit:
            commands.invite(
                caller.services.context,
                at.current.principal,
                organization_id=at.row.organization_id,
                email=form.email,
                role=form.role,
                resend=resend,
                admit=admit,
            )
    except Refusal as refused:
        return members_shown(caller, at, Wanted(), caller.problems_of(refused), invitation=form)
    return see_other(f"{MEMBERS}#invitations", done=done)


def _cancel(caller: PageCaller, organization: str, link: str) -> Response | None:
    at = here(caller, caller.require_person(), organization)
    if at is None:
        return see_other(ORGANIZATIONS)
    try:
        commands.cancel(caller.services.context, at.current.principal, link=link)
    except Refusal as refused:
        return members_shown(caller, at, Wanted(), caller.problems_of(refused))
    return None
