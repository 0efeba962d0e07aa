"""Invite member by link, and what may be done with an invitation that waits: renew it, take it back, correct it."""

from __future__ import annotations

from pydantic import BaseModel
from starlette.responses import Response

from domain.commands import invitation as commands
from domain.refusals import Refusal

from .members import Wanted, members_shown
from .organization import MEMBERS, ORGANIZATIONS, here
from .page_route import CurrentVisit, Pages
from .visit import Visit, see_other

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
def invite(visit: CurrentVisit, form: Invite) -> Response:
    if form.instead:
        refused = _cancel(visit, form.organization, form.instead)
        if refused is not None:
            return refused
    return _sent(visit, form, resend=False, done="invited")


@pages.act("/organization/invitations/renew", "invite")
def renew(visit: CurrentVisit, form: Renewed) -> Response:
    wanted = Invite(organization=form.organization, email=form.email, role=form.role)
    return _sent(visit, wanted, resend=True, done="renewed")


@pages.act("/organization/invitations/cancel", "cancel_invitation")
def cancel(visit: CurrentVisit, form: Named) -> Response:
    return _cancel(visit, form.organization, form.invitation) or see_other(MEMBERS, done="canceled")


def _sent(visit: Visit, form: Invite, *, resend: bool, done: str) -> Response:
    at = here(visit, visit.require_person(), form.organization)
    if at is None:
        return see_other(ORGANIZATIONS)
    try:
        with visit.services.mail_brake.sending(at.current.user_id) as admit:
            commands.invite(
                visit.services.context,
                at.current.principal,
                organization_id=at.row.organization_id,
                email=form.email,
                role=form.role,
                resend=resend,
                admit=admit,
            )
    except Refusal as refused:
        return members_shown(visit, at, Wanted(), visit.problems_of(refused), invitation=form)
    return see_other(f"{MEMBERS}#invitations", done=done)


def _cancel(visit: Visit, organization: str, link: str) -> Response | None:
    at = here(visit, visit.require_person(), organization)
    if at is None:
        return see_other(ORGANIZATIONS)
    try:
        commands.cancel(visit.services.context, at.current.principal, link=link)
    except Refusal as refused:
        return members_shown(visit, at, Wanted(), visit.problems_of(refused))
    return None
