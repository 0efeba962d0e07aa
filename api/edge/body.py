"""The body of a request: read whole, bounded, strictly parsed once; what comes after sees clean JSON (wire.md §1)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.types import Receive

from domain import pictures

from . import media_type, strict_json
from .json_response import encode
from .problems import Problem
from .request_context import RequestContext

LARGEST = 64 * 1024
"""Bytes, beside a picture (wire.md A18)."""

PATIENCE = 6.0
"""Seconds a client has to send its body: less than any request may ask the database, so that it may still ask."""

_PICTURES: Mapping[str, Sequence[str]] = {
    "/sign-up/email": ("image",),
    "/update-user": ("image",),
    "/organization/create": ("logo",),
    "/organization/update": ("data", "logo"),
}
"""Where in a body a picture may stand, by path."""
_FORM_PATHS = {"/sign-in/email", "/sign-up/email"}


class ClientGone(Exception):
    """The client hung up before it had sent its request."""


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of a JSON document and what they say; both empty if there is no body."""

    json: bytes = b""
    content: object = None


def none_is_sent(headers: Mapping[str, str]) -> bool:
    """Whether a request says that it has no body (RFC 9112 §6.3)."""
    return "content-length" not in headers and "transfer-encoding" not in headers


async def read_form(receive: Receive, request: RequestContext) -> Body:
    """The fields of a page's form. Raises as `read`."""
    raw = await _received(receive, request, LARGEST)
    return _parsed(raw, request, (media_type.FORM,))


async def read(receive: Receive, request: RequestContext) -> Body:
    """The body of a request. Raises the Problem of §1 (400, 413, 415), 408, or ClientGone.

    A body without any Content-Type is no body, nor is that of a GET: it is read to its end, and not looked at.
    """
    raw = await _received(receive, request, largest(request.path))
    try:
        content = _parsed(raw, request, accepted(request.path))
    except Problem:
        if len(raw) > LARGEST:
            # whatever else is wrong with it, there is no picture in it that could make up for that
            raise _too_large() from None
        raise
    if len(raw) - _length_of_picture(content.content, _PICTURES.get(request.path, ())) > LARGEST:
        raise _too_large()
    return content


async def _received(receive: Receive, request: RequestContext, most: int) -> bytes:
    try:
        async with asyncio.timeout(PATIENCE):
            return await _bytes(receive, request.headers.get("content-length", ""), most)
    except TimeoutError:
        raise Problem.of_code("REQUEST_TIMEOUT", headers={"Connection": "close"}) from None


def _parsed(raw: bytes, request: RequestContext, types: tuple[str, ...]) -> Body:
    content_type = request.headers.get("content-type")
    if not raw or not content_type or request.method == "GET":
        return Body()
    if refusal := media_type.refusal(content_type, types):
        raise Problem.of_code("UNSUPPORTED_MEDIA_TYPE", refusal)
    try:
        if media_type.is_form(content_type):
            fields = strict_json.form(raw)
            return Body(encode(fields), fields)
        return Body(raw, strict_json.parse(raw))
    except strict_json.MalformedBody:
        raise Problem.of_code("BAD_REQUEST", "Invalid JSON in request body") from None


def largest(path: str) -> int:
    """Bytes that a body to a path may have in all."""
    return LARGEST + pictures.LONGEST_URL if path in _PICTURES else LARGEST


def _length_of_picture(content: object, place: Sequence[str]) -> int:
    """Characters of the picture that stands in this place of a body, 0 if none does."""
    for name in place:
        content = content.get(name) if isinstance(content, dict) else None
    return len(content) if isinstance(content, str) and content.startswith(pictures.SCHEME) else 0


def accepted(path: str) -> tuple[str, ...]:
    """The media types that a body to a path may have."""
    return media_type.FORM_OR_JSON if path in _FORM_PATHS else media_type.ONLY_JSON


async def _bytes(receive: Receive, content_length: str, most: int) -> bytes:
    if content_length.isdecimal() and int(content_length[:12]) > most:
        raise _too_large()
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > most:
            raise _too_large()
        more = message.get("more_body", False)
    return b"".join(chunks)


def _too_large() -> Problem:
    # what is left of the body is not worth reading, so the connection cannot be used again
    return Problem.of_code("PAYLOAD_TOO_LARGE", headers={"Connection": "close"})
