"""What the journal is answered as: entries of a person and of an organization, and their pages."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from api.edge.downloads import Form, cell
from api.edge.json_response import encode

from .answer_fields import ChangedAt, DeviceName, IpAddress, Location, SessionId, UserId


class Entry(TypedDict):
    """What happened. Where from is "" if unknown or none of the reader's business.

    `sessionId` is the session it is about or was done through, `current` if that is the one asking. `times` such things
    happened from `since` to `at`, told as one. `newDevice` marks a sign-in or a move from a browser, system and
    network not seen before.
    """

    at: ChangedAt
    event: Annotated[str, Field(examples=["SessionStarted"])]
    text: Annotated[str, Field(examples=["You signed in with Chrome 130 on macOS, Germany."])]
    device: DeviceName
    location: Location
    ipAddress: IpAddress
    sessionId: SessionId | None
    current: bool
    times: Annotated[int, Field(examples=[1])]
    since: ChangedAt
    newDevice: bool


_EXAMPLE: dict[str, Any] = {
    "at": "2026-11-24T08:15:30.120Z",
    "event": "MemberRoleChanged",
    "text": "Ada Lovelace changed Bo's role in Analytical Engines from member to admin.",
    "device": "",
    "location": "",
    "ipAddress": "",
    "sessionId": "0193a1f0c4ea7b1c8d2e4f6a71829304",
    "current": False,
    "times": 1,
    "since": "2026-11-24T08:15:30.120Z",
    "newDevice": False,
    "actor": "Ada Lovelace",
    "actorId": "0193a1f0c4e87d2a9b3c5e7f10213243",
    "actorEmail": "ada@example.com",
    "person": "Bo",
    "personId": "0193a1f0c4e87d2a9b3c5e7f10213244",
    "personEmail": "bo@example.com",
}
EXAMPLE_FILES: dict[Form, str] = {
    "ndjson": f"{encode(_EXAMPLE).decode()}\n",
    "csv": "\r\n".join([",".join(_EXAMPLE), ",".join(cell(value) for value in _EXAMPLE.values()), ""]),
}


@with_config(ConfigDict(json_schema_extra={"examples": [_EXAMPLE]}))
class OrganizationEntry(Entry):
    """What happened in an organization. `actor` is who did it and `person` the member it is about, as they were called
    and reached then; their user ids and addresses if it was a person. Of whoever never belonged to it, only the address
    it has.
    """

    actor: str
    actorId: UserId | None
    actorEmail: str
    person: str
    personId: UserId | None
    personEmail: str


class ActivityAnswer(TypedDict):
    """A page of a person's entries, newest first; `nextCursor` is null at the end."""

    entries: list[Entry]
    nextCursor: Annotated[str | None, Field(json_schema_extra={"examples": [None]})]


class OrganizationActivityAnswer(TypedDict):
    """A page of an organization's entries, newest first; `nextCursor` is null at the end."""

    entries: list[OrganizationEntry]
    nextCursor: Annotated[str | None, Field(json_schema_extra={"examples": [None]})]
