"""The URL of a mail server: smtp:// (RFC 6409, with STARTTLS) or smtps:// (RFC 8314 §3.3, TLS from the first byte)."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple
from urllib.parse import unquote_to_bytes

from pydantic_core import PydanticCustomError

_URL = re.compile(
    r"(?P<scheme>smtps?)://"
    r"(?:(?P<user>[^\s:@/?#]+):(?P<password>[^\s:@/?#]+)@)?"
    r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?/?(?P<plain>\?tls=off)?",
    re.ASCII,
)
_FORM = (
    "must be smtp://HOST or smtps://HOST, with USER:PASSWORD@ before the host where it wants them (signs such as @ and"
    " / in them percent-encoded) and :PORT behind it; nothing else but ?tls=off"
)
_PORTS = {"smtp": 587, "smtps": 465}


class SmtpServer(NamedTuple):
    """Where mail is handed over. `security`: TLS asked for after connecting, TLS from the first byte, or none."""

    host: str
    port: int
    security: Literal["starttls", "tls", "off"]
    user: str
    password: str


def smtp_server(url: str) -> SmtpServer:
    """What the URL means; without a port 587 (RFC 6409 §3.1) or, for smtps, 465. Without a user both are empty.

    Raises PydanticCustomError, which quotes nothing: there may be a password in it.
    """
    found = _URL.fullmatch(url)
    if found is None or not 1 <= int(found["port"] or 1) <= 65_535:
        raise PydanticCustomError("smtp_url", _FORM)
    scheme, plain = found["scheme"], found["plain"] is not None
    if plain and scheme == "smtps":
        raise PydanticCustomError("smtp_url", "is either smtps:// or ?tls=off, not both")
    if plain and found["user"]:
        raise PydanticCustomError("smtp_url", "must not have a password with ?tls=off: it would be sent in the clear")
    return SmtpServer(
        host=found["host"].strip("[]"),
        port=int(found["port"] or _PORTS[scheme]),
        security="off" if plain else "tls" if scheme == "smtps" else "starttls",
        user=_decoded(found["user"]),
        password=_decoded(found["password"]),
    )


def _decoded(part: str | None) -> str:
    try:
        text = unquote_to_bytes(part or "").decode()
    except UnicodeDecodeError:
        raise PydanticCustomError("smtp_url", "must have user and password in UTF-8") from None
    # PLAIN (RFC 4616) ends both with it
    if "\0" in text:
        raise PydanticCustomError("smtp_url", "must have no NUL in user and password")
    return text
