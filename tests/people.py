"""The people and moments of the tests."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

SECRET = "a secret of the tests, 32 characters and more"
NOON = datetime(2026, 3, 14, 12, 0, 0, tzinfo=UTC)

ADA = UUID("01890000-0000-7000-8000-0000000000a1")
BO = UUID("01890000-0000-7000-8000-0000000000b2")
CY = UUID("01890000-0000-7000-8000-0000000000c3")

PASSWORD = "correct horse 1"
