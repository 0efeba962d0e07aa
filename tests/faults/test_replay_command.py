"""`daybook replay` as a process: what it prints for people and for programs, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.commands.session import sign_out
from domain.commands.user import sign_up
from domain.store.envelope import WhereFrom
from tests.databases import Database
from tests.keeping import caught_up
from tests.lived import context_over
from tests.people import CY, NOON, PASSWORD
from tests.server import Server

AT_HOME = WhereFrom("192.0.2.1", "Mozilla/5.0 (X11; Linux x86_64)")
AWAY = WhereFrom("198.51.100.7", "")
HOSTILE = "Ada \x1b[2J\u202e[bold]Lovelace"
"""A name that clears the screen, turns the direction of writing, and looks like markup."""


@dataclass(frozen=True)
class Ada:
    """Who has signed up and, an hour later, out; `signed_up_at` is when the first was recorded."""

    database: Database
    user_id: UUID
    session_id: UUID
    organization_id: UUID
    token: str
    signed_up_at: str


@pytest.fixture(scope="module")
def ada(module_database: Database) -> Ada:
    """Her story is in the log and in the journal: positions 0 to 5."""
    database = module_database
    with context_over(database) as context:
        signed_in = sign_up(
            context,
            email="ada@example.com",
            name=HOSTILE,
            image=None,
            password=PASSWORD,
            remembered=True,
            now=NOON,
            where_from=AT_HOME,
        ).session
        [[session_id, user_id]] = database.rows("SELECT session_id, user_id FROM session_list")
        caught_up(database)
        signed_up_at = database.value("SELECT max(recorded_at) FROM log")
        # the log counts milliseconds
        database.rows("SELECT pg_sleep(0.01)")
        sign_out(context, session_id=session_id, now=NOON + timedelta(hours=1), where_from=AWAY)
        caught_up(database)
    organization_id = database.value("SELECT organization_id FROM organization_list")
    return Ada(database, user_id, session_id, organization_id, signed_in.token, signed_up_at.isoformat())


def replay(ada: Ada, tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = Server(tmp_path / "log", {"DATABASE_URL": ada.database.application_url}).environment
    command = [sys.executable, "-m", "api.cli", "replay", *options]
    return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=30)


def told(ada: Ada, tmp_path: Path, *options: str) -> str:
    ended = replay(ada, tmp_path, *options)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def steps(ada: Ada, tmp_path: Path, *options: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in told(ada, tmp_path, *options, "--json").splitlines()]


def test_a_person_s_story_for_programs_is_one_object_a_line(ada: Ada, tmp_path: Path) -> None:
    found = steps(ada, tmp_path, "--user", str(ada.user_id))
    assert [(one["position"], one["event"]) for one in found] == [
        (0, "SignedUp"),
        (1, "PersonalOrganizationFounded"),
        (2, "MemberJoined"),
        (3, "SessionStarted"),
        (4, "OrganizationChosen"),
        (5, "SessionEnded"),
    ]
    user, session, organization = ada.user_id.hex, ada.session_id.hex, ada.organization_id.hex
    last = found[-1]
    assert last["recorded_at"] > found[0]["recorded_at"]
    assert last | {"recorded_at": None, "state": None} == {
        "position": 5,
        "recorded_at": None,
        "at": "2026-03-14T13:00:00.000Z",
        "event": "SessionEnded",
        "stream_id": session,
        "version": 3,
        "actor": {"kind": "user", "id": user},
        "session_id": session,
        "ip_address": "198.51.100.7",
        "user_agent": "",
        "fields": {"reason": "signed_out"},
        "state": None,
    }
    assert set(last["state"]) == {"account", "sessions", "organizations", "memberships", "invitations", "api_keys"}
    assert last["state"]["account"]["name"] == HOSTILE
    assert last["state"]["sessions"] == {
        session: {
            "session_id": session,
            "user_id": user,
            "way": "password",
            "epoch": 0,
            "organization_id": organization,
            "organization_chosen_at": "2026-03-14T12:00:00.000Z",
            "ip_address": "192.0.2.1",
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
            "moved_at": None,
            "moved_ip_address": None,
            "moved_user_agent": None,
            "created_at": "2026-03-14T12:00:00.000Z",
            "updated_at": "2026-03-14T12:00:00.000Z",
            "authenticated_at": "2026-03-14T12:00:00.000Z",
            "expires_at": "2026-03-21T12:00:00.000Z",
            "ended_at": "2026-03-14T13:00:00.000Z",
            "end_reason": "signed_out",
        }
    }
    assert list(last["state"]["organizations"]) == [organization]


def test_an_organization_and_a_session_have_stories_too(ada: Ada, tmp_path: Path) -> None:
    organization = steps(ada, tmp_path, "--organization", ada.organization_id.hex)
    assert [one["position"] for one in organization] == [1, 2]
    assert organization[-1]["state"]["organization"]["organization_id"] == ada.organization_id.hex
    session = steps(ada, tmp_path, "--session", ada.session_id.hex)
    assert [one["position"] for one in session] == [3, 4, 5]
    assert [one["state"]["session"]["end_reason"] for one in session] == [None, None, "signed_out"]


def test_a_story_for_people_is_one_block_a_step(ada: Ada, tmp_path: Path) -> None:
    printed = told(ada, tmp_path, "--user", ada.user_id.hex)
    blocks = printed.rstrip("\n").split("\n\n")
    assert [block.split()[:2] for block in blocks] == [
        ["0", "SignedUp"], ["1", "PersonalOrganizationFounded"], ["2", "MemberJoined"], ["3", "SessionStarted"],
        ["4", "OrganizationChosen"], ["5", "SessionEnded"],
    ]  # fmt: skip
    head, cause, fields, *state = blocks[3].splitlines()
    assert head.startswith(f"3 SessionStarted  {ada.session_id.hex} v1, recorded 2")
    assert cause == (
        f"  2026-03-14T12:00:00.000Z by user {ada.user_id.hex} through session {ada.session_id.hex}"
        ' from 192.0.2.1 with "Mozilla/5.0 (X11; Linux x86_64)"'
    )
    assert fields == f"  user_id={ada.user_id.hex} way=password epoch=0 expires_at=2026-03-21T12:00:00.000Z"
    assert [line.split()[0] for line in state] == ["account", ">", "organizations", "memberships"]
    assert "email=ada@example.com" in state[0]
    assert state[1].startswith(f"  > sessions      session_id={ada.session_id.hex} ")
    assert blocks[5].splitlines()[1].endswith(" from 198.51.100.7")


def test_a_name_does_nothing_to_the_terminal(ada: Ada, tmp_path: Path) -> None:
    for options in ([], ["--json"]):
        printed = told(ada, tmp_path, "--user", ada.user_id.hex, *options)
        assert printed.isascii()
        assert printed.replace("\n", "").isprintable()
        assert "\\u001b[2J\\u202e[bold]Lovelace" in printed


def test_a_name_is_told_on_a_terminal_that_cannot_show_it(database: Database, tmp_path: Path) -> None:
    with context_over(database) as context:
        sign_up(
            context, email="zoe@example.com", name="Zo\u00eb \U0001f600", image=None, password=PASSWORD,
            remembered=True, now=NOON, where_from=AT_HOME,
        )  # fmt: skip
        caught_up(database)
    server = Server(tmp_path / "log", {"DATABASE_URL": database.application_url})
    command = [
        sys.executable,
        "-m",
        "api.cli",
        "replay",
        "--user",
        str(database.value("SELECT user_id FROM account_list")),
    ]
    environment = server.environment | {"PYTHONIOENCODING": "ascii"}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Zo\\xeb \\U0001f600" in ended.stdout


def test_no_secret_and_no_hash_is_printed(ada: Ada, tmp_path: Path) -> None:
    [[token_hash, email_slot]] = ada.database.rows("SELECT token_hash, email_slot FROM session_list, account_list")
    printed = told(ada, tmp_path, "--user", ada.user_id.hex) + told(ada, tmp_path, "--user", ada.user_id.hex, "--json")
    assert not any(secret in printed for secret in (ada.token, token_hash.hex(), email_slot.hex(), "hash", "slot"))


@pytest.mark.parametrize("options", [["--position", "4"], ["--until", "its moment"]])
def test_a_story_ends_at_a_position_or_a_moment(ada: Ada, tmp_path: Path, options: list[str]) -> None:
    given = [ada.signed_up_at if option == "its moment" else option for option in options]
    found = steps(ada, tmp_path, "--user", ada.user_id.hex, *given)
    assert [one["position"] for one in found] == [0, 1, 2, 3, 4]
    assert found[-1]["state"]["sessions"][ada.session_id.hex]["ended_at"] is None


STRANGER = CY.hex


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "Whose story? Give one of --user, --organization and --session."),
        (["--user", STRANGER, "--session", STRANGER], "Whose story? Give one of --user, --organization and --session."),
        (["--user", STRANGER], f"There is no user {STRANGER} in the log up to position 5."),
        (["--session", STRANGER, "--position", "2"], f"There is no session {STRANGER} in the log up to position 2."),
        (["--user", STRANGER, "--position", "6"], "The log has not come to position 6: its head is 5."),
        (
            ["--user", STRANGER, "--position", "1", "--until", "2026-03-14T12:00:00Z"],
            "Give --until or --position, not both.",
        ),
        (
            ["--user", STRANGER, "--until", "2026-03-14T12:00:00"],
            "--until '2026-03-14T12:00:00' does not say in which zone: add Z, or an offset like +01:00.",
        ),
        (
            ["--user", STRANGER, "--until", "yesterday"],
            "--until 'yesterday' is not a moment as ISO 8601 writes it, like 2026-03-14T12:00Z.",
        ),
        (
            ["--user", STRANGER, "--until", "9999-12-31T23:59:59-14:00"],
            "--until '9999-12-31T23:59:59-14:00' is yet to come.",
        ),
        (["--user", STRANGER, "--until", "0001-01-01T00:00:00+14:00"], "Nothing was in the log then."),
    ],
)
def test_what_cannot_be_told_is_refused_in_one_sentence(
    ada: Ada, tmp_path: Path, options: list[str], sentence: str
) -> None:
    ended = replay(ada, tmp_path, *options)
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", sentence + "\n")
