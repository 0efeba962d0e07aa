"""Bearer: a session's secret in the Authorization header, for clients that keep no cookies (RFC 6750; wire.md §8)."""

from __future__ import annotations

from .cookies import verified

_LONGEST = 512


def bearer_token(header: str | None, secret: str) -> str | None:
    """The session token an Authorization header shows; None if it shows none, or one that we did not sign.

    Three forms are accepted: the bare token, as answers have it; token and signature, as `set-auth-token` has it; and
    that percent-encoded, as the cookie has it. A bare one may be anybody's guess: the store knows whether it lives.
    """
    if header is None:
        return None
    scheme, _, given = header.strip(" \t").partition(" ")
    given = given.strip(" \t")
    if scheme.lower() != "bearer" or not 0 < len(given) <= _LONGEST:
        return None
    return verified(given, secret) if "." in given else given
