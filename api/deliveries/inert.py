"""Data within a message: what people chose, shown so that it is read as that and nothing can be done with it.

Mail programs make links of whatever looks like one, in text as in HTML: of an organization called "evil.example/login"
in a message that is really ours. So what they look for is broken visibly, as those who report such sites write it:
"evil[.]example/login".
"""

from __future__ import annotations

import re
from datetime import datetime
from ipaddress import ip_address

from api.setting_values import is_page
from projections.trails.printable import printable, quoted

from .mail import ADDRESS

# those that IDNA (UTS 46) and compatibility forms take for one, too
_DOTS = ".\u3002\uff0e\uff61\u2024\ufe52"
# what follows a dot and could be the end of a host: not an initial, not a number
_DOT = re.compile(rf"(?<=\S)[{_DOTS}](?=[A-Za-z]{{2}}|[^\W\d_a-zA-Z])")
_NUMBERS = re.compile(rf"[0-9]{{1,3}}(?:[{_DOTS}][0-9]{{1,3}}){{3}}")
_ANY_DOT = re.compile(rf"[{_DOTS}]")
_SCHEME = re.compile(r"(?<=[A-Za-z0-9])[:\uff1a\ufe55](?=[^\s0-9])|(?<=[A-Za-z])[:\uff1a\ufe55](?=[0-9])")
_SHARE = re.compile(r"[\\\uff3c]{2}(?=\S)")


def as_text(text: str) -> str:
    """On one line, nothing hidden, and without anything that looks like a link."""
    shown = _NUMBERS.sub(lambda found: _ANY_DOT.sub("[.]", found[0]), printable(text))
    return _SHARE.sub(r"[\\\\]", _SCHEME.sub("[:]", _DOT.sub("[.]", shown)))


def as_name(name: str | None, *, otherwise: str = "") -> str:
    """The same in quotation marks that it cannot hold itself; `otherwise` for one of which nothing is to be seen."""
    return as_text(quoted(name, otherwise=otherwise))


def as_address(address: str) -> str:
    """An address as it is, so that it can be copied: all a program makes of it is a mail. What is none, as text."""
    return address if ADDRESS.fullmatch(address) else as_text(address)


def as_ip_address(address: str) -> str:
    """An IP address as it is; what is none, as text."""
    try:
        return str(ip_address(address))
    except ValueError:
        return as_text(address)


def as_link(link: str) -> str:
    """A URL of our settings, as it is. Raises ValueError for what is none: nothing else is ever to be followed."""
    if not is_page(link) or set(link) & set("<>\"'`\\"):
        raise ValueError("no link")
    return link


def as_moment(moment: datetime) -> str:
    """To the minute; whoever reads it need not be where the server is."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"
