"""The invitations of an organization that wait or ran out, as its members page shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from domain.roles import cover, roles_in
from projections.lists.invitation_list import InvitationRow, pending_of

from .organization import ROLE_NAMES, Here
from .page_caller import PageCaller

PAGE = "/accept-invitation"
_A_PAGE = 8


class ShownInvitation(NamedTuple):
    """An invitation with its link. The link is empty where who looks could not have made it (wire.md A26)."""

    handle: str
    email: str
    roles: str
    names: Sequence[str]
    inviter: str
    expires_at: datetime
    over: bool
    stands: bool
    link: str


def invitations_shown(caller: PageCaller, at: Here, page: int) -> Mapping[str, Any]:
    """A page of them, the newest on the first; nothing to who may not invite."""
    if not at.may("invitation", "create"):
        return {
            "invitations": [],
            "invitation_pages": 0,
            "may_invite": False,
            "sends_mail": False,
            "invited_as": [],
            "invitation": None,
        }
    offset = (page - 1) * _A_PAGE
    rows, total = pending_of(
        caller.services.context.store.statements, at.row.organization_id, limit=_A_PAGE, offset=offset
    )
    return {
        "invitations": [_shown(caller, at, row) for row in rows],
        "invitation_pages": -(-total // _A_PAGE),
        "may_invite": caller.services.context.rules.invitations,
        "sends_mail": caller.services.settings.sends_mail,
        "invited_as": [(role, ROLE_NAMES[role]) for role in reversed(at.grantable)],
        "invitation": None,
    }


def _shown(caller: PageCaller, at: Here, row: InvitationRow) -> ShownInvitation:
    roles = roles_in(row.role)
    link = caller.services.context.keyring.invitation_link(row.invitation_id)
    return ShownInvitation(
        handle=link if cover(at.roles, roles) else "",
        email=row.email or "",
        roles=row.role,
        names=[ROLE_NAMES[role] for role in roles],
        inviter=row.inviter_email or "",
        expires_at=row.expires_at,
        over=not row.waits(caller.request.now),
        stands=row.stands,
        link=link_on(caller, link) if cover(at.roles, roles) else "",
    )


def link_on(caller: PageCaller, link: str) -> str:
    """The address that opens an invitation, to be copied."""
    return f"{caller.services.settings.origin}{PAGE}/{quote(link)}"
