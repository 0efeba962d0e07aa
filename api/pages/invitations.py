"""Invite member by link, and what may be done with an invitation that waits: renew it, take it back, correct it."""

from __future__ import annotations

from starlette.responses import Response

from domain.commands import invitation as commands
from domain.refusals import InvitationLimitReached, InvitationNotFound, OrganizationNotFound, Refusal

from .members import FormOfMembers, address_of, members_shown
from .organization import MEMBERS, ORGANIZATIONS, Here, here
from .page_caller import PageCaller, see_other
from .page_route import CurrentPageCaller, Pages

pages = Pages()

ALL = f"{MEMBERS}#invitations"


class Invite(FormOfMembers):
    """Whom to invite, and as what; `invitation` is one to a wrong address that this one takes the place of."""

    email: str = ""
    role: str = ""
    invitation: str = ""


class Named(FormOfMembers):
    """An invitation, by the id in its link."""

    invitation: str = ""


class Renewed(Named):
    """An invitation to be sent again, to the address it was sent to."""

    sent_to: str = ""
    role: str = "member"


@pages.act("/organization/invitations", "invite")
def invite(caller: CurrentPageCaller, form: Invite) -> Response:
    try:
        over = _sent_instead(caller, form)
    except Refusal as refused:
        return _refused(caller, form, refused)
    mailed = caller.services.settings.sends_mail
    return see_other(ALL, done="invited-late" if over else "invited" if mailed else "invited-link")


def _sent_instead(caller: PageCaller, form: Invite) -> bool:
    """Whether the invitation that this one takes the place of, if any, was over already. Raises Refusal.

    It ends after the other one is sent, so that nothing is lost where that is refused; but where only it is in the way,
    it makes way.
    """
    try:
        _send(caller, form, resend=False)
    except InvitationLimitReached:
        if not form.invitation:
            raise
        _cancel(caller, form)
        _send(caller, form, resend=False)
        return False
    try:
        if form.invitation:
            _cancel(caller, form)
    except InvitationNotFound:
        return True
    return False


@pages.act("/organization/invitations/renew", "invite")
def renew(caller: CurrentPageCaller, form: Renewed) -> Response:
    wanted = Invite(organization=form.organization, back=form.back, email=form.sent_to, role=form.role)
    try:
        _send(caller, wanted, resend=True)
    except Refusal as refused:
        return _refused(caller, wanted, refused)
    return see_other(_where(form), done="renewed")


@pages.act("/organization/invitations/cancel", "cancel_invitation")
def cancel(caller: CurrentPageCaller, form: Named) -> Response:
    try:
        _cancel(caller, form)
    except Refusal as refused:
        return _refused(caller, form, refused)
    return see_other(_where(form), done="canceled")


def _send(caller: PageCaller, form: Invite, *, resend: bool) -> None:
    at = _here(caller, form)
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


def _cancel(caller: PageCaller, form: Invite | Named) -> None:
    at = _here(caller, form)
    commands.cancel(caller.services.context, at.current.principal, link=form.invitation)


def _here(caller: PageCaller, form: FormOfMembers) -> Here:
    """The organization that the form names, else the one turned to. Raises OrganizationNotFound, NotAMember."""
    at = here(caller, caller.require_person(), form.organization)
    if at is None:
        raise OrganizationNotFound
    return at


def _refused(caller: PageCaller, form: Invite | Named, refused: Refusal) -> Response:
    problems = caller.problems_of(refused)
    at = here(caller, caller.require_person(), form.organization)
    if at is None:
        return see_other(ORGANIZATIONS)
    values = {"invitation": form} if isinstance(form, Invite) else {}
    return members_shown(caller, at, form.wanted, problems, **values)


def _where(form: FormOfMembers) -> str:
    """Among the invitations that were shown."""
    return f"{address_of(form.wanted)}#invitations"
