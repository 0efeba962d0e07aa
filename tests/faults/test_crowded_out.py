"""Eight devices sign in at once where three are allowed: the newest three live, the others made room."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

from domain.clock import now
from domain.commands.context import Context
from domain.commands.session import sign_in
from domain.commands.verified_account import verified_account
from tests.databases import Database
from tests.faults.at_once import Request, Sent, at_once, lines_to, taking_turns
from tests.faults.owners import HERE, Owner, joined
from tests.lived import context_over
from tests.people import PASSWORD
from tests.server import Server

ROUNDS = int(os.environ.get("SESSION_RACE_ROUNDS", "12"))
ALLOWED = 3
TOGETHER = 8
SETTINGS = {"SESSIONS_PER_USER": ALLOWED}

REASONS = """
SELECT end_reason FROM session_list WHERE user_id = %s ORDER BY created_at DESC, session_id DESC LIMIT %s
"""
COUNTS = "SELECT end_reason, count(*) FROM session_list WHERE user_id = %s GROUP BY end_reason"


def test_of_eight_parallel_sign_ins_the_newest_three_live(server: Server, module_database: Database) -> None:
    ada = joined(server, "ada@example.com")
    fields = {"email": ada.email, "password": PASSWORD}
    with lines_to(server, TOGETHER // 2) as by_worker:
        for number in range(1, ROUNDS + 1):
            form = Request(method="POST", path="/sign-in/email", fields=fields)
            answers = at_once([Sent(line, form) for line in taking_turns(by_worker)])
            assert [answer.status for answer in answers] == [200] * TOGETHER
            tokens = [answer.json()["token"] for answer in answers]
            for line, *_ in by_worker:
                looks = [line.ask(Request(path="/get-session", token=token)).json() for token in tokens]
                assert sum(look is not None for look in looks) == ALLOWED
            require_crowded(module_database, ada, began=1 + number * TOGETHER)


def test_eight_sign_ins_that_wait_for_no_hash_leave_three_too(
    server: Server, context: Context, module_database: Database
) -> None:
    bo, start = joined(server, "bo@example.com"), Barrier(TOGETHER)
    with context_over(module_database) as elsewhere, ThreadPoolExecutor(TOGETHER) as threads:
        nodes = [replace(one, sessions_per_user=ALLOWED) for one in (context, elsewhere)]

        def sign_in_at(place: int) -> str:
            node = nodes[place % 2]
            verified = verified_account(node, email=bo.email, password=bo.password, now=now())
            start.wait()
            return sign_in(node, verified, remembered=True, now=now(), where_from=HERE).token

        for number in range(1, 10 * ROUNDS + 1):
            tokens = set(threads.map(sign_in_at, range(TOGETHER)))
            assert len(tokens) == TOGETHER
            require_crowded(module_database, bo, began=1 + number * TOGETHER)


def require_crowded(database: Database, owner: Owner, *, began: int) -> None:
    """Of all sessions that began, the newest live, as many as may; the others made room."""
    reasons = [reason for [reason] in database.rows(REASONS, owner.user_id, ALLOWED + TOGETHER)]
    assert reasons[:ALLOWED] == [None] * ALLOWED
    assert set(reasons[ALLOWED:]) == {"crowded_out"}
    assert dict(database.rows(COUNTS, owner.user_id)) == {None: ALLOWED, "crowded_out": began - ALLOWED}
