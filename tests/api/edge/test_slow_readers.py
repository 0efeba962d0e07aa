"""Who reads an answer slowly gets it whole: a deadline is for its beginning, also of what needs no thread."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message

from api.app import create_app
from api.edge.services import open_services
from tests.api.browser import BASE
from tests.api.conftest import HandClock, settings_for
from tests.api.routes.fellows import Person
from tests.databases import Database

SOON = 0.5
"""Seconds."""


def test_a_list_may_be_read_for_longer_than_it_may_take_to_be_made(
    url: str, module_database: Database, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.edge.gate.DEADLINE", SOON)
    ada, sent = Person(url, "Ada"), list[Message]()
    cookies = "; ".join(f"{name}={value}" for name, value in ada.cookies.items())
    scope = {
        "type": "http", "method": "GET", "path": f"{BASE}/organization/list-members", "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"cookie", cookies.encode())], "client": ("127.0.0.1", 1),
        "scheme": "http", "http_version": "1.1", "server": ("localhost", 80), "root_path": "",
    }  # fmt: skip

    async def read_slowly(message: Message) -> None:
        await asyncio.sleep(2 * SOON)
        sent.append(message)

    async def nothing_more() -> Message:
        return {"type": "http.disconnect"}

    async def ask() -> None:
        settings = settings_for(module_database)
        gate = create_app(settings, clock)
        # a node of its own, since its connections belong to the event loop
        gate.services = services = open_services(settings, clock)
        try:
            await gate(scope, nothing_more, read_slowly)
        finally:
            await services.last_active_buffer.close()
            await services.sessions.close()
            await services.organizations.close()
            services.close()

    asyncio.run(ask())
    assert [(one["type"], one.get("status")) for one in sent] == [
        ("http.response.start", 200),
        ("http.response.body", None),
    ]
