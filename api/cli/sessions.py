"""The command line about the sessions of a person: `daybook session list`, `daybook session revoke`."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from api.edge.wire_time import to_wire
from domain.commands.operator import end_session, end_sessions
from projections.devices import device
from projections.lists.all_accounts import LiveDevice, devices

from .operating import Email, Json, User, id_in, operating, plainly
from .refusal import WontStart

app = typer.Typer(help="Where people are signed in.", no_args_is_help=True)


@app.command("list")
def list_sessions(email: Email = None, user: User = None, as_json: Json = False) -> None:
    """List the live sessions of a person, last used first."""
    with operating() as at_work:
        user_id = at_work.person(email, user)
        found = devices(at_work.read, user_id, now=at_work.at, started_after=at_work.started_after)
    if as_json:
        print(json.dumps({"sessions": [_plain(one) for one in found]}))
        return
    console = plainly()
    for one in found:
        console.print(
            f"{one.session_id.hex}  since {to_wire(one.created_at)}  last used {to_wire(one.active_at)} "
            f" {device(one.user_agent) or 'an unknown device'}  {one.ip_address or 'an unknown address'}"
        )
    if not found:
        console.print("No live sessions.")


@app.command()
def revoke(
    session: Annotated[str | None, typer.Argument(metavar="[SESSION]", help="Its id, as `list` says it.")] = None,
    email: Email = None,
    user: User = None,
    every: Annotated[bool, typer.Option("--all", help="All sessions of the person.")] = False,
    as_json: Json = False,
) -> None:
    """End one session of a person, or all of them; in force at once."""
    if every == (session is not None):
        raise WontStart("Which session? Its id, or --all: one of them.")
    session_id = None if session is None else id_in(session, "session")
    with operating() as at_work:
        user_id = at_work.person(email, user)
        if session_id is None:
            end_sessions(at_work.context, at_work.operator, user_id=user_id)
        elif not end_session(at_work.context, at_work.operator, user_id=user_id, session_id=session_id):
            raise WontStart("The person has no live session with this id.")
    if as_json:
        print(json.dumps({"id": user_id.hex, "session": None if session_id is None else session_id.hex}))
    elif session_id is None:
        print(f"All sessions of {user_id.hex} were ended.")
    else:
        print(f"The session {session_id.hex} was ended.")


def _plain(one: LiveDevice) -> dict[str, Any]:
    return {
        "id": one.session_id.hex,
        "createdAt": to_wire(one.created_at),
        "lastActiveAt": to_wire(one.active_at),
        "expiresAt": to_wire(one.expires_at),
        "device": device(one.user_agent),
        "ipAddress": one.ip_address or "",
        "userAgent": one.user_agent or "",
    }
