"""`daybook erase` and `daybook erasures`: said before, certified, and done again in a restored backup."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.commands.email import request_email_change, verify_email
from domain.mailed_link import Purpose
from domain.store.connections import connection_arguments
from domain.store.mapper import SealingMapper
from projections.maintenance.verify import verify
from tests.api.dumps import found
from tests.databases import Database
from tests.domain.commands.going import ADAS, BOS, HER_WORDS, THEIRS, Town
from tests.keeping import caught_up
from tests.lived import context_over
from tests.lived_by_mail import mailed
from tests.people import SECRET
from tests.server import ROOT


def run(database: Database, *arguments: str) -> tuple[int, str, str]:
    """`daybook` with these arguments: how it ended, what it said, what it complained of."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DAYBOOK_")}
    environment |= {"DAYBOOK_DATABASE_URL": database.application_url, "DAYBOOK_SECRET": SECRET}
    done = subprocess.run(
        [sys.executable, "-m", "api.cli", *arguments], env=environment | {"PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def town(database: Database) -> Iterator[Town]:
    with context_over(database) as context:
        yield Town(context, database)


def is_there(database: Database, user_id: UUID) -> bool:
    return bool(database.value("SELECT email IS NOT NULL FROM account_list WHERE user_id = %s", user_id))


def is_well(town: Town, database: Database) -> bool:
    caught_up(database)
    with psycopg.connect(database.owner_url, **connection_arguments("tests")) as owner:
        return verify(owner, SealingMapper(town.context.keyring), lambda *_: None).clean


def test_what_it_will_take_is_said_first_and_nothing_done_without_a_yes(town: Town) -> None:
    ada, _, _ = town.ada_lives()
    code, said, complained = run(town.database, "erase", "--email", ADAS.upper())
    assert (code, said) == (1, "")
    assert complained.splitlines() == [
        f"The account {ada.hex} will be deleted, and what was personal of it, for good:",
        "  sessions, all that there ever were: 2",
        "  API keys, all that there ever were: 0",
        "  organizations they leave: 1",
        "  organizations that close: 2",
        "  invitations to their addresses, forgotten: 1",
        "  invitations of theirs, taken back: 1",
        "Nothing was done: give --yes.",
    ]
    assert is_there(town.database, ada)


@pytest.mark.parametrize("command", [("erase",), ("user", "close")], ids=" ".join)
def test_who_is_named_is_erased_and_certified(town: Town, tmp_path: Path, command: tuple[str, ...]) -> None:
    ada, bo, _ = town.ada_lives()
    code, said, complained = run(town.database, *command, "--user", ada.hex, "--yes", "--json")
    assert (code, complained) == (0, "")
    told = json.loads(said)
    certified = told["certificate"]["erasure"]
    assert told["effects"]["organizations"] == 2
    assert certified["userId"] == ada.hex
    assert certified["touched"]["session_list"] == 2
    [[position, at]] = town.database.rows(
        "SELECT position, c.at FROM log JOIN events USING (stream_id, version) JOIN commands c USING (command_id)"
        " WHERE name = 'PersonErased'"
    )
    assert (certified["position"], certified["erasedAt"]) == (position, at.isoformat(timespec="milliseconds"))
    assert found(HER_WORDS, said.encode()) == []
    assert (is_there(town.database, ada), is_there(town.database, bo)) == (False, True)
    assert is_well(town, town.database)
    file = tmp_path / "certificate"
    file.write_text(json.dumps(told["certificate"]))
    assert run(town.database, "erasures", "verify", str(file))[0] == 0
    key = run(town.database, "erasures", "key")[1].strip()
    assert run(town.database, "erasures", "verify", str(file), "--public-key", key)[0] == 0
    file.write_text(json.dumps(told["certificate"]).replace(ada.hex, bo.hex))
    code, said, complained = run(town.database, "erasures", "verify", str(file), "--public-key", key)
    assert (code, said) == (1, "")
    assert "is no certificate of this Daybook" in complained


@pytest.mark.parametrize("arguments", [("erase", "--email", ADAS, "--yes", "--json"), ("erasures", "export")])
def test_what_another_node_is_just_moving_into_the_log_is_waited_for(town: Town, arguments: tuple[str, ...]) -> None:
    bo, ada = town.signs_up(BOS, "Bo"), town.signs_up(ADAS, "Ada")
    caught_up(town.database)
    if arguments[0] != "erase":
        town.goes(bo)
    with (
        psycopg.connect(town.database.owner_url, **connection_arguments("tests")) as another,
        ThreadPoolExecutor(max_workers=1) as at_once,
    ):
        another.execute("SELECT pg_advisory_lock(hashtextextended('daybook sequencer', 0))")
        running = at_once.submit(run, town.database, *arguments)
        # it has asked for its turn, and was told that another has it
        while not town.database.value(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'daybook-erasure-log'"
            " AND xact_start IS NULL AND backend_start < clock_timestamp() - interval '0.5 s'"
        ):
            assert not running.done(), running.result()
        another.execute("SELECT pg_advisory_unlock_all()")
        code, said, complained = running.result()
    assert (code, complained) == (0, "")
    assert json.loads(said)["certificate"]["erasure"]["userId"] == (ada if arguments[0] == "erase" else bo).hex


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "Whom? Give --email or --user, one of them."),
        (("--email", ADAS, "--user", "00" * 16), "Whom? Give --email or --user, one of them."),
        (("--email", "nobody@example.com"), "Nobody has an account with this address."),
        (("--email", "nobody"), "Nobody has an account with this address."),
        (("--user", "nobody"), "'nobody' is no id of a person: those have 32 hex digits."),
        (("--user", "00" * 16), "There is no such account."),
    ],
)
def test_whoever_is_not_there_is_said_so(town: Town, arguments: tuple[str, ...], complaint: str) -> None:
    assert run(town.database, "erase", *arguments, "--yes") == (1, "", f"{complaint}\n")


def test_what_others_belong_to_is_closed_only_if_that_is_said(town: Town) -> None:
    ada, bo = town.signs_up(ADAS, "Ada"), town.signs_up(BOS, "Bo")
    works = town.founds(ada, "Works", "works")
    town.takes_in(ada, works, bo)
    code, _, complained = run(town.database, "erase", "--email", ADAS, "--yes")
    assert (code, is_there(town.database, ada)) == (1, True)
    assert "--close-organizations" in complained
    assert run(town.database, "erase", "--email", ADAS, "--yes", "--close-organizations")[0] == 0
    assert not is_there(town.database, ada)
    closed = town.database.value("SELECT ended_at IS NOT NULL FROM organization_list WHERE organization_id = %s", works)
    assert closed
    assert is_well(town, town.database)


def test_a_restored_backup_forgets_again_who_was_erased_and_certifies_the_same(town: Town, tmp_path: Path) -> None:
    ada, bo, _ = town.ada_lives()
    town.takes_in(bo, town.founds(bo, "Engines", "engines"), ada)
    [acme, *_] = town.database.rows("SELECT organization_id FROM organization_list WHERE name = 'Acme'")
    town.invites(bo, acme[0], "dee@example.com")
    with town.database.copied("before") as backup:
        dee = town.signs_up("dee@example.com", "Dee")
        town.goes(ada)
        town.goes(dee)
        caught_up(town.database)
        code, exported, _ = run(town.database, "erasures", "export")
        assert (code, found([*HER_WORDS, "dee@example.com"], exported.encode())) == (0, [])
        assert [one["certificate"]["erasure"]["userId"] for one in lines(exported)] == [ada.hex, dee.hex]
        file = tmp_path / "erasures"
        file.write_text(exported)

        # what is sent after the backup was restored is for who has the address then
        assert is_there(backup, ada)
        told = json.loads(run(backup, "erasures", "reapply", str(file), "--json")[1])
        assert told == {"erased": 1, "absent": 1, "refused": 0, "invitations": 1}
        assert not is_there(backup, ada)
        again = json.loads(run(backup, "erasures", "reapply", str(file), "--json")[1])
        assert again == {"erased": 0, "absent": 2, "refused": 0, "invitations": 0}
        assert lines(run(backup, "erasures", "export")[1]) == lines(exported)
        contents = b"\n".join(str(row).encode() for table in TABLES for row in backup.rows(f"SELECT * FROM {table}"))
        assert found([*HER_WORDS, "dee@example.com"], contents) == []
        assert is_well(town, backup)


def test_whom_a_backup_did_not_know_yet_is_exported_after_it_and_erased_in_a_later_one(
    town: Town, tmp_path: Path
) -> None:
    """A restore of the old backup, and then one of a backup of between: the newest export is enough."""
    ada, bo = town.signs_up(ADAS, "Ada"), town.signs_up(BOS, "Bo")
    with town.database.copied("old") as old:
        dee = town.signs_up("dee@example.com", "Dee")
        with town.database.copied("between") as between:
            town.goes(ada)
            town.goes(dee)
            exported = run(town.database, "erasures", "export")[1]
            file = tmp_path / "erasures"
            file.write_text(exported)
            told = json.loads(run(old, "erasures", "reapply", str(file), "--json")[1])
            assert (told["erased"], told["absent"]) == (1, 1)

            newest = run(old, "erasures", "export")[1]
            assert lines(newest) == lines(exported)
            assert found([*HER_WORDS, "dee@example.com"], newest.encode()) == []
            file.write_text(newest)
            told = json.loads(run(between, "erasures", "reapply", str(file), "--json")[1])
            assert (told["erased"], told["absent"]) == (2, 0)
            assert [is_there(between, one) for one in (ada, bo, dee)] == [False, True, False]
            assert lines(run(between, "erasures", "export")[1]) == lines(exported)
            assert is_well(town, old)
            assert is_well(town, between)


def test_an_address_that_only_the_export_knows_is_not_lost_with_a_restore(town: Town, tmp_path: Path) -> None:
    """They took it after the backup: its history has one address of theirs, the export two."""
    ada, bo = town.signs_up(ADAS, "Ada"), town.signs_up(BOS, "Bo")
    town.invites(bo, town.founds(bo, "Engines", "engines"), "ada@example.org")
    with town.database.copied("before") as backup:
        request_email_change(town.context, town.by(ada), email="ada@example.org", callback_url="/")
        link = mailed(town.context, ada, Purpose.EMAIL_CHANGE)
        verify_email(town.context, link=link, now=town.now, where_from=THEIRS)
        town.goes(ada)
        exported = run(town.database, "erasures", "export")[1]
        [line] = lines(exported)
        assert len(line["addresses"]) == 2
        file = tmp_path / "erasures"
        file.write_text(exported)
        told = json.loads(run(backup, "erasures", "reapply", str(file), "--json")[1])
        assert told == {"erased": 1, "absent": 0, "refused": 0, "invitations": 0}
        assert lines(run(backup, "erasures", "export")[1]) == [line]
        assert backup.rows("SELECT email FROM invitation_list WHERE email IS NOT NULL") == []
        assert is_well(town, backup)


def test_who_could_not_be_erased_again_is_still_exported(town: Town, tmp_path: Path) -> None:
    ada, bo = town.signs_up(ADAS, "Ada"), town.signs_up(BOS, "Bo")
    town.takes_in(ada, town.founds(ada, "Works", "works"), bo)
    with town.database.copied("before") as backup:
        assert run(town.database, "erase", "--email", ADAS, "--yes", "--close-organizations")[0] == 0
        exported = run(town.database, "erasures", "export")[1]
        file = tmp_path / "erasures"
        file.write_text(exported)
        assert run(backup, "erasures", "reapply", str(file))[0] == 1
        assert is_there(backup, ada)
        assert lines(run(backup, "erasures", "export")[1]) == lines(exported)
        assert run(backup, "erasures", "reapply", str(file), "--close-organizations")[0] == 0
        assert lines(run(backup, "erasures", "export")[1]) == lines(exported)


def test_of_a_file_that_was_changed_nothing_is_applied(town: Town, tmp_path: Path) -> None:
    ada, bo, _ = town.ada_lives()
    with town.database.copied("before") as backup:
        town.goes(ada)
        exported = run(town.database, "erasures", "export")[1]
        file = tmp_path / "erasures"
        file.write_text(exported + exported.replace(ada.hex, bo.hex))
        code, said, complained = run(backup, "erasures", "reapply", str(file))
        assert (code, said) == (1, "")
        assert "nothing was done" in complained
        assert is_there(backup, ada)


TABLES = ("account_list", "session_list", "organization_list", "invitation_list", "credentials", "attempts", "pictures")


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]
