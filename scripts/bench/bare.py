"""A server that does nothing: one answer, given as an argument, from uvicorn as `daybook serve` runs it."""

from __future__ import annotations

import json
import sys
from typing import Any

import uvicorn


def main() -> None:
    """Arguments: the port, and the answer as JSON, `{"headers": [[name, value], …], "body": text}`."""
    answer = json.loads(sys.argv[2])
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer["headers"]]
    body = answer["body"].encode()

    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    uvicorn.run(
        application,
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=2048,
        timeout_keep_alive=75,
    )


if __name__ == "__main__":
    main()
