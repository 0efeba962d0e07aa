"""The way out: gives every answer, also an error, the cookies of its request and the headers that all have."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import Message, Send

from .request_context import RequestContext

Headers = Sequence[tuple[bytes, bytes]]

_EXPOSED = (b"access-control-expose-headers", b"set-auth-token")
NO_SNIFFING = (b"x-content-type-options", b"nosniff")
_CACHING = b"cache-control"
_NOT_KEPT = (_CACHING, b"no-store")
FOR_GOOD = "public, max-age=31536000, immutable"
"""The one other thing that a route may say to caches: of what never changes and is the same for everybody."""
_KEPT_FOR_GOOD = (_CACHING, FOR_GOOD.encode())


class ResponseWriter:
    """An ASGI `send` around the server's. What a request is given before the answer begins goes with it."""

    def __init__(self, send: Send, request: RequestContext | None = None, headers: Headers = ()) -> None:
        self._send, self._visit, self._headers = send, request, headers
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
            message["headers"] = self._with_given(message["headers"])
        await self._send(message)

    def _with_given(self, headers: Headers) -> Headers:
        """Also that a browser shall not guess at what it gets.

        Of a request, too, that no cache shall keep it, whatever a route says but `FOR_GOOD`, and its cookies. Beside a
        new session's cookie its token, for clients that keep none (wire.md §8, bearer).
        """
        request = self._visit
        if request is None:
            return [*headers, NO_SNIFFING, *self._headers]
        given = [header for header in headers if header[0] != _CACHING]
        # what gives a session away is kept by nobody, whatever a route says
        for_good = _KEPT_FOR_GOOD in headers and not request.set_cookies
        given += [NO_SNIFFING, _KEPT_FOR_GOOD if for_good else _NOT_KEPT]
        given += [(b"set-cookie", cookie.encode("latin-1")) for cookie in request.set_cookies]
        if request.set_cookies and request.auth_token is not None:
            given += [(b"set-auth-token", request.auth_token.encode("latin-1")), _EXPOSED]
        return [*given, *self._headers]

    def instead(self) -> ResponseWriter:
        """A fresh way out for another answer; what still comes for this one is thrown away."""
        self._abandoned = True
        return ResponseWriter(self._send, self._visit, self._headers)
