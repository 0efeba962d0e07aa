"""`daybook user`, `session` and `organization`: what an operator sees and does, and what the person is told of it."""

from __future__ import annotations

import re

import pytest

from domain.clock import now
from tests.api.browser import Browser
from tests.api.cli.terminal import Terminal
from tests.api.conftest import HandClock, settings_for
from tests.api.routes.fellows import Person, new_email
from tests.databases import Database
from tests.keeping import caught_up
from tests.people import PASSWORD
from tests.server import application

NOBODY = "0" * 32
EVENTS = "SELECT count(*) FROM events"


@pytest.fixture
def terminal(module_database: Database, clock: HandClock) -> Terminal:
    # the program has a clock of its own, and sessions are to be live on both
    clock.now = now()
    return Terminal(module_database)


@pytest.fixture
def ada(url: str, terminal: Terminal) -> Person:
    return Person(url, "Ada")


def journal(database: Database, person: Browser) -> list[str]:
    """What the person's own list tells, newest first."""
    caught_up(database)
    answer = person.get("/activity/list")
    assert answer.status == 200, answer.content
    return [entry["text"] for entry in answer.json()["entries"]]


def test_an_account_is_shown_by_its_address_in_whatever_case_and_by_its_id(terminal: Terminal, ada: Person) -> None:
    shown = terminal.told("user", "show", "--email", ada.email.upper())
    assert shown == terminal.told("user", "show", "--user", ada.user_id)
    [own] = ada.told("list")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]{12}Z", shown.pop("createdAt"))
    assert shown == {
        "id": ada.user_id,
        "email": ada.email,
        "emailVerified": False,
        "name": "Ada",
        "passwordChangedAt": None,
        "closedAt": None,
        "sessions": 1,
        "organizations": [{"id": own["id"], "name": "Ada's Organization", "role": "owner"}],
    }


def test_it_is_shown_in_lines_that_a_name_cannot_break(terminal: Terminal, ada: Person) -> None:
    assert ada.post("/update-user", {"name": "Mal\nid  [red]x"}).status == 200
    code, said, _ = terminal.run("user", "show", "--user", ada.user_id)
    assert code == 0
    lines = [re.split(r"  +", line, maxsplit=1) for line in said.splitlines()]
    assert [label.split()[0] for label, *_ in lines] == [
        "id", "address", "name", "created", "password", "live", "organization"
    ]  # fmt: skip
    assert dict(line for line in lines if len(line) == 2)["name"] == "Mal id [red]x"


def test_accounts_are_listed_newest_first_a_page_at_a_time(url: str, terminal: Terminal, ada: Person) -> None:
    bo, cy = Person(url, "Bo"), Person(url, "Cy")
    first = terminal.told("user", "list", "--limit", "2")
    assert [user["id"] for user in first["users"]] == [cy.user_id, bo.user_id]
    assert first["more"]
    second = terminal.told("user", "list", "--limit", "1", "--after", bo.user_id)
    assert [user["id"] for user in second["users"]] == [ada.user_id]
    code, said, _ = terminal.run("user", "list", "--limit", "2")
    assert (code, len(said.splitlines())) == (0, 3)
    assert said.splitlines()[2] == f"And more: --after {bo.user_id}"
    last = terminal.told("user", "list", "--after", NOBODY)
    assert last == {"users": [], "more": False}


def test_only_live_sessions_are_counted_and_listed(terminal: Terminal, ada: Person) -> None:
    phone, tablet = ada.another_device(), ada.another_device()
    tablet.post("/sign-out", {})
    listed = terminal.told("session", "list", "--email", ada.email)["sessions"]
    assert {one["id"] for one in listed} == {ada.session()["id"], phone.session()["id"]}
    assert terminal.told("user", "show", "--email", ada.email)["sessions"] == 2
    ada.post("/revoke-sessions", {})
    assert terminal.told("session", "list", "--email", ada.email) == {"sessions": []}
    assert terminal.run("session", "list", "--email", ada.email)[1] == "No live sessions.\n"
    assert terminal.told("user", "show", "--email", ada.email)["sessions"] == 0


def test_one_session_is_ended_by_its_id_and_the_person_is_told_who_did(
    terminal: Terminal, ada: Person, module_database: Database
) -> None:
    phone = ada.another_device()
    handle = phone.session()["id"]
    assert terminal.told("session", "revoke", handle, "--user", ada.user_id) == {"id": ada.user_id, "session": handle}
    assert phone.session() is None
    assert ada.session() is not None
    assert re.fullmatch(r"An operator ended your session on .+\.", journal(module_database, ada)[0])
    again = terminal.refused("session", "revoke", handle, "--user", ada.user_id)
    assert again == "The person has no live session with this id."


def test_nobody_elses_session_is_ended(url: str, terminal: Terminal, ada: Person) -> None:
    bo = Person(url, "Bo")
    sentence = terminal.refused("session", "revoke", bo.session()["id"], "--email", ada.email)
    assert sentence == "The person has no live session with this id."
    assert bo.session() is not None


def test_all_sessions_are_ended_at_once(terminal: Terminal, ada: Person, module_database: Database) -> None:
    phone = ada.another_device()
    terminal.told("session", "revoke", "--all", "--email", ada.email)
    assert (ada.session(), phone.session()) == (None, None)
    assert ada.sign_in(ada.email).status == 200
    assert "An operator ended all of your sessions." in journal(module_database, ada)


def test_a_reset_password_signs_in_and_the_old_one_and_all_sessions_are_over(
    terminal: Terminal, ada: Person, module_database: Database
) -> None:
    code, said, complained = terminal.run("user", "reset-password", "--email", ada.email)
    assert (code, complained) == (0, "")
    done, shown, advice = said.splitlines()
    assert done == f"The account {ada.user_id} has another password, and all of its sessions were ended."
    assert "change" in advice
    password = shown.removeprefix("Password, shown this once: ")
    assert ada.session() is None
    assert ada.sign_in(ada.email).problem == (401, "INVALID_EMAIL_OR_PASSWORD")
    assert ada.sign_in(ada.email, password).status == 200
    told = journal(module_database, ada)
    # whether the refused attempt is written down by now, nobody waits for
    assert (
        "An operator changed your password. All sessions that began with the old password were ended. An operator ended"
        " all of your API keys."
    ) in told[1:]
    [command] = module_database.rows(
        "SELECT DISTINCT c.actor_kind FROM commands c JOIN events e USING (command_id)"
        " WHERE e.stream_id = %s::uuid AND e.name = 'PasswordChanged'",
        ada.user_id,
    )
    assert command == ("operator",)


def test_the_person_reads_who_changed_their_address(terminal: Terminal, ada: Person, module_database: Database) -> None:
    phone, new = ada.another_device(), new_email()
    terminal.told("user", "change-email", "--user", ada.user_id, new)
    assert (ada.session(), phone.session()) == (None, None)
    assert ada.sign_in(ada.email).status == 401
    assert ada.sign_in(new).json()["user"]["emailVerified"] is True
    told = (
        f"An operator changed your address from “{ada.email}” to “{new}”. An operator ended all of your sessions."
        " An operator ended all of your API keys."
    )
    assert told in journal(module_database, ada)


def test_a_password_from_standard_input_is_never_printed(terminal: Terminal, ada: Person) -> None:
    said = terminal.told("user", "reset-password", "--email", ada.email, "--stdin", typed="battery staple 2\n")
    assert said == {"id": ada.user_id}
    assert ada.sign_in(ada.email, "battery staple 2").status == 200
    email = new_email()
    made = terminal.told("user", "create", "--email", email, "--stdin", typed="battery staple 3\r\n")
    assert set(made) == {"id"}
    assert ada.sign_in(email, "battery staple 3").status == 200


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "There was no password on standard input."),
        ("short\n", "A password has 8 characters or more."),
        ("x" * 129, "A password has 128 characters at most."),
        ("password\n", "This is one of the passwords that are tried first. "),
        ("daybook 2024\n", "Without your name, your address and other words that are known here, "),
    ],
)
def test_an_operator_sets_no_weak_password_either(
    terminal: Terminal, ada: Person, module_database: Database, typed: str, told: str
) -> None:
    before = module_database.value(EVENTS)
    for command in (["reset-password", "--email", ada.email], ["create", "--email", new_email()]):
        assert terminal.refused("user", *command, "--stdin", typed=typed).startswith(told)
    assert module_database.value(EVENTS) == before
    assert ada.sign_in(ada.email).status == 200


def test_who_is_locked_out_by_wrong_passwords_is_let_in_again(terminal: Terminal, module_database: Database) -> None:
    with application(settings_for(module_database, rate_limit="on", wrong_passwords=2), now) as url:
        stranger, email = Browser(url), new_email()
        user_id = stranger.sign_up(email).json()["user"]["id"]
        stranger.cookies.clear()
        assert [stranger.sign_in(email, "wrong horse 1").status for _ in range(3)] == [401, 401, 429]
        module_database.rows("DELETE FROM rate_limits WHERE get_byte(key, 0) = 1")
        assert stranger.sign_in(email).status == 429
        assert terminal.told("user", "unlock", "--email", email) == {"id": user_id, "counted": True}
        assert stranger.sign_in(email).status == 200
        told = "An operator unlocked your account: the wrong passwords so far count no more."
        assert told in journal(module_database, stranger)
        code, said, _ = terminal.run("user", "unlock", "--user", user_id)
        assert (code, said) == (0, f"The account {user_id} is unlocked. No wrong passwords had counted.\n")


def test_an_organization_is_shown_by_its_slug_and_its_id_with_its_members(
    url: str, terminal: Terminal, ada: Person
) -> None:
    bo = Person(url, "Bo")
    organization_id = ada.founds("acme-of-the-operator")
    ada.takes_in(bo, "admin")
    ada.invites(new_email())
    shown = terminal.told("organization", "show", "--slug", "acme-of-the-operator")
    assert shown == terminal.told("organization", "show", organization_id)
    facts = {name: shown[name] for name in ("id", "slug", "personal", "closedAt", "members", "pendingInvitations")}
    assert facts == {
        "id": organization_id,
        "slug": "acme-of-the-operator",
        "personal": False,
        "closedAt": None,
        "members": 2,
        "pendingInvitations": 1,
    }
    assert [(one["email"], one["role"]) for one in shown["memberList"]] == [(ada.email, "owner"), (bo.email, "admin")]
    code, said, _ = terminal.run("organization", "show", organization_id, "--limit", "1")
    assert (code, said.splitlines()[-1]) == (0, "And more: --limit shows as many as you say.")


def test_organizations_are_listed_newest_first_closed_ones_too(terminal: Terminal, ada: Person) -> None:
    older, newer = ada.founds("older-of-two"), ada.founds("newer-of-two")
    ada.done("delete", organizationId=newer)
    first = terminal.told("organization", "list", "--limit", "1")
    assert [(one["id"], one["closedAt"] is None, one["members"]) for one in first["organizations"]] == [
        (newer, False, 0)
    ]
    assert first["more"]
    behind = terminal.told("organization", "list", "--limit", "1", "--after", newer)
    assert [one["id"] for one in behind["organizations"]] == [older]
    lines = terminal.run("organization", "list", "--limit", "2")[1].splitlines()
    assert [line.split()[2] for line in lines[:2]] == ["closed", "open"]
    assert terminal.refused("organization", "show", "--slug", "newer-of-two") == "No open organization has this slug."


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["user", "show"], "Whom? Give --email or --user, one of them."),
        (["user", "show", "--email", "a@x.io", "--user", NOBODY], "Whom? Give --email or --user, one of them."),
        (["user", "show", "--email", "nobody@x.io"], "Nobody has an account with this address."),
        (["user", "show", "--email", "no address"], "Nobody has an account with this address."),
        (["user", "show", "--user", NOBODY], "There is no account with this id."),
        (["user", "show", "--user", "zz"], "'zz' is no id of a person: those have 32 hex digits."),
        (["user", "list", "--after", "zz"], "'zz' is no id of a person: those have 32 hex digits."),
        (["user", "unlock", "--user", NOBODY], "There is no open account with this id."),
        (["user", "reset-password", "--user", NOBODY], "There is no open account with this id."),
        (["session", "revoke", "--user", NOBODY], "Which session? Its id, or --all: one of them."),
        (["session", "revoke", NOBODY, "--all"], "Which session? Its id, or --all: one of them."),
        (["session", "revoke", NOBODY, "--user", NOBODY], "There is no open account with this id."),
        (["session", "revoke", "--all", "--user", NOBODY], "There is no open account with this id."),
        (["organization", "show"], "Which organization? Its id, or --slug: one of them."),
        (["organization", "show", "zz"], "'zz' is no id of an organization: those have 32 hex digits."),
        (["user", "change-email", "new@x.io"], "Whom? Give --email or --user, one of them."),
        (["user", "change-email", "new@x.io", "--user", NOBODY], "There is no open account with this id."),
        (["organization", "show", NOBODY], "There is no organization with this id."),
        (["organization", "show", "--slug", "nowhere"], "No open organization has this slug."),
    ],
)
def test_what_means_nobody_is_refused_in_one_sentence(
    terminal: Terminal, module_database: Database, arguments: list[str], told: str
) -> None:
    before = module_database.value(EVENTS)
    assert terminal.refused(*arguments) == told
    assert terminal.refused(*arguments, "--json") == told
    assert module_database.value(EVENTS) == before


def test_signing_in_by_the_old_password_is_over_wherever_it_is_tried(terminal: Terminal, ada: Person) -> None:
    terminal.told("user", "reset-password", "--user", ada.user_id)
    assert Browser(ada.url).sign_in(ada.email, PASSWORD).status == 401
