"""Accept invitation: what it is to, by whom and until when; for whom it is, and a way on for everybody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

from fastapi import Query
from pydantic import BaseModel
from starlette.responses import Response

from api.edge.caller import CurrentBySession
from api.edge.query import ExactQuery
from domain.commands import received_invitation as commands
from domain.email_address import canonical
from domain.invitation import Status
from domain.refusals import Refusal
from domain.roles import roles_in
from projections.lists import invitation_list
from projections.lists.invitation_list import InvitationRow

from .organization import MEMBERS, ROLE_NAMES
from .page_caller import HOME, PageCaller, see_other
from .page_route import CurrentPageCaller, Pages
from .pending_invitations import PAGE
from .wording import marked as _

pages = Pages()

_OVER: Mapping[Status, str] = {
    Status.ACCEPTED: _("It was accepted already. Sign in to see the organization."),
    Status.REJECTED: _("It was declined. Ask who invited you if that was not meant."),
    Status.CANCELED: _("It was taken back. Ask who invited you for a new one."),
    Status.EXPIRED: _("It was good for a while only, and that is over. Ask who invited you to renew it."),
}
_UNKNOWN = _("There is no such invitation. Look whether the whole link was copied, or ask who sent it to you.")
_CLOSED = _("The organization does not exist any more.")
_NOBODY_BEHIND = _("Who invited you may not invite people any more. Ask somebody else in the organization.")


class ByLink(ExactQuery):
    """The invitation, by the id in its link."""

    invitationId: str = ""


class Answered(BaseModel):
    """An invitation, by the id in its link."""

    invitation: str = ""


class Offer(NamedTuple):
    """An invitation that waits, as who has its link sees it."""

    link: str
    row: InvitationRow

    @property
    def names(self) -> Sequence[str]:
        """The roles it offers."""
        return [ROLE_NAMES[role] for role in roles_in(self.row.role)]

    @property
    def email(self) -> str:
        """Whom it is to."""
        return self.row.email or ""


def offer_behind(caller: PageCaller, link: str) -> Offer | str:
    """The invitation with this link, or why it can be accepted no more. Nothing is used up by looking."""
    context, now = caller.services.context, caller.request.now
    row = invitation_list.invitation(context.store.statements, context.keyring.invitation_hash(link))
    if row is None or row.email is None:
        return _UNKNOWN
    if row.status != Status.PENDING:
        return _OVER.get(Status(row.status), _UNKNOWN)
    if not row.organization_open:
        return _CLOSED
    if not row.waits(now):
        return _OVER[Status.EXPIRED]
    return Offer(link, row) if row.stands else _NOBODY_BEHIND


@pages.show(PAGE)
def invitation_page(caller: CurrentPageCaller, query: Annotated[ByLink, Query()]) -> Response:
    return _shown(caller, query.invitationId, {})


@pages.show(f"{PAGE}/{{link}}")
def invitation_page_of(caller: CurrentPageCaller, link: str) -> Response:
    return see_other(PAGE, invitationId=link)


@pages.act(f"{PAGE}/accept", "accept_invitation")
def accept(caller: CurrentPageCaller, form: Answered) -> Response:
    current = caller.require_person()
    try:
        commands.accept(caller.services.context, current.principal, link=form.invitation)
    except Refusal as refused:
        return _shown(caller, form.invitation, caller.problems_of(refused))
    return see_other(MEMBERS, done="joined")


@pages.act(f"{PAGE}/decline", "reject_invitation")
def decline(caller: CurrentPageCaller, form: Answered) -> Response:
    current = caller.require_person()
    try:
        commands.reject(caller.services.context, current.principal, link=form.invitation)
    except Refusal as refused:
        return _shown(caller, form.invitation, caller.problems_of(refused))
    return see_other(HOME, done="declined")


def _shown(caller: PageCaller, link: str, problems: dict[str, str]) -> Response:
    session, offer = caller.presented.session, offer_behind(caller, link)
    if isinstance(offer, str):
        return caller.page("invitation_over.html", status=404, reason=caller.text(offer), narrow=True)
    current = None if session is None else caller.require_person()
    return caller.page(
        "accept.html",
        status=400 if problems else 200,
        offer=offer,
        problems=problems,
        is_theirs=current is not None and _is_to(current, offer),
        own_email="" if current is None else current.email or "",
        again=f"{PAGE}?invitationId={link}",
        narrow=True,
    )


def _is_to(current: CurrentBySession, offer: Offer) -> bool:
    return canonical(offer.email) == canonical(current.email or "")
