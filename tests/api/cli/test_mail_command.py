"""`daybook mail`: what it says is looked at; what was given up is listed, and tried again when the operator says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from tests.databases import Database
from tests.people import SECRET
from tests.server import ROOT

FIRST, SECOND = UUID(int=1), UUID(int=2)
NAMES = [f"invitation.{one.hex}.3" for one in (FIRST, SECOND)]


def run(database: Database, *arguments: str) -> tuple[int, str, str]:
    """`daybook mail` with these arguments: how it ended, what it said, what it complained of."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DAYBOOK_")}
    environment |= {"DAYBOOK_DATABASE_URL": database.application_url, "DAYBOOK_SECRET": SECRET}
    command = [sys.executable, "-m", "api.cli", "mail", *arguments]
    done = subprocess.run(
        command, env=environment | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def given_up(module_database: Database) -> Database:
    """Two that were given up, and one that was sent."""
    module_database.rows("DELETE FROM deliveries")
    for stream_id, state, reason in (
        (FIRST, "given_up", "ENOSPC"),
        (SECOND, "given_up", "550"),
        (UUID(int=3), "sent", None),
    ):
        module_database.rows(
            "INSERT INTO deliveries (kind, stream_id, version, state, attempts, first_due_at, ended_at, reason)"
            " VALUES ('invitation', %s, 3, %s, 82, '2026-03-14 12:00Z', '2026-03-17 12:00Z', %s)",
            stream_id, state, reason,
        )  # fmt: skip
    return module_database


def waiting(database: Database) -> list[UUID]:
    rows = database.rows("SELECT stream_id FROM deliveries WHERE state = 'waiting' ORDER BY stream_id")
    return [stream_id for (stream_id,) in rows]


def test_what_was_given_up_is_listed_with_how_often_and_why(given_up: Database) -> None:
    assert run(given_up, "list") == (
        0,
        f"{NAMES[0]}  82 attempts since 2026-03-14T12:00:00.000Z: ENOSPC\n"
        f"{NAMES[1]}  82 attempts since 2026-03-14T12:00:00.000Z: 550\n",
        "",
    )


def test_programs_are_told_the_same_in_json(given_up: Database) -> None:
    code, said, complained = run(given_up, "list", "--json")
    assert (code, complained) == (0, "")
    told = json.loads(said)
    assert told["more"] is False
    assert told["givenUp"][1] == {
        "name": NAMES[1],
        "kind": "invitation",
        "streamId": SECOND.hex,
        "version": 3,
        "attempts": 82,
        "firstDueAt": "2026-03-14T12:00:00.000Z",
        "givenUpAt": "2026-03-17T12:00:00.000Z",
        "reason": "550",
    }


def test_a_list_that_ends_before_everything_is_shown_says_so(given_up: Database) -> None:
    code, said, complained = run(given_up, "list", "--limit", "1")
    assert (code, complained) == (0, "")
    assert said.splitlines()[0].startswith(NAMES[0])
    assert said.splitlines()[1:] == ["And more: these are the 1 longest ago; --limit shows as many as you say."]
    told = json.loads(run(given_up, "list", "--limit", "1", "--json")[1])
    assert ([one["name"] for one in told["givenUp"]], told["more"]) == ([NAMES[0]], True)
    assert "more" not in run(given_up, "list", "--limit", "2")[1]


def test_of_more_than_a_thousand_it_says_that_there_are_more(given_up: Database) -> None:
    given_up.rows(
        "INSERT INTO deliveries (kind, stream_id, version, state, attempts, ended_at, reason)"
        " SELECT 'invitation', gen_random_uuid(), 4, 'given_up', 1, now(), '550' FROM generate_series(1, 999)"
    )
    *shown, last = run(given_up, "list")[1].splitlines()
    assert (len(shown), last) == (1000, "And more: these are the 1000 longest ago; --limit shows as many as you say.")
    told = json.loads(run(given_up, "list", "--json")[1])
    assert (len(told["givenUp"]), told["more"]) == (1000, True)
    assert len(run(given_up, "list", "--limit", "1001")[1].splitlines()) == 1001


def test_one_is_tried_again_by_its_name(given_up: Database) -> None:
    assert run(given_up, "retry", NAMES[1]) == (0, "1 to be tried again\n", "")
    assert waiting(given_up) == [SECOND]
    assert json.loads(run(given_up, "list", "--json")[1])["givenUp"][0]["name"] == NAMES[0]


def test_all_are_tried_again(given_up: Database) -> None:
    assert run(given_up, "retry", "--all", "--json") == (0, '{"retried": 2}\n', "")
    assert waiting(given_up) == [FIRST, SECOND]
    assert run(given_up, "list") == (0, "Nothing was given up.\n", "")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Which message? NAME, or --all.\n"),
        (["--all", NAMES[0]], "Name messages or give --all, not both.\n"),
        (["Bo's"], "is no message's name"),
        ([NAMES[0], f"invitation.{UUID(int=3).hex}.3"], "1 of these neither wait nor were given up.\n"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(given_up: Database, arguments: list[str], sentence: str) -> None:
    code, _, complained = run(given_up, "retry", *arguments)
    assert code == 1
    assert sentence in complained


@pytest.fixture
def with_waiting(given_up: Database) -> Database:
    """And three that wait: one for its next try, one that was not tried yet, one that is tried at the moment."""
    for number, attempts, due_at, lease, reason in (
        (4, 7, "2030-03-14 12:40Z", None, "SMTP 535 at AUTH"),
        (5, 0, "2026-03-14 12:00Z", None, None),
        (6, 3, "2030-03-14 12:50Z", UUID(int=9), "SMTP 450 at RCPT"),
    ):
        given_up.rows(
            "INSERT INTO deliveries (kind, stream_id, version, attempts, first_due_at, due_at, lease, reason)"
            " VALUES ('password-reset', %s, 1, %s, '2026-03-14 12:00Z', %s, %s, %s)",
            UUID(int=number), attempts, due_at, lease, reason,
        )  # fmt: skip
    return given_up


RESETS = {number: f"password-reset.{UUID(int=number).hex}.1" for number in (4, 5, 6)}
DUE_NOW = "SELECT stream_id FROM deliveries WHERE state = 'waiting' AND due_at <= clock_timestamp() ORDER BY stream_id"


def test_what_waits_is_listed_with_when_it_is_tried_next_and_why_it_failed_last(with_waiting: Database) -> None:
    assert run(with_waiting, "list", "--waiting") == (
        0,
        f"{RESETS[5]}  0 attempts since 2026-03-14T12:00:00.000Z, next at 2026-03-14T12:00:00.000Z\n"
        f"{RESETS[4]}  7 attempts since 2026-03-14T12:00:00.000Z, next at 2030-03-14T12:40:00.000Z: SMTP 535 at AUTH\n"
        f"{RESETS[6]}  3 attempts since 2026-03-14T12:00:00.000Z, next at 2030-03-14T12:50:00.000Z: SMTP 450 at RCPT\n",
        "",
    )
    told = json.loads(run(with_waiting, "list", "--waiting", "--limit", "2", "--json")[1])
    assert (told["more"], [one["reason"] for one in told["waiting"]]) == (True, [None, "SMTP 535 at AUTH"])
    assert told["waiting"][1] == {
        "name": RESETS[4],
        "kind": "password-reset",
        "streamId": UUID(int=4).hex,
        "version": 1,
        "attempts": 7,
        "firstDueAt": "2026-03-14T12:00:00.000Z",
        "nextTryAt": "2030-03-14T12:40:00.000Z",
        "reason": "SMTP 535 at AUTH",
    }
    assert "these are the 1 to be tried next" in run(with_waiting, "list", "--waiting", "--limit", "1")[1]


def test_where_nothing_waits_that_is_said(given_up: Database) -> None:
    assert run(given_up, "list", "--waiting") == (0, "Nothing waits.\n", "")


def test_what_waits_is_tried_now_by_its_name_and_the_wait_goes_on(with_waiting: Database) -> None:
    assert run(with_waiting, "retry", RESETS[4]) == (0, "1 to be tried again\n", "")
    assert [stream_id.int for (stream_id,) in with_waiting.rows(DUE_NOW)] == [4, 5]
    [row] = with_waiting.rows(
        "SELECT attempts, reason, first_due_at = '2026-03-14 12:00Z' FROM deliveries WHERE stream_id = %s", UUID(int=4)
    )
    assert row == (7, "SMTP 535 at AUTH", True)


def test_what_is_tried_at_the_moment_stays_whose_it_is(with_waiting: Database) -> None:
    assert run(with_waiting, "retry", RESETS[6]) == (0, "1 to be tried again\n", "")
    [row] = with_waiting.rows("SELECT lease, due_at > now() FROM deliveries WHERE stream_id = %s", UUID(int=6))
    assert row == (UUID(int=9), True)


def test_all_that_wait_and_that_were_given_up_are_tried_now(with_waiting: Database) -> None:
    assert run(with_waiting, "retry", "--all") == (0, "3 to be tried again\n", "")
    assert [stream_id.int for (stream_id,) in with_waiting.rows(DUE_NOW)] == [1, 2, 4, 5]


def preview(*arguments: str, **settings: str) -> tuple[int, str, str]:
    """`daybook mail preview` where there is neither database nor secret."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DAYBOOK_")}
    environment |= {"PYTHONPATH": str(ROOT), **{f"DAYBOOK_{name}": value for name, value in settings.items()}}
    command = [sys.executable, "-m", "api.cli", "mail", "preview", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def test_what_a_mail_says_is_looked_at_without_sending_it(tmp_path: Path) -> None:
    (tmp_path / "account-deleted.subject.txt").write_text("Auf Wiedersehen")
    (tmp_path / "account-deleted.txt").write_text("Gelöscht: {{ at }} bei {{ service }}.\n")
    words = {"MAIL_TEMPLATES": str(tmp_path), "MAIL_FROM": "Konten <a@x.io>"}
    text = "Gelöscht: 2026-03-14 12:00 UTC bei Konten.\n"
    assert preview("account-deleted", **words) == (0, f"Subject: Auf Wiedersehen\n\n{text}", "")
    assert preview("account-deleted", "--text", **words) == (0, text, "")
    code, html, _ = preview("account-deleted", "--html", **words)
    assert (code, html.startswith("<!DOCTYPE html>")) == (0, True)
    told = json.loads(preview("account-deleted", "--json", **words)[1])
    assert told == {"kind": "account-deleted", "subject": "Auf Wiedersehen", "text": text, "html": html}


def test_what_is_no_kind_and_what_cannot_be_used_are_told_in_a_sentence(tmp_path: Path) -> None:
    code, said, complained = preview("newsletter")
    assert (code, said) == (1, "")
    assert "'newsletter' is no kind of mail; there are: invitation, " in complained
    (tmp_path / "invitation.txt").write_text("{{ lnik }}")
    code, said, complained = preview("invitation", MAIL_TEMPLATES=str(tmp_path))
    assert (code, said) == (1, "")
    assert "invitation.txt, line 1" in complained
