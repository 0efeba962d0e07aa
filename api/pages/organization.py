"""The organization somebody is turned to, and what they are there; founding, choosing, changing, deleting one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel
from starlette.responses import Response

from api.acts.activity import role_given
from api.acts.pictures_given import require_picture_url, wanted
from api.edge.caller import CurrentBySession
from api.edge.ids_given import id_in
from api.edge.query import ExactQuery
from domain.commands import organization as commands
from domain.pictures import Picture
from domain.refusals import NotAMember, OrganizationNotFound, Refusal
from domain.roles import PERMISSIONS, Role, Roles, cover, roles_in
from projections.lists import organization_list
from projections.lists.member_list import live_role
from projections.lists.organization_list import OrganizationRow

from .faces import Face, face
from .names import wrong_with_name
from .page_caller import PageCaller, see_other
from .page_route import CurrentPageCaller, Pages
from .wording import marked as _

pages = Pages()

MEMBERS = "/organization/members"
SETTINGS = "/organization/settings"
ORGANIZATIONS = "/organizations"
ROLE_NAMES: Mapping[Role, str] = {Role.OWNER: _("Owner"), Role.ADMIN: _("Admin"), Role.MEMBER: _("Member")}
ABILITIES: Mapping[tuple[str, str], str] = {
    ("organization", "update"): _("Change the name, short name and logo of the organization"),
    ("organization", "delete"): _("Delete the organization"),
    ("member", "update"): _("Change the roles of members"),
    ("member", "delete"): _("Remove members"),
    ("invitation", "create"): _("Invite people, and renew invitations"),
    ("invitation", "cancel"): _("Take invitations back"),
    ("ac", "read"): _("See the organization, its members and their roles"),
}


class DoneQuery(ExactQuery):
    """What was done before."""

    done: str = ""


class Choice(BaseModel):
    """An organization to turn to."""

    organization: str = ""


class Details(BaseModel):
    """What an organization is called, and how it looks; and which it is, where there is one already."""

    organization: str = ""
    name: str = ""
    slug: str = ""
    logo: str = ""


class Deletion(BaseModel):
    """An organization to delete, by its name, as a sign that it is meant."""

    organization: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Here:
    """An organization, and who looks at it as a member."""

    current: CurrentBySession
    row: OrganizationRow
    roles: Roles

    @property
    def name(self) -> str:
        """What it is called."""
        return self.row.name or ""

    @property
    def face(self) -> Face:
        """Its logo."""
        return face(self.row.logo, self.row.name)

    def may(self, resource: str, action: str) -> bool:
        """Whether who looks may do this here."""
        return self.current.may(self.roles, resource, action)

    @property
    def grantable(self) -> list[Role]:
        """The roles that who looks may give others."""
        return [role for role in Role if cover(self.roles, (role,))]


def here(caller: PageCaller, current: CurrentBySession, organization: str = "") -> Here | None:
    """The organization that a form names, else the one somebody is turned to; None if they are turned to none.

    Raises OrganizationNotFound, NotAMember.
    """
    read = caller.services.context.store.statements
    organization_id = id_in(organization) if organization else current.active_organization_id
    if organization_id is None and organization:
        raise OrganizationNotFound
    if organization_id is None:
        return None
    row = organization_list.organization(read, organization_id)
    if row is None:
        raise OrganizationNotFound
    role = live_role(read, organization_id, current.user_id)
    if role is None:
        raise NotAMember
    return Here(current, row, roles_in(role))


@pages.show("/organization")
async def organization_page(caller: CurrentPageCaller) -> Response:
    return see_other(MEMBERS)


@pages.show(ORGANIZATIONS)
def organizations_page(caller: CurrentPageCaller, query: Annotated[DoneQuery, Query()]) -> Response:
    return _organizations_page(caller.saying(query.done), caller.require_person(), Details(), {})


@pages.act("/organizations/found", "found_organization")
def found(caller: CurrentPageCaller, form: Details) -> Response:
    current = caller.require_person()
    problems = _wrong_with(caller, form)
    if problems:
        return _organizations_page(caller, current, form, problems)
    try:
        commands.found_organization(
            caller.services.context,
            current.principal,
            name=form.name,
            slug=form.slug,
            logo=None,
            metadata=None,
            turning=True,
        )
    except Refusal as refused:
        return _organizations_page(caller, current, form, caller.problems_of(refused))
    return see_other(MEMBERS, done="founded")


@pages.act("/organizations/choose", "choose_organization")
def choose(caller: CurrentPageCaller, form: Choice) -> Response:
    current = caller.require_person()
    commands.choose_organization(
        caller.services.context, current.principal, organization_id=id_in(form.organization) or UUID(int=0)
    )
    return see_other(MEMBERS, done="chosen")


@pages.show(SETTINGS)
def settings_page(caller: CurrentPageCaller, query: Annotated[DoneQuery, Query()]) -> Response:
    at = here(caller, caller.require_person())
    return see_other(ORGANIZATIONS) if at is None else _settings_page(caller.saying(query.done), at, None, {})


@pages.act(SETTINGS, "update_organization")
def save(caller: CurrentPageCaller, form: Details) -> Response:
    at = here(caller, caller.require_person(), form.organization)
    if at is None:
        return see_other(ORGANIZATIONS)
    problems = _wrong_with(caller, form)
    if problems:
        return _settings_page(caller, at, form, problems)
    changes: dict[str, str | None] = {"name": form.name, "slug": form.slug}
    logo = None if form.logo == (at.row.logo or "") else wanted(form.logo)
    picture = logo if isinstance(logo, Picture) else None
    if isinstance(logo, str):
        changes["logo"] = logo or None
    try:
        commands.update_organization(
            caller.services.context,
            at.current.principal,
            organization_id=at.row.organization_id,
            changes=changes,
            picture=picture,
        )
    except Refusal as refused:
        return _settings_page(caller, at, form, caller.problems_of(refused, names={"image": "logo"}))
    return see_other(SETTINGS, done="organization")


@pages.act("/organization/delete", "close_organization")
def delete(caller: CurrentPageCaller, form: Deletion) -> Response:
    at = here(caller, caller.require_person(), form.organization)
    if at is None:
        return see_other(ORGANIZATIONS)
    if form.name.strip() != at.name.strip():
        problems = {"typed_name": caller.text(_("This is not the name of the organization."))}
        return _settings_page(caller, at, None, problems)
    try:
        commands.close_organization(
            caller.services.context, at.current.principal, organization_id=at.row.organization_id
        )
    except Refusal as refused:
        return _settings_page(caller, at, None, caller.problems_of(refused))
    return see_other(ORGANIZATIONS, done="organization-deleted")


def _wrong_with(caller: PageCaller, form: Details) -> dict[str, str]:
    missing = {
        "name": _("Tell us what the organization is called."),
        "slug": _("Give it a short name, as it may stand in an address."),
    }
    told = {
        field: wrong_with_name(getattr(form, field), caller.wording, missing=text) for field, text in missing.items()
    }
    problems = {field: wrong for field, wrong in told.items() if wrong}
    try:
        require_picture_url(form.logo)
    except ValueError:
        problems["logo"] = caller.text(_("This is no address of a picture."))
    return problems


def _organizations_page(
    caller: PageCaller, current: CurrentBySession, form: Details, problems: dict[str, str]
) -> Response:
    rows = organization_list.organizations_of(caller.services.context.store.statements, current.user_id)
    return caller.page(
        "organizations.html",
        status=400 if problems else 200,
        organizations=[(row, face(row.logo, row.name)) for row in rows],
        active=current.active_organization_id,
        may_found=caller.services.context.rules.create_organizations,
        form=form,
        problems=problems,
    )


def _settings_page(caller: PageCaller, at: Here, form: Details | None, problems: dict[str, str]) -> Response:
    row = at.row
    return caller.page(
        "organization_settings.html",
        status=400 if problems else 200,
        at=at,
        form=form or Details(name=row.name or "", slug=row.slug or "", logo=row.logo or ""),
        problems=problems,
        abilities=[
            (text, at.may(resource, action), [ROLE_NAMES[role] for role in Role if _allows(role, resource, action)])
            for (resource, action), text in ABILITIES.items()
        ],
        own_roles=[ROLE_NAMES[role] for role in at.roles],
        given=role_given(at.current, row.organization_id, language=caller.wording.journal),
    )


def _allows(role: Role, resource: str, action: str) -> bool:
    return action in PERMISSIONS[role].get(resource, frozenset())
