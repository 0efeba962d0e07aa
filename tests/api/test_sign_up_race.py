"""Eight people want one address at once, over two workers: one gets it, whole."""

from __future__ import annotations

from pathlib import Path

from tests.crowd import sign_up_together
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import problem, served

ROUNDS = 100
CASES = ["race{}@example.com", "RACE{}@example.com", "Race{}@Example.com", "rAcE{}@EXAMPLE.COM"] * 2


def test_of_eight_parallel_sign_ups_with_one_address_one_succeeds(database: Database, tmp_path: Path) -> None:
    with served(tmp_path / "log", {"DATABASE_URL": database.application_url, "WORKERS": 2}) as server:
        rounds = sign_up_together(
            server.url,
            [
                [{"name": "Ada", "email": case.format(number), "password": PASSWORD} for case in CASES]
                for number in range(ROUNDS)
            ],
        )

    for answers in rounds:
        outcomes = sorted(problem(answer) for answer in answers)
        assert outcomes == [(200, None)] + [(422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL")] * 7

    per_account = database.rows(
        "SELECT count(DISTINCT m.organization_id), count(DISTINCT m.membership_id) FILTER (WHERE m.role = 'owner'),"
        "       count(DISTINCT s.session_id) FILTER (WHERE s.ended_at IS NULL)"
        "  FROM account_list a"
        "  LEFT JOIN member_list m ON m.live_user_id = a.user_id"
        "  LEFT JOIN session_list s ON s.user_id = a.user_id"
        " GROUP BY a.user_id"
    )
    assert per_account == [(1, 1, 1)] * ROUNDS
    for table in ("organization_list", "member_list", "session_list", "credentials", "commands"):
        assert database.value(f"SELECT count(*) FROM {table}") == ROUNDS
    # of the person and of their organization
    assert database.value("SELECT count(*) FROM subject_keys") == 2 * ROUNDS
    assert database.value("SELECT count(*) FROM events") == 5 * ROUNDS
    assert "unexpected" not in (tmp_path / "log").read_text()
