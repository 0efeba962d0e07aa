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
    """Whom to invite, and as what; `invitation` is one to a wrong address that this one takes the place of."""

    organization: str = ""
    email: str = ""
    role: str = ""
    invitation: str = ""


class Named(BaseModel):
    """An invitation, by the id in its link."""

    organization: str = ""
    invitation: str = ""


class Renewed(Named):
    """An invitation to be sent again, to the address it was sent to."""

    sent_to: str = ""
    role: str = "member"


@pages.act("/organization/invitations", "invite")
def invite(caller: CurrentPageCaller, form: Invite) -> Response:
    refused = _send(caller, form, resend=False)
    if refused is not None:
        return refused
    if form.invitation:
        # after it, so that nothing is lost where the new address is refused; one that is over needs no end
        _cancel(caller, form.organization, form.invitation)
    mailed = caller.services.settings.sends_mail
    return see_other(f"{MEMBERS}#invitations", done="invited" if mailed else "invited-link")


@pages.act("/organization/invitations/renew", "invite")
def renew(caller: CurrentPageCaller, form: Renewed) -> Response:
    wanted = Invite(organization=form.organization, email=form.sent_to, role=form.role)
    return _send(caller, wanted, resend=True) or see_other(f"{MEMBERS}#invitations", done="renewed")


@pages.act("/organization/invitations/cancel", "cancel_invitation")
def cancel(caller: CurrentPageCaller, form: Named) -> Response:
    return _cancel(caller, form.organization, form.invitation) or see_other(MEMBERS, done="canceled")


def _send(caller: PageCaller, form: Invite, *, resend: bool) -> Response | None:
    """What is shown instead, where it is refused."""
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
    return None


def _cancel(caller: PageCaller, organization: str, link: str) -> Response | None:
    """The same."""
    at = here(caller, caller.require_person(), organization)
    if at is None:
        return see_other(ORGANIZATIONS)
    try:
        commands.cancel(caller.services.context, at.current.principal, link=link)
    except Refusal as refused:
        return members_shown(caller, at, Wanted(), caller.problems_of(refused))
    return None
