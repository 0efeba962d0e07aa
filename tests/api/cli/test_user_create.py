"""`daybook user create`: an account made by the operator, and the password it prints (wire.md A4)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.browser import Browser
from tests.api.conftest import HandClock
from tests.databases import Database
from tests.people import SECRET
from tests.server import ROOT


def run(database: Database, *arguments: str, **settings: str) -> tuple[int, str, str]:
    """`daybook user create` with these arguments: how it ended, what it said, what it complained of."""
    given = {"DATABASE_URL": database.application_url, "SECRET": SECRET, **settings}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DAYBOOK_")}
    environment |= {f"DAYBOOK_{name}": value for name, value in given.items()} | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "api.cli", "user", "create", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def test_the_printed_password_signs_in(browser: Browser, email: str, module_database: Database) -> None:
    code, said, complained = run(module_database, "--email", email.upper(), "--name", "Ada [b]Lovelace[/b]")
    assert (code, complained) == (0, "")
    opened, shown, advice = said.splitlines()
    password = shown.removeprefix("Password, shown this once: ")
    assert len(password) >= 32
    answer = browser.sign_in(email, password)
    assert answer.status == 200
    user = answer.json()["user"]
    assert (user["name"], user["email"], user["emailVerified"]) == ("Ada [b]Lovelace[/b]", email, False)
    assert opened == f"Opened the account {user['id']}."
    assert "change" in advice
    assert browser.post(
        "/change-password", {"currentPassword": password, "newPassword": "battery staple 2"}
    ).status == 200  # fmt: skip


def test_it_comes_with_a_personal_organization_and_no_session(
    browser: Browser, email: str, module_database: Database
) -> None:
    code, said, _ = run(module_database, "--email", email, "--name", "Ada", "--json")
    made = json.loads(said)
    assert (code, set(made), said.count("\n")) == (0, {"id", "password"}, 1)
    sessions = module_database.value("SELECT count(*) FROM session_list WHERE user_id = %s::uuid", made["id"])
    assert sessions == 0
    assert browser.sign_in(email, made["password"]).json()["user"]["id"] == made["id"]
    [organization] = browser.get("/organization/list").json()
    assert organization["name"] == "Ada's Organization"
    assert browser.session()["activeOrganizationId"] == organization["id"]


def test_who_has_no_name_lends_it_the_local_part(browser: Browser, email: str, module_database: Database) -> None:
    made = json.loads(run(module_database, "--email", email, "--json")[1])
    browser.sign_in(email, made["password"])
    [organization] = browser.get("/organization/list").json()
    assert organization["name"] == f"{email.partition('@')[0]}'s Organization"


def test_no_two_passwords_are_alike(email: str, module_database: Database) -> None:
    passwords = [
        json.loads(run(module_database, "--email", f"{name}.{email}", "--json")[1])["password"] for name in "ab"
    ]
    assert passwords[0] != passwords[1]


def test_the_operator_may_where_only_who_was_invited_may(email: str, module_database: Database) -> None:
    code, said, _ = run(module_database, "--email", email, "--json", SIGN_UP="invited")
    assert code == 0
    assert json.loads(said)["id"]


def test_where_addresses_are_verified_first_it_is_said(email: str, module_database: Database, tmp_path: Path) -> None:
    settings = {"EMAIL_VERIFICATION": "required", "MAIL_FOLDER": str(tmp_path)}
    code, said, _ = run(module_database, "--email", email, **settings)
    assert code == 0
    assert said.splitlines()[-1].startswith("The address must be verified first: ")
    assert json.loads(run(module_database, "--email", f"b.{email}", "--json", **settings)[1])["verifyFirst"] is True


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_a_taken_address_is_refused_in_whatever_case(
    browser: Browser, email: str, module_database: Database, as_json: list[str]
) -> None:
    browser.sign_up(email)
    events = module_database.value("SELECT count(*) FROM events")
    code, said, complained = run(module_database, "--email", email.upper(), *as_json)
    assert (code, said) == (1, "")
    assert complained.strip() == "This address has an account."
    assert module_database.value("SELECT count(*) FROM events") == events
    assert browser.sign_in(email).status == 200


@pytest.mark.parametrize("address", ["ada", "a@b", "ü@x.io", " a@x.io", "", "a" * 250 + "@x.io"])
def test_these_are_no_addresses(clock: HandClock, module_database: Database, address: str) -> None:
    accounts = module_database.value("SELECT count(*) FROM account_list")
    code, said, complained = run(module_database, "--email", address)
    assert (code, said) == (1, "")
    assert "no address" in complained
    assert len(complained.splitlines()) == 1
    assert module_database.value("SELECT count(*) FROM account_list") == accounts


def test_a_name_may_have_200_characters(email: str, module_database: Database) -> None:
    code, said, complained = run(module_database, "--email", email, "--name", "é" * 201)
    assert (code, said) == (1, "")
    assert "200" in complained
    assert run(module_database, "--email", email, "--name", "é" * 200)[0] == 0


def test_without_an_address_it_says_what_is_missing(module_database: Database) -> None:
    code, said, complained = run(module_database, "--name", "Ada")
    assert (code, said) == (2, "")
    assert "--email" in complained
