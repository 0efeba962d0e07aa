"""Reply: the way out. Gives every answer, also an error, the cookies of its visit and the headers of its origin."""

from __future__ import annotations

from starlette.types import Message, Send


class Reply:
    """An ASGI `send` around the server's. Cookies that are added before the answer begins go with it."""

    def __init__(self, send: Send, cookies: list[str], headers: list[tuple[bytes, bytes]]) -> None:
        self._send, self._cookies, self._headers = send, cookies, headers
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
            cookies = [(b"set-cookie", cookie.encode("latin-1")) for cookie in self._cookies]
            if cookies or self._headers:
                message["headers"] = [*message["headers"], *cookies, *self._headers]
        await self._send(message)

    def instead(self) -> Reply:
        """A fresh way out for another answer; what still comes for this one is thrown away."""
        self._abandoned = True
        return Reply(self._send, self._cookies, self._headers)
