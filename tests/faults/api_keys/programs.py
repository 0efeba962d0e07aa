"""Somebody with a program that acts for them by a key, what both ask for, and what the log has of it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID

from domain.clock import now
from domain.commands import invitation as invitations
from domain.commands import received_invitation
from domain.commands.api_key import KeyWanted, MadeKey, make_key
from domain.commands.context import Context
from domain.commands.organization import found_organization
from domain.commands.principal import PersonBySession
from domain.commands.user import sign_up
from tests.databases import Database
from tests.faults.at_once import Request
from tests.faults.mailed_links.racing import Outcome, Races
from tests.faults.owners import HERE, Device, Owner, signed_in
from tests.people import PASSWORD

CURL = "curl/8.5.0"
INVALID: Outcome = (401, "INVALID_API_KEY")
DISABLED: Outcome = (401, "KEY_DISABLED")
EXPIRED: Outcome = (401, "KEY_EXPIRED")
OVER: Outcome = (401, "UNAUTHORIZED")
NOBODY: Outcome = (401, "UNAUTHORIZED_SESSION")
NOT_FOUND: Outcome = (404, "KEY_NOT_FOUND")
MAY_NOT_INVITE: Outcome = (403, "YOU_ARE_NOT_ALLOWED_TO_INVITE_USERS_TO_THIS_ORGANIZATION")
NO_MEMBER: Outcome = (400, "MEMBER_NOT_FOUND")

_PATIENCE = 10.0
"""Seconds for the sequencer to put everything in order."""
_numbers = count()
_HISTORY = """
WITH asked AS (SELECT %s::uuid AS user_id, %s::uuid[] AS streams),
     keys AS (SELECT api_key_id FROM api_key_list JOIN asked USING (user_id))
SELECT l.position, e.stream_id, e.name, c.api_key_id, c.session_id
  FROM asked, events e JOIN commands c USING (command_id) LEFT JOIN log l USING (stream_id, version)
 WHERE e.stream_id = ANY(asked.streams) OR e.stream_id IN (SELECT api_key_id FROM keys)
    OR e.stream_id IN (SELECT session_id FROM session_list JOIN asked USING (user_id))
    OR c.api_key_id IN (SELECT api_key_id FROM keys)
 ORDER BY l.position NULLS FIRST
"""
_LEFT = """
WITH asked AS (SELECT %s::uuid AS user_id)
SELECT api_key_id::text FROM api_key_list k JOIN account_list a USING (user_id) JOIN asked USING (user_id)
 WHERE (num_nonnulls(k.start, k.prefix, k.name, k.metadata, k.used_ip_address, k.used_user_agent) > 0
        OR a.ended_at IS NULL)
 UNION ALL
SELECT 'the person''s key' FROM subject_keys JOIN asked ON person_id = user_id WHERE wrapped IS NOT NULL
 UNION ALL
SELECT 'when it was used' FROM last_active JOIN api_key_list k ON k.api_key_id = session_id JOIN asked USING (user_id)
"""


@dataclass
class Round:
    """Ada owns a place where Bo is an admin, signed in on two devices; a program has a key of Bo's, of which Bo wrote
    these `words`.
    """

    ada: Owner
    adas: Device
    bo: Owner
    laptop: Device
    phone: Device
    organization_id: UUID
    membership_id: UUID
    key: MadeKey
    words: list[str]
    guests: list[str] = field(default_factory=list)

    @property
    def user_id(self) -> UUID:
        return self.bo.user_id


class Happened(NamedTuple):
    """An event, by which key or through which session."""

    position: int
    stream_id: UUID
    name: str
    by_key: UUID | None
    through: UUID | None


def begun(context: Context) -> Round:
    """New people for one round."""
    ada, bo = _person(context), _person(context)
    adas, laptop, phone = (signed_in(context, one) for one in (ada, bo, bo))
    organization_id, _ = found_organization(
        context, _by(ada, adas), name="Acme", slug=f"keys-{next(_numbers)}", logo=None, metadata=None, turning=False
    )
    invitation_id = invitations.invite(
        context, _by(ada, adas), organization_id=organization_id, email=bo.email, role="admin", resend=False
    )
    link = context.keyring.invitation_link(invitation_id)
    membership_id = received_invitation.accept(context, _by(bo, laptop), link=link).membership_id
    name, noted, prefix = words = [f"{word}-{next(_numbers)}-works" for word in ("deploy", "engines", "ci")]
    key = make_key(context, _by(bo, laptop), KeyWanted(name=name, metadata=f'{{"team":"{noted}"}}', prefix=prefix))
    return Round(ada, adas, bo, laptop, phone, organization_id, membership_id, key, words)


def invites(one: Round, key: str = "") -> Request:
    """The program invites somebody else each time, to the place."""
    one.guests.append(f"guest{next(_numbers)}@example.com")
    fields = {"organizationId": one.organization_id.hex, "email": one.guests[-1], "role": "member"}
    path = "/organization/invite-member"
    return Request(method="POST", path=path, key=key or one.key.secret, fields=fields, user_agent=CURL)


def looks(key: str, path: str = "/get-session") -> Request:
    """A program looks at something."""
    return Request(path=path, key=key, user_agent=CURL)


def asks(path: str, device: Device, **fields: object) -> Request:
    """A person has something done."""
    return Request(method="POST", path=path, token=device.token, fields=fields)


def makes(device: Device) -> Request:
    """A person makes another key."""
    return asks("/api-key/create", device, name="another")


def ends(one: Round, how: str) -> Request:
    """What makes Bo's key, or Bo, less."""
    key, place = {"keyId": one.key.api_key_id.hex}, {"organizationId": one.organization_id.hex}
    asked = {
        "deleted": asks("/api-key/delete", one.phone, **key),
        "disabled": asks("/api-key/update", one.phone, **key, enabled=False),
        "rotated": asks("/api-key/rotate", one.phone, **key),
        "all revoked": asks("/api-key/revoke-all", one.phone),
        "reported": Request(method="POST", path="/api-key/report", fields={"key": one.key.secret}),
        "owner demoted": asks(
            "/organization/update-member-role", one.adas, **place, memberId=one.membership_id.hex, role="member"
        ),
        "owner removed": asks("/organization/remove-member", one.adas, **place, memberIdOrEmail=one.membership_id.hex),
        "organization closed": asks("/organization/delete", one.adas, **place),
        "owner gone": asks("/delete-user", one.phone),
    }
    return asked[how]


ENDED_BY = {
    "deleted": "ApiKeyEnded",
    "disabled": "ApiKeyDisabled",
    "all revoked": "ApiKeysRevoked",
    "reported": "ApiKeyEnded",
    "owner demoted": "MemberRoleChanged",
    "owner removed": "MemberRemoved",
    "organization closed": "OrganizationClosed",
    "owner gone": "PersonErased",
}
"""By which event each is told."""
TOLD_AFTERWARDS = {
    "deleted": INVALID,
    "disabled": DISABLED,
    "rotated": EXPIRED,
    "all revoked": INVALID,
    "reported": INVALID,
    "owner demoted": MAY_NOT_INVITE,
    "owner removed": NO_MEMBER,
    "organization closed": NO_MEMBER,
    "owner gone": INVALID,
}
"""What the program is told that invites somebody after it."""


def history(database: Database, one: Round) -> list[Happened]:
    """What happened to Bo, their keys and sessions and in the place, and by their keys, once all stands in the log."""
    streams = [one.user_id, one.organization_id, one.membership_id]
    deadline = time.monotonic() + _PATIENCE
    while True:
        found = [Happened(*row) for row in database.rows(_HISTORY, one.user_id, streams)]
        if all(happened.position is not None for happened in found):
            return found
        assert time.monotonic() < deadline, "the sequencer stands still"
        time.sleep(0.01)


def listed(races: Races, device: Device) -> set[str]:
    """The ids of the keys that a person sees, by the word of both workers, which agree."""
    look = Request(path="/api-key/list", token=device.token)
    told = [json.loads(lines[0].ask(look).content) for lines in races.by_worker]
    [first, second] = [{key["id"] for key in one["apiKeys"]} for one in told]
    assert first == second
    assert {one["total"] for one in told} == {len(first)}
    return first


def left_of(database: Database, user_id: UUID) -> list[str]:
    """What is left of the keys of somebody who is gone."""
    return [row[0] for row in database.rows(_LEFT, user_id)]


def alive(races: Races, keys: Sequence[str]) -> list[bool]:
    """Whether each lets in, by the word of both workers, which agree."""
    told = []
    for key in keys:
        [answer] = set(races.ask(looks(key)))
        told.append(answer == (200, None))
    return told


def _person(context: Context) -> Owner:
    email = f"programmer{next(_numbers)}@example.com"
    signed_up: Any = sign_up(
        context, email=email, name="Somebody", image=None, password=PASSWORD, remembered=True, now=now(),
        where_from=HERE,
    )  # fmt: skip
    return Owner(email, signed_up.person.user_id)


def _by(who: Owner, device: Device) -> PersonBySession:
    return PersonBySession(user_id=who.user_id, session_id=device.session_id, at=now(), where_from=HERE)
