"""Fifty at once past the refresh window extend a session once, whichever worker they ask; inside it, nobody does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from domain.clock import now
from domain.commands.context import Context
from tests.api.browser import Answer
from tests.databases import Database
from tests.faults.at_once import Request, Sent, at_once, lines_to, over, taking_turns
from tests.faults.owners import joined, signed_in
from tests.server import Server

SETTINGS: dict[str, object] = {}
ROUNDS = 10
TABS = 50
INSIDE = 10_000
RENEWED = ["SessionStarted", "OrganizationChosen", "SessionRenewed"]
PATHS = ("/get-session", "/list-sessions", "/list-accounts", "/get-session", "/organization/activity")
NAMES = "SELECT name FROM events WHERE stream_id = %s ORDER BY version"
EVENTS = "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM commands)"


def test_fifty_at_once_past_the_window_append_one_renewal(
    server: Server, context: Context, module_database: Database
) -> None:
    ada = joined(server, "ada@example.com")
    with lines_to(server, TABS // 2) as by_worker:
        lines = taking_turns(by_worker)
        for _ in range(ROUNDS):
            # begun for a day and shown without the word that it must not be extended: due at once (wire.md §8)
            device = signed_in(context, ada, remembered=False)
            answers = at_once(
                [
                    Sent(line, Request(path=PATHS[number // 2 % len(PATHS)], token=device.token))
                    for number, line in enumerate(lines)
                ]
            )
            require_let_in(answers, TABS)
            ends = {end(answer.json()) for answer in answers if isinstance(answer.json(), dict)} - {None}
            assert len(ends) == 1
            assert names(module_database, device.session_id) == RENEWED


def test_ten_thousand_inside_the_window_append_nothing(
    server: Server, context: Context, module_database: Database
) -> None:
    bo = joined(server, "bo@example.com")
    device = signed_in(context, bo)
    [before] = module_database.rows(EVENTS)
    with lines_to(server, 8) as by_worker:
        paths = [PATHS[number % len(PATHS)] if number % 7 == 0 else "/get-session" for number in range(INSIDE)]
        requests = [Request(path=path, token=device.token) for path in paths]
        answers = over(taking_turns(by_worker), requests)
    require_let_in(answers, INSIDE)
    assert module_database.rows(EVENTS) == [before]


def require_let_in(answers: Sequence[Answer], many: int) -> None:
    """So many answers, none of which says that nobody is signed in."""
    assert len(answers) == many
    assert {answer.status for answer in answers} == {200}
    assert all(answer.content != b"null" for answer in answers)


def end(answer: dict[str, dict[str, str]]) -> datetime | None:
    """When the session is over by the word of /get-session, which is in seven days."""
    if "session" not in answer:
        return None
    moment = datetime.fromisoformat(answer["session"]["expiresAt"])
    assert abs(moment - now() - timedelta(days=7)) < timedelta(minutes=1)
    return moment


def names(database: Database, session_id: UUID) -> list[str]:
    """What happened to a session, in order."""
    return [name for [name] in database.rows(NAMES, session_id)]
