"""The command line about organizations: `daybook organization show`, `daybook organization list`."""

from __future__ import annotations

import json
from typing import Annotated, Any
from uuid import UUID

import typer

from api.edge.wire_time import to_wire
from projections.lists.all_organizations import (
    ListedMember,
    ListedOrganization,
    members,
    organization,
    organizations,
)
from projections.lists.organization_list import organization_by_slug

from .operating import After, Json, Limit, Operating, id_in, operating, plainly, typed
from .refusal import WontStart

app = typer.Typer(help="Organizations, and who belongs to them.", no_args_is_help=True)


@app.command()
def show(
    named: Annotated[str | None, typer.Argument(metavar="[ID]", help="The organization's id.")] = None,
    slug: Annotated[str | None, typer.Option(help="Its slug, instead of the id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many members at most, by joining.")] = 1_000,
    as_json: Json = False,
) -> None:
    """Show one organization, also one that was closed (by its id), and its members."""
    with operating() as at_work:
        organization_id = _meant(at_work, named, slug)
        found = organization(at_work.read, organization_id, now=at_work.at)
        if found is None:
            raise WontStart("There is no organization with this id.")
        belonging = members(at_work.read, organization_id, limit=limit)
    if as_json:
        print(json.dumps({**_plain(found), "memberList": [_member(one) for one in belonging]}))
        return
    console = plainly()
    for label, value in _told(found):
        console.print(f"{label:<19} {value}")
    for one in belonging:
        console.print(f"{'member':<19} {one.user_id.hex}  {one.role}  {typed(one.email)}  {typed(one.name)}")
    if len(belonging) < found.members:
        console.print("And more: --limit shows as many as you say.")


@app.command("list")
def list_organizations(limit: Limit = 100, after: After = None, as_json: Json = False) -> None:
    """List the organizations there are, closed ones too, a page at a time."""
    behind = None if after is None else id_in(after, "organization")
    with operating() as at_work:
        found = organizations(at_work.read, limit=limit + 1, after=behind, now=at_work.at)
    shown, more = found[:limit], len(found) > limit
    if as_json:
        print(json.dumps({"organizations": [_plain(one) for one in shown], "more": more}))
        return
    console = plainly()
    for one in shown:
        state = "open" if one.ended_at is None else "closed"
        console.print(
            f"{one.organization_id.hex}  {to_wire(one.created_at)}  {state}  {one.members} members "
            f" {typed(one.slug)}  {typed(one.name)}"
        )
    if more:
        console.print(f"And more: --after {shown[-1].organization_id.hex}")
    if not shown:
        console.print("No organizations.")


def _meant(at_work: Operating, named: str | None, slug: str | None) -> UUID:
    if (named is None) == (slug is None):
        raise WontStart("Which organization? Its id, or --slug: one of them.")
    if named is not None:
        return id_in(named, "organization")
    found = organization_by_slug(at_work.read, at_work.context.keyring.slug_slots(slug or ""))
    if found is None:
        raise WontStart("No open organization has this slug.")
    return found


def _told(one: ListedOrganization) -> list[tuple[str, str]]:
    lines = [
        ("id", one.organization_id.hex),
        ("name", typed(one.name)),
        ("slug", typed(one.slug)),
        ("personal", "yes" if one.personal else "no"),
        ("created", to_wire(one.created_at)),
        ("members", str(one.members)),
        ("pending invitations", str(one.pending_invitations)),
    ]
    return lines if one.ended_at is None else [*lines, ("closed", to_wire(one.ended_at))]


def _plain(one: ListedOrganization) -> dict[str, Any]:
    return {
        "id": one.organization_id.hex,
        "name": one.name,
        "slug": one.slug,
        "personal": one.personal,
        "createdAt": to_wire(one.created_at),
        "closedAt": None if one.ended_at is None else to_wire(one.ended_at),
        "members": one.members,
        "pendingInvitations": one.pending_invitations,
    }


def _member(one: ListedMember) -> dict[str, Any]:
    return {
        "id": one.user_id.hex,
        "email": one.email,
        "name": one.name,
        "role": one.role,
        "joinedAt": to_wire(one.joined_at),
    }
