"""Cookies: reading the request's, signing and rendering ours (wire.md §7)."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from itertools import product
from typing import Literal
from urllib.parse import quote, unquote

from api.sites import host_of, same_site

SameSite = Literal["Lax", "Strict", "None"]

SIGNATURE_LENGTH = 44  # base64 of 32 bytes, one `=` of padding
_KEPT_BY_ENCODE_URI_COMPONENT = "!'()*"  # beside letters, digits and `_.-~`, which quote() never encodes


def values(cookie_header: str | None, name: str) -> list[str]:
    """All values this name has in a Cookie header, in order, percent-decoded and without their quotes."""
    return [_decoded(raw) for found, raw in _pairs(cookie_header or "") if found == name]


def sign(value: str, secret: str) -> str:
    """The signed value as it stands in Set-Cookie: encodeURIComponent(value + "." + base64(HMAC-SHA256))."""
    return quote(f"{value}.{_signature(value, secret)}", safe=_KEPT_BY_ENCODE_URI_COMPONENT)


def verified(raw: str, secret: str) -> str | None:
    """The value inside a signed one, percent-encoded or not; None unless our secret signed it. Constant time."""
    return _signed(_decoded(raw), secret)


def set_cookie(
    name: str,
    value: str,
    *,
    max_age: int | None,
    domain: str | None = None,
    path: str = "/",
    secure: bool,
    same_site: SameSite = "Lax",
    partitioned: bool = False,
) -> str:
    """A Set-Cookie header value; `max_age` in seconds, None for a cookie that ends with the browser session."""
    parts = [f"{name}={value}"]
    if max_age is not None:
        parts.append(f"Max-Age={max_age}")
    if domain is not None:
        parts.append(f"Domain={domain}")
    parts += [f"Path={path}", "HttpOnly"]
    if secure:
        parts.append("Secure")
    parts.append(f"SameSite={same_site}")
    return "; ".join([*parts, "Partitioned"] if partitioned else parts)


def browser_drops(
    headers: Mapping[str, str], cookies: SessionCookies, base_url: str
) -> Literal["site", "scheme"] | None:
    """Why the browser that sent these headers keeps no cookie of ours, None if it does as far as can be told.

    `SameSite=Lax` and `Strict` are dropped in answers to another site's page. `Secure` is dropped over http, where
    browsers send no fetch metadata (RFC 6265bis §5.7); to a loopback address they do, and keep it. A cookie that is not
    `Secure` is kept over https. Header names are lower-case.
    """
    origin = headers.get("origin", "").lower()
    if any(name in headers for name in ("sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest")):
        # browsers that say anything say which site; programs that say something keep cookies as they like
        elsewhere = headers.get("sec-fetch-site") == "cross-site"
    elif cookies.secure and origin.startswith("http://"):
        return "scheme"
    else:
        elsewhere = bool(host := host_of(origin)) and not same_site(host, host_of(base_url))
    return "site" if elsewhere and cookies.same_site != "None" else None


@dataclass(frozen=True)
class SessionCookies:
    """The three cookies of a session: their names, what is put into them and what is believed of them.

    `secure` says that the base URL is https: names then begin with `__Secure-`. With a `domain` all hosts below it get
    them; `partitioned` ones are kept apart for each site whose pages bring them along (CHIPS).
    """

    prefix: str
    secure: bool
    secret: str = field(repr=False)
    domain: str | None = None
    same_site: SameSite = "Lax"
    partitioned: bool = False

    @property
    def token_name(self) -> str:
        """Name of the cookie that holds the session's token."""
        return self._name("session_token")

    @property
    def data_name(self) -> str:
        """Name of Better Auth's cookie cache. Never set here, only cleared with the others."""
        return self._name("session_data")

    @property
    def dont_remember_name(self) -> str:
        """Name of the cookie that says "sign me out when the browser closes"."""
        return self._name("dont_remember")

    @property
    def known_device_name(self) -> str:
        """Name of the cookie by which a browser shows that it was signed in with (`api/edge/known_device.py`)."""
        return self._name("known_device")

    def issue(self, token: str, max_age: int | None, dont_remember: bool) -> list[str]:
        """Set-Cookie values that hand out a session; `max_age` in seconds, None for a browser-session cookie.

        A twin that was set before these settings would be shown beside it, and counts for as long as it lives.
        """
        headers = [*self._clear_twins(self.token_name), self.set(self.token_name, sign(token, self.secret), max_age)]
        if dont_remember:
            headers.append(self.set(self.dont_remember_name, sign("true", self.secret), None))
        return headers

    def set(self, name: str, value: str, max_age: int | None) -> str:
        """A Set-Cookie value with all that our cookies have in common; `max_age` as in `set_cookie`."""
        return self._set(name, value, max_age, self.domain, self.partitioned)

    def auth_token(self, token: str) -> str:
        """The token as `set-auth-token` has it: signed like the cookie, not percent-encoded (wire.md §8)."""
        return f"{token}.{_signature(token, self.secret)}"

    def clear(self) -> list[str]:
        """Set-Cookie values that take all three cookies away, in the order of wire.md §7, and then their twins."""
        names = (self.token_name, self.data_name, self.dont_remember_name)
        return [
            *(self.set(name, "", 0) for name in names),
            *(twin for name in names for twin in self._clear_twins(name)),
        ]

    def clear_dont_remember(self) -> list[str]:
        """Set-Cookie values that take the word away that a session must not be extended."""
        return [*self._clear_twins(self.dont_remember_name), self.set(self.dont_remember_name, "", 0)]

    def tokens(self, cookie_header: str | None) -> list[str]:
        """The validly signed session tokens of a request, in order, each once.

        More than one where a dead twin was left behind by another domain or path: the first live one counts
        (wire.md part A, 21), which only the store can tell.
        """
        found = (_signed(value, self.secret) for value in values(cookie_header, self.token_name))
        return list(dict.fromkeys(token for token in found if token is not None))

    def dont_remember(self, cookie_header: str | None) -> bool:
        """Whether the browser carries our word that this session must not be extended."""
        return any(_signed(value, self.secret) == "true" for value in values(cookie_header, self.dont_remember_name))

    def _name(self, noun: str) -> str:
        return f"{'__Secure-' if self.secure else ''}{self.prefix}.{noun}"

    def _clear_twins(self, name: str) -> list[str]:
        """Set-Cookie values for the cookies of this name that another setting made: browsers keep them side by side.

        They come before the one that is set: to some browsers a domain that is the host's own name is the host.
        """
        ours = (self.domain, self.partitioned)
        others = product(dict.fromkeys((None, self.domain)), dict.fromkeys((False, self.partitioned)))
        return [self._set(name, "", 0, *other) for other in others if other != ours]

    def _set(self, name: str, value: str, max_age: int | None, domain: str | None, partitioned: bool) -> str:
        return set_cookie(
            name,
            value,
            max_age=max_age,
            domain=domain,
            secure=self.secure,
            same_site=self.same_site,
            partitioned=partitioned,
        )


def _pairs(cookie_header: str) -> Iterator[tuple[str, str]]:
    for pair in cookie_header.split(";"):
        name, equals, raw = pair.partition("=")
        if equals:
            yield name.strip(" \t"), _unquoted(raw.strip(" \t"))


def _unquoted(raw: str) -> str:
    return raw[1:-1] if len(raw) >= 2 and raw[0] == raw[-1] == '"' else raw


def _decoded(raw: str) -> str:
    # The three escapes a signed value has, as we write them; a third of the general way's time, on every request.
    plain = raw.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")
    if "%" not in plain:
        return plain
    try:
        return unquote(raw, errors="strict")
    except UnicodeDecodeError:
        return raw


def _signed(text: str, secret: str) -> str | None:
    value, _, signature = text.rpartition(".")
    if not value or len(signature) != SIGNATURE_LENGTH or not signature.endswith("="):
        return None
    return value if hmac.compare_digest(_bytes(signature), _bytes(_signature(value, secret))) else None


def _signature(value: str, secret: str) -> str:
    mac = _keyed(secret).copy()
    mac.update(_bytes(value))
    return b64encode(mac.digest()).decode("ascii")


@lru_cache(8)
def _keyed(secret: str) -> hmac.HMAC:
    # to key it anew takes several times as long as to sign
    return hmac.new(_bytes(secret), digestmod=sha256)


def _bytes(text: str) -> bytes:
    # Hostile text may hold lone surrogates; this maps every string to bytes of its own instead of failing.
    return text.encode("utf-8", "surrogatepass")
