"""How a request is addressed: by one Host header, whatever it is for (RFC 9112 §3.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-fvV.:]+\])(?::[0-9]{0,5})?")


def wrongly_addressed(scope: Mapping[str, Any]) -> str | None:
    """What is wrong with the Host header of an HTTP request, None if nothing is.

    Two readers that take different ones of two could be led to different places. HTTP/1.0 does not know the header.
    """
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) == 1:
        return None if _HOST.fullmatch(hosts[0]) else "The Host header names no host"
    if hosts:
        return "There is more than one Host header"
    return "There is no Host header" if scope["http_version"] != "1.0" else None
