"""Organizations of 50 members, seen and changed by their owners: `daybook serve` against Better Auth."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import peer
import sign_ups
import wrk
from cluster import SECRET, Cluster, store
from get_session import cookie
from peer import Organization
from rounds import Pair

from domain.clock import now
from domain.ids import new_id, new_token
from domain.membership import Joining, Membership
from domain.roles import Role
from domain.store import Addition, Store
from tests.databases import Database
from tests.server import served

ORGANIZATIONS = 20
"""So many, since one alone would make commands wait for each other, and give every member a long history."""
OTHERS = 49
"""Members of each, beside its owner; the same people in all."""
SESSIONS = 10
"""Of each owner."""
READS = {
    "get-full-organization": "get-full-organization?organizationId={0}",
    "list-members": "list-members?organizationId={0}&limit=100&offset=0&sortBy=createdAt&sortDirection=asc",
    "get-active-member": "get-active-member",
    "list-sessions": "../list-sessions",
    "get-session": "../get-session",
}
"""As the official client asks when its hooks and lists are used: with the organization that the page is about, a page,
and an order.
"""

_INVITATIONS = Path(__file__).with_name("invitations.lua")
_ROUTES = "/api/auth/organization/"
_AIMS = {"get-active-member": 10.0, "get-session": 12.0}
_READS, _COMMANDS = 8.0, 2.5
_PATIENCE = 100


@contextmanager
def pairs(cluster: Cluster) -> Iterator[Iterator[Pair]]:
    """16 connections, one owner after another: reads as clients ask them, a command, and two commands in turn.

    Daybook with two workers and without limits, Better Auth as one process with ten connections to the database.
    """
    with (
        cluster.database("bench_organizations") as database,
        peer.serving(cluster, organizations=ORGANIZATIONS, members=OTHERS, sessions=SESSIONS) as (
            their_origin,
            their_own,
        ),
    ):
        settings = {
            "DATABASE_URL": database.application_url,
            "OWNER_DATABASE_URL": database.owner_url,
            "SECRET": SECRET,
            "WORKERS": 2,
        }
        with store(database, connections=2) as opened:
            own = _organizations(opened)
        with served(cluster.folder / "serve.log", settings) as server:
            ours = _Side(cluster.folder / "ours", server.url, own)
            theirs = _Side(cluster.folder / "theirs", their_origin, their_own)
            yield _pairs(ours, theirs, database)


class _Side:
    """A server, and the files of what it is asked."""

    def __init__(self, folder: Path, origin: str, organizations: Sequence[Organization]) -> None:
        folder.mkdir()
        self.origin = origin.replace("localhost", "127.0.0.1")
        self.routes = self.origin + _ROUTES
        asked = [{"Cookie": one.cookie} for one in organizations]
        told = [{**headers, "Origin": origin, "Content-Type": "application/json"} for headers in asked]
        self.reads = {
            name: wrk.write(
                folder / name,
                (
                    {**headers, wrk.TARGET: _path(target.format(one.organization_id))}
                    for headers, one in zip(asked, organizations, strict=True)
                ),
            )
            for name, target in READS.items()
        }
        self.owners = wrk.write(folder / "owners", told)
        self.roles = wrk.write(
            folder / "roles",
            (
                {**headers, wrk.BODY: json.dumps({"memberId": member, "role": role}, separators=(",", ":"))}
                for role in (Role.ADMIN, Role.MEMBER)
                for number in range(OTHERS)
                for headers, member in zip(told, (one.members[number] for one in organizations), strict=True)
            ),
        )
        for headers, one in zip(asked, organizations, strict=True):
            self._require_all(headers, one)

    def _require_all(self, headers: dict[str, str], organization: Organization) -> None:
        for name, target in READS.items():
            answer = httpx.get(self.origin + _path(target.format(organization.organization_id)), headers=headers)
            assert answer.status_code == 200, answer.text
            told = answer.json()
            match name:
                case "get-full-organization" | "list-members":
                    assert len(told["members"]) == OTHERS + 1
                case "list-sessions":
                    assert len(told) == SESSIONS
                case _:
                    assert told is not None


def _pairs(ours: _Side, theirs: _Side, database: Database) -> Iterator[Pair]:
    pair = partial(Pair, against="Better Auth", level=partial(_level, database))
    for name in READS:
        yield pair(
            name=name,
            aim=_AIMS.get(name, _READS),
            ours=partial(wrk.rate, ours.routes, ours.reads[name]),
            theirs=partial(wrk.rate, theirs.routes, theirs.reads[name]),
        )
    yield pair(
        name="update-member-role",
        aim=_COMMANDS,
        ours=wrk.onwards(ours.routes + "update-member-role", ours.roles),
        theirs=wrk.onwards(theirs.routes + "update-member-role", theirs.roles),
    )
    # last: whatever became of an invitation, it is in the answer of get-full-organization
    yield pair(
        name="invite, cancel",
        aim=_COMMANDS,
        ours=wrk.onwards(ours.routes, ours.owners, script=_INVITATIONS),
        theirs=wrk.onwards(theirs.routes, theirs.owners, script=_INVITATIONS),
    )


def _path(target: str) -> str:
    return urlsplit(urljoin(f"http://localhost{_ROUTES}", target))._replace(scheme="", netloc="").geturl()


def _organizations(opened: Store) -> list[Organization]:
    people = [sign_ups.sign_up(opened) for _ in range(OTHERS)]
    for one in people:
        one.append(opened)
    return [_organization(opened, people) for _ in range(ORGANIZATIONS)]


def _organization(opened: Store, people: Sequence[sign_ups.SignUp]) -> Organization:
    """The personal one of somebody new, whom these join."""
    owner, members = sign_ups.sign_up(opened, new_token()), list[str]()
    owner.append(opened)
    for one in people:
        joined = Membership.join(
            organization_id=owner.organization_id,
            user_id=one.owner.subject_id,
            roles=(Role.MEMBER,),
            joining=Joining.INVITED,
        )
        membership_id = new_id()
        command = replace(owner.command, command_id=new_id(), at=now())
        opened.append(command, opened.subject(owner.owner.subject_id), Addition(membership_id, 0, joined))
        members.append(membership_id.hex)
    for _ in range(SESSIONS - 1):
        sign_ups.signed_in(opened, owner)
    return Organization(owner.organization_id.hex, cookie(owner.token), members)


def _level(database: Database) -> None:
    """What followers have left to do is done in nobody's slice, and a checkpoint is just behind."""
    for _ in range(_PATIENCE):
        if not database.value("SELECT count(*) FROM queue"):
            break
        time.sleep(0.1)
    database.rows("CHECKPOINT")
