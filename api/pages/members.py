"""Organization → Members: finding them, what they are, and how they go; pending invitations beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import permutations
from typing import Annotated, NamedTuple
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel
from starlette.responses import Response

from api.edge.ids_given import id_in
from api.edge.query import QueryModel
from domain.commands import membership as commands
from domain.refusals import MemberNotFound, Refusal
from domain.roles import Role, Roles, cover, roles_in
from projections.lists.member_list import MemberRow
from projections.lists.member_search import Filter, Order, members_of

from .faces import Face, face
from .organization import MEMBERS, ORGANIZATIONS, ROLE_NAMES, Here, here
from .page_caller import PageCaller, see_other
from .page_route import CurrentPageCaller, Pages
from .pending_invitations import invitations_shown

pages = Pages()

_A_PAGE = 15
_KEPT = ("search", "role", "page", "invitations")
"""What of a page's address says who is on it."""
_LONGEST_WAY_BACK = 3_000
"""A search of 200 characters may be twelve times as long in an address."""


class Wanted(QueryModel):
    """Which members: with this in their name or address, with this role; which page of them, and of invitations."""

    search: str = ""
    role: str = ""
    page: str = ""
    invitations: str = ""
    done: str = ""


class FormOfMembers(BaseModel):
    """A form on the page of an organization's members; `back` is what of them was shown there."""

    organization: str = ""
    back: str = ""

    @property
    def wanted(self) -> Wanted:
        """What is shown once it is sent."""
        # anybody may write it, and what no text may hold is refused in an address
        asked = parse_qsl(self.back[:_LONGEST_WAY_BACK].replace("%00", "").replace("\0", ""))
        return Wanted(**{name: text for name, text in asked if name in _KEPT})


class Member(FormOfMembers):
    """A member of an organization."""

    member: str = ""


class RolesWanted(Member):
    """What a member shall be."""

    owner: str = ""
    admin: str = ""
    member_role: str = ""

    @property
    def roles(self) -> str:
        """As the contract writes them."""
        chosen = ((Role.OWNER, self.owner), (Role.ADMIN, self.admin), (Role.MEMBER, self.member_role))
        return ",".join(role for role, on in chosen if on)


class ShownMember(NamedTuple):
    """A member as others see them, and what who looks may do to them."""

    row: MemberRow
    handle: str
    face: Face
    roles: Roles
    names: Sequence[str]
    joined_at: datetime
    own: bool
    may_change: bool
    may_remove: bool


@pages.show(MEMBERS)
def members_page(caller: CurrentPageCaller, query: Annotated[Wanted, Query()]) -> Response:
    at = here(caller, caller.require_person())
    return see_other(ORGANIZATIONS) if at is None else members_shown(caller.saying(query.done), at, query, {})


@pages.act("/organization/members/role", "change_role")
def change_role(caller: CurrentPageCaller, form: RolesWanted) -> Response:
    # read where it may be refused, with what the command refuses
    return _done_to(
        caller, form, lambda *by, **whose: commands.change_role(*by, **whose, roles=roles_in(form.roles)), done="role"
    )


@pages.act("/organization/members/remove", "remove_member")
def remove(caller: CurrentPageCaller, form: Member) -> Response:
    return _done_to(caller, form, commands.remove_member, done="removed")


@pages.act("/organization/members/transfer", "transfer_ownership")
def transfer(caller: CurrentPageCaller, form: Member) -> Response:
    return _done_to(caller, form, commands.transfer_ownership, done="transferred")


def _done_to(caller: PageCaller, form: Member, command: Callable[..., object], *, done: str) -> Response:
    """What comes of a command about the member that a form names: the same members again."""
    at = here(caller, caller.require_person(), form.organization)
    if at is None:
        return see_other(ORGANIZATIONS)
    try:
        command(
            caller.services.context,
            at.current.principal,
            organization_id=at.row.organization_id,
            membership_id=_named(form),
        )
    except Refusal as refused:
        return members_shown(caller, at, form.wanted, {"": _only(caller.problems_of(refused))})
    return see_other(address_of(form.wanted), done=done)


@pages.act("/organization/leave", "leave_organization")
def leave(caller: CurrentPageCaller, form: Member) -> Response:
    at = here(caller, caller.require_person(), form.organization)
    if at is None:
        return see_other(ORGANIZATIONS)
    try:
        commands.leave(caller.services.context, at.current.principal, organization_id=at.row.organization_id)
    except Refusal as refused:
        return members_shown(caller, at, form.wanted, {"": _only(caller.problems_of(refused))})
    return see_other(ORGANIZATIONS, done="left")


def members_shown(caller: PageCaller, at: Here, query: Wanted, problems: dict[str, str], **values: object) -> Response:
    """A page of the members of an organization, with what is wrong with a form that was sent there."""
    page, of_invitations = _number(query.page), _number(query.invitations)
    beside = invitations_shown(caller, at, of_invitations)
    rows, total = _found(caller, at, query, page)
    last = max(-(-total // _A_PAGE), 1)
    if page > last:
        page, (rows, total) = last, _found(caller, at, query, last)
    return caller.page(
        "members.html",
        status=400 if problems else 200,
        at=at,
        query=query,
        roles=list(ROLE_NAMES.items()),
        members=[_shown(at, row) for row in rows],
        total=total,
        page=page,
        last=last,
        back=_back(query),
        earlier=address_of(query, page=page - 1) if page > 1 else "",
        later=address_of(query, page=page + 1) if page < last else "",
        newer_invitations=address_of(query, invitations=of_invitations - 1) if of_invitations > 1 else "",
        older_invitations=(
            address_of(query, invitations=of_invitations + 1) if of_invitations < beside["invitation_pages"] else ""
        ),
        problems=problems,
        **{**beside, **values},
    )


def _found(caller: PageCaller, at: Here, query: Wanted, page: int) -> tuple[list[MemberRow], int]:
    """A page of the members that are wanted, and how many they are."""
    role = next((one for one in Role if one == query.role), None)
    return members_of(
        caller.services.context.store.statements,
        at.row.organization_id,
        filtered=None if role is None else Filter(field="role", operator="in", value=_texts_with(role)),
        search=query.search[:200],
        order=Order(),
        limit=_A_PAGE,
        offset=(page - 1) * _A_PAGE,
    )


def _shown(at: Here, row: MemberRow) -> ShownMember:
    roles, own = roles_in(row.role), row.user_id == at.current.user_id
    grants = cover(at.roles, roles)
    return ShownMember(
        row=row,
        handle=row.membership_id.hex,
        face=face(row.image, row.name),
        roles=roles,
        names=[ROLE_NAMES[role] for role in roles],
        joined_at=row.joined_at,
        own=own,
        may_change=grants and at.may("member", "update"),
        may_remove=grants and at.may("member", "delete") and not own,
    )


def _named(form: Member) -> UUID:
    membership_id = id_in(form.member)
    if membership_id is None:
        raise MemberNotFound
    return membership_id


def _texts_with(role: Role) -> list[str]:
    """Everything that may stand for the roles of a member who has this one."""
    orders = (order for size in range(1, len(Role) + 1) for order in permutations(Role, size))
    return [",".join(order) for order in orders if role in order]


def _number(text: str) -> int:
    """Of a page, from 1 on."""
    return max(int(text), 1) if text.isdecimal() and len(text) < 7 else 1


def address_of(query: Wanted, **pages: int) -> str:
    """The page of these members, or other pages of the same."""
    asked = {name: getattr(query, name) for name in _KEPT} | {name: str(page) for name, page in pages.items()}
    place = "#invitations" if "invitations" in pages else ""
    return f"{MEMBERS}?{urlencode({name: value for name, value in asked.items() if value})}".rstrip("?") + place


def _back(query: Wanted) -> str:
    """What a form keeps of where it stands; nothing where that would make the page too long."""
    back = address_of(query).removeprefix(MEMBERS).removeprefix("?")
    return back if len(back) <= _LONGEST_WAY_BACK else ""


def _only(problems: dict[str, str]) -> str:
    """What is wrong, where the form has no field to show it beside."""
    return " ".join(problems.values())
