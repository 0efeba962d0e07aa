"""Pictures: what people and organizations may show of themselves, known by its bytes and not by what it is called."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

SCHEME = "data:"
PATH = "/api/auth/picture/"
"""Below it pictures that are kept are handed out, by their links."""
LINK = "[0-9a-f]{32}"
"""The form of a link, as a regular expression."""
LONGEST_URL = 200 * 1024
"""Characters of a `data:` URL that holds a picture: of a picture of some 150 KB (wire.md A18)."""

_DATA_URL = re.compile(r"data:(image/(?:png|jpeg|webp|gif));base64,([A-Za-z0-9+/]+={0,2})", re.ASCII)


_OURS = re.compile(f"{PATH}({LINK})(?:[/; ].*)?", re.ASCII)
_SPELLED_ONCE = re.compile(r"[/\\]+(?:\.[/\\]+)*")


class NotAPicture(ValueError):
    """Something called a picture that is none."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The bytes of a picture, as they were sent."""

    content: bytes = field(repr=False)


def picture_in(url: str) -> Picture:
    """The picture in a `data:` URL (RFC 2397), which must be what it says it is. Raises NotAPicture."""
    given = _DATA_URL.fullmatch(url)
    if given is None or len(url) > LONGEST_URL:
        raise NotAPicture
    try:
        content = b64decode(given[2], validate=True)
    except Error:
        raise NotAPicture from None
    if media_type(content) != given[1]:
        raise NotAPicture
    return Picture(content)


def link_in(url: str) -> str | None:
    """The link in an address that pictures kept here have, on whatever host, whatever follows, however it is spelled.

    None in any other address; "" in one that leads below the same path but to no link, or that nobody can read. The
    host is not asked: a service may have had other names.
    """
    try:
        path = urlsplit(url.replace("\\", "/")).path
    except ValueError:
        return ""
    # as browsers, proxies and servers read it: decoded, with its dots resolved, its slashes counted once
    parts = list[str]()
    for part in _SPELLED_ONCE.sub("/", unquote(unquote(path))).lower().split("/"):
        if part == "..":
            parts = parts[:-1] or [""]
        else:
            parts.append(part)
    read = "/".join(parts)
    if PATH not in f"{read}/":
        return None
    found = _OURS.fullmatch(read)
    return "" if found is None else found[1]


def media_type(content: bytes) -> str | None:
    """The media type of a picture by how it begins (WHATWG MIME Sniffing §6.1), None if it is none of the four.

    PNG must name its first chunk too (PNG §5.6), since that is where all have it.
    """
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content.startswith(b"RIFF") and content[8:14] == b"WEBPVP":
        return "image/webp"
    return None
