"""Reply: the way out. Gives every answer, also an error, the cookies of its visit and the headers of its origin."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import Message, Send

from .visit import Visit

Headers = Sequence[tuple[bytes, bytes]]

_EXPOSED = (b"access-control-expose-headers", b"set-auth-token")


class Reply:
    """An ASGI `send` around the server's. What a visit is given before the answer begins goes with it."""

    def __init__(self, send: Send, visit: Visit | None = None, headers: Headers = ()) -> None:
        self._send, self._visit, self._headers = send, visit, headers
        self.status: int | None = None
        self._abandoned = False

    @property
    def started(self) -> bool:
        """Whether an answer is on its way, of which `status` is the status."""
        return self.status is not None

    async def __call__(self, message: Message) -> None:
        if self._abandoned:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = () if self._visit is None else _given(self._visit)
            if given or self._headers:
                message["headers"] = [*message["headers"], *given, *self._headers]
        await self._send(message)

    def instead(self) -> Reply:
        """A fresh way out for another answer; what still comes for this one is thrown away."""
        self._abandoned = True
        return Reply(self._send, self._visit, self._headers)


def _given(visit: Visit) -> Headers:
    """The cookies, and beside a new session's cookie its token for clients that keep none (wire.md §8, bearer)."""
    if not visit.set_cookies:
        return ()
    given = [(b"set-cookie", cookie.encode("latin-1")) for cookie in visit.set_cookies]
    if visit.auth_token is not None:
        given += [(b"set-auth-token", visit.auth_token.encode("latin-1")), _EXPOSED]
    return given
