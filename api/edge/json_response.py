"""Answers: JSON as the contract has it, compact, with the bare media type (wire.md §1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}
"""Headers of answers that hold where people were."""

encode = msgspec.json.Encoder().encode


class JsonResponse(Response):
    """A JSON answer; "nothing" is the literal `null`, an `empty` one has neither body nor media type."""

    def __init__(
        self, content: Any, status_code: int = 200, headers: Mapping[str, str] | None = None, *, empty: bool = False
    ) -> None:
        media_type = None if empty else "application/json"
        super().__init__(b"" if empty else encode(content), status_code, headers, media_type)
