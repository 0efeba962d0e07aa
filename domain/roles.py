"""What a member of an organization may be."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """A member's role; stored and shown by these words (wire.md §10.1)."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
