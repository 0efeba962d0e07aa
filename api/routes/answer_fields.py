"""Fields that several answers have: what they look like, each with an example, for `/openapi.json` (wire.md §1).

The examples of whole answers are put together from these (api/pages/documentation.py).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from domain.email_address import PATTERN

_HEX_ID = "^[0-9a-f]{32}$"


def _id(example: str) -> Any:
    return Field(json_schema_extra={"pattern": _HEX_ID, "examples": [example]})


def _moment(example: str) -> Any:
    return Field(json_schema_extra={"format": "date-time", "examples": [example]})


def _text(example: str) -> Any:
    return Field(json_schema_extra={"examples": [example]})


UserId = Annotated[str, _id("0193a1f0c4e87d2a9b3c5e7f10213243")]
OtherUserId = Annotated[str, _id("0193a1f0c4e87d2a9b3c5e7f10213244")]
SessionId = Annotated[str, _id("0193a1f0c4ea7b1c8d2e4f6a71829304")]
KeyId = Annotated[str, _id("0193a1f0c4f27e5a8b6c7d0e1f203142")]
OrganizationId = Annotated[str, _id("0193a1f0c4e97c3b8a1d2f4e60718293")]
MemberId = Annotated[str, _id("0193a1f0c4eb7a4d9c5b6e8f02132435")]
InvitationId = Annotated[str, _id("6d0a3bd1c2f94e5f8a7b9c0d1e2f3041")]

BeganAt = Annotated[str, _moment("2026-11-23T22:44:42.903Z")]
ChangedAt = Annotated[str, _moment("2026-11-24T08:15:30.120Z")]
EndsAt = Annotated[str, _moment("2026-11-30T22:44:42.903Z")]

SessionSecret = Annotated[str, _text("fXPB2ZcQ4m1Yy0tV7sR3aKd9LgHnEwJu")]
PersonName = Annotated[str, _text("Ada Lovelace")]
OrganizationName = Annotated[str, _text("Analytical Engines")]
Slug = Annotated[str, _text("analytical-engines")]
MemberRole = Annotated[str, Field(examples=["owner"], description="Several are joined by commas.")]
OfferedRole = Annotated[str, Field(examples=["member"], description="Several are joined by commas.")]
AccountAddress = Annotated[str, Field(json_schema_extra={"pattern": PATTERN, "examples": ["ada@example.com"]})]
"""Of somebody who has an account. No `email` by format: a local part of 65 characters is none to strict validators."""
InvitedAddress = Annotated[str, _text("bo@example.com")]
"""Of somebody who was invited; empty where it was forgotten since."""
Picture = Annotated[str | None, _text("https://example.com/ada.png")]
Logo = Annotated[str | None, _text("https://example.com/engine.png")]
IpAddress = Annotated[str, _text("203.0.113.7")]
UserAgent = Annotated[
    str,
    _text(
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/130.0.0.0 Safari/537.36"
    ),
]
DeviceName = Annotated[str, _text("Chrome 130 on macOS")]
Location = Annotated[str, _text("Germany")]
