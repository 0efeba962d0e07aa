"""An organization's journal: who may read it (wire.md part A, "Ours")."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest

from domain import clock as system_clock
from tests.api.browser import BASE, Browser
from tests.api.conftest import HandClock
from tests.api.routes.trails import NOT_A_MEMBER, NOT_ALLOWED, TRAIL, Owner, make_entries, make_member, page
from tests.databases import Database
from tests.keeping import caught_up


@pytest.fixture
def ada(url: str, clock: HandClock, email: str, module_database: Database) -> Owner:
    ada = Owner(url, email)
    caught_up(module_database)
    return ada


@pytest.fixture
def bo(url: str, clock: HandClock, email: str, module_database: Database) -> Owner:
    bo = Owner(url, f"bo.{email}", "Bo")
    caught_up(module_database)
    return bo


def test_an_owner_reads_who_did_what_from_where(ada: Owner) -> None:
    found = page(ada)
    assert found["nextCursor"] is None
    assert found["entries"][0] == {
        "at": "2026-03-14T12:00:00.000Z",
        "event": "PersonalOrganizationFounded",
        "text": "“Ada” founded “Ada's Organization”.",
        "device": "Firefox 132 on Linux",
        "location": "",
        "ipAddress": "127.0.0.1",
        "sessionId": ada.session()["id"],
        "current": True,
        "times": 1,
        "since": "2026-03-14T12:00:00.000Z",
        "newDevice": False,
        "actor": "Ada",
        "actorId": ada.user_id,
        "actorEmail": ada.email,
        "person": "Ada",
        "personId": ada.user_id,
        "personEmail": ada.email,
    }
    assert found["entries"][1:] == []


def test_the_active_organization_is_meant_unless_another_is_named(ada: Owner, bo: Owner) -> None:
    own = page(ada)
    assert page(ada, "?organizationId=") == page(ada, f"?organizationId={ada.organization_id}") == own
    assert ada.get(f"{TRAIL}?organizationId={bo.organization_id}").problem == NOT_A_MEMBER


@pytest.mark.parametrize("role", ["admin", "owner", "member,admin", "owner, member"])
def test_owners_and_admins_may_read_it(ada: Owner, bo: Owner, module_database: Database, role: str) -> None:
    make_member(module_database, bo.user_id, ada.organization_id, role)
    told = page(bo, f"?organizationId={ada.organization_id}")["entries"]
    assert [(entry["actor"], entry["current"]) for entry in told] == [("Ada", False)]


@pytest.mark.parametrize("form", ["json", "csv", "ndjson"])
@pytest.mark.parametrize("role", ["member", "member,guest", "administrator", "ownership"])
def test_others_may_not(ada: Owner, bo: Owner, module_database: Database, role: str, form: str) -> None:
    make_member(module_database, bo.user_id, ada.organization_id, role)
    answer = bo.get(f"{TRAIL}?organizationId={ada.organization_id}&format={form}")
    assert answer.problem == NOT_ALLOWED
    assert answer.json()["message"] == "You are not allowed to read the activity of this organization"


@pytest.mark.parametrize("asked", ["00000000000000000000000000000001", "nothing-of-the-kind", "x" * 500])
def test_an_unknown_organization_is_one_of_others(ada: Owner, asked: str) -> None:
    answer = ada.get(f"{TRAIL}?organizationId={asked}")
    assert answer.problem == NOT_A_MEMBER
    assert answer.json()["message"] == "You are not a member of this organization"


def test_what_no_text_may_hold_is_refused(ada: Owner) -> None:
    assert ada.get(f"{TRAIL}?organizationId=%00").problem == (400, "VALIDATION_ERROR")


def test_without_an_active_organization_one_must_be_named(ada: Owner, module_database: Database) -> None:
    module_database.rows("UPDATE session_list SET organization_id = NULL WHERE user_id = %s", UUID(ada.user_id))
    answer = ada.get(TRAIL)
    assert answer.problem == (400, "NO_ACTIVE_ORGANIZATION")
    assert answer.json()["message"] == "No active organization"
    assert len(page(ada, f"?organizationId={ada.organization_id}")["entries"]) == 1


def test_who_was_removed_reads_no_more_and_of_a_closed_one_only_its_last_owners(
    ada: Owner, bo: Owner, module_database: Database
) -> None:
    make_member(module_database, bo.user_id, ada.organization_id, "admin")
    module_database.rows(
        "UPDATE member_list SET live_user_id = NULL, ended_at = now() WHERE user_id = %s AND organization_id = %s",
        UUID(bo.user_id),
        UUID(ada.organization_id),
    )
    assert bo.get(f"{TRAIL}?organizationId={ada.organization_id}").problem == NOT_A_MEMBER
    make_member(module_database, bo.user_id, ada.organization_id, "admin")
    module_database.rows(
        "UPDATE organization_list SET ended_at = now() WHERE organization_id = %s", UUID(ada.organization_id)
    )
    assert bo.get(f"{TRAIL}?organizationId={ada.organization_id}").problem == NOT_A_MEMBER
    assert len(page(ada, f"?organizationId={ada.organization_id}")["entries"]) == 1


def test_a_role_that_was_taken_away_counts_at_once(ada: Owner, module_database: Database) -> None:
    module_database.rows("UPDATE member_list SET role = 'member' WHERE user_id = %s", UUID(ada.user_id))
    assert ada.get(TRAIL).problem == NOT_ALLOWED


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=0", "[query.limit] "),
        ("limit=101", "[query.limit] "),
        ("cursor=nonsense", "[query.cursor] Invalid input"),
        ("type=AttemptRefused", "[query.type] "),
        ("type=Nonsense", "[query.type] "),
        ("actor=somebody", "[query.actor] "),
        ("actor=01890000-0000-7000-8000-0000000000a1", "[query.actor] "),
        ("from=yesterday", "[query.from] "),
        ("from=2026-03-14", "[query.from] "),
        ("from=2026-03-14T12:00:00", "[query.from] "),
        ("from=2026-03-14T12:00:00+01:00", "[query.from] "),
        ("from=1773489600", "[query.from] "),
        ("to=2026-03-14%2012:00:00Z", "[query.to] "),
        ("to=2026-02-30T12:00:00Z", "[query.to] "),
        ("format=xlsx", "[query.format] "),
        ("format=CSV", "[query.format] "),
        ("from=2026-03-14T12:00:00Z&from=2026-03-14T12:00:00Z", "[query.from] Invalid input: expected string"),
        ("actor=x&limit=0", "[query.limit] Invalid input; [query.actor] Invalid input"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anybody_asks_who_is_there(
    ada: Owner, url: str, query: str, message: str
) -> None:
    for browser in (ada, Browser(url)):
        answer = browser.get(f"{TRAIL}?{query}&organizationId=nobodys")
        assert answer.problem == (400, "VALIDATION_ERROR")
        assert answer.json()["message"].startswith(message)


@pytest.mark.parametrize("query", ["", "?format=csv", "?organizationId=01890000000070008000000000000001"])
def test_without_a_session_there_is_none(url: str, clock: HandClock, query: str) -> None:
    assert Browser(url).get(f"{TRAIL}{query}").problem == (401, "UNAUTHORIZED")


def test_it_is_found_by_who_and_what(ada: Owner, bo: Owner) -> None:
    [founded] = page(ada)["entries"]
    # what a founding says already is told as what was asked for
    assert page(ada, "?type=MemberJoined")["entries"] == [founded | {"event": "MemberJoined"}]
    assert page(ada, f"?actor={ada.user_id}&type=PersonalOrganizationFounded")["entries"] == [founded]
    assert page(ada, "?type=SessionStarted")["entries"] == page(ada, f"?actor={bo.user_id}")["entries"] == []
    assert page(ada, "?type=&actor=&from=&to=&format=&limit=&cursor=")["entries"] == [founded]


def test_it_is_found_by_when(url: str, clock: HandClock, email: str, module_database: Database) -> None:
    then = clock.now = system_clock.now() - timedelta(hours=1)
    ada = Owner(url, email)
    caught_up(module_database)
    after = then + timedelta(milliseconds=1)

    def entries(**moments: datetime | str) -> int:
        query = "&".join(
            f"{name}={quote(moment if isinstance(moment, str) else moment.isoformat())}"
            for name, moment in moments.items()
        )
        return len(page(ada, f"?{query}")["entries"])

    assert entries(**{"from": then}) == entries(to=after) == entries(**{"from": then, "to": after}) == 1
    assert entries(**{"from": after}) == entries(to=then) == entries(**{"from": after, "to": then}) == 0
    in_india = then.astimezone(datetime.strptime("+0530", "%z").tzinfo)
    assert entries(**{"from": in_india}) == 1
    assert entries(to=then.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")) == 0
    assert entries(**{"from": "0001-01-01T00:00:00Z", "to": "9999-12-31T23:59:59.999999Z"}) == 1
    assert entries(**{"from": "0001-01-01T00:00:00+14:00", "to": "9999-12-31T23:59:59-14:00"}) == 1
    assert entries(**{"from": "9999-12-31T23:59:59-14:00"}) == entries(to="0001-01-01T00:00:00+14:00") == 0


def test_pages_follow_each_other(ada: Owner, module_database: Database) -> None:
    make_entries(module_database, ada.organization_id, 60)
    whole = page(ada, "?limit=100")
    assert (len(whole["entries"]), whole["nextCursor"]) == (61, None)
    assert page(ada)["entries"] == whole["entries"][:50]
    found: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        part = page(ada, f"?limit=7&cursor={cursor}")
        found, cursor = found + part["entries"], part["nextCursor"]
        make_entries(module_database, ada.organization_id, 1)
    assert found == whole["entries"]


def test_its_parameters_and_media_types_are_documented(ada: Owner) -> None:
    operation = ada.ask("GET", "/openapi.json").json()["paths"][f"{BASE}{TRAIL}"]["get"]
    found = {one["name"]: one for one in operation["parameters"]}
    assert set(found) == {"organizationId", "limit", "cursor", "actor", "type", "from", "to", "format"}
    for one in found.values():
        assert one["in"] == "query"
        assert one["required"] is False
        assert one["description"]
    assert found["format"]["schema"]["enum"] == ["json", "ndjson", "csv"]
    assert set(operation["responses"]["200"]["content"]) == {
        "application/json",
        "application/x-ndjson",
        "text/csv; charset=utf-8; header=present",
    }
    refused = operation["responses"]["403"]["content"]["application/json"]["examples"]
    of_keys = {"INVALID_API_KEY", "API_KEY_SCOPE_MISSING"}
    assert set(refused) == {NOT_A_MEMBER[1], NOT_ALLOWED[1]} | of_keys
    assert "NO_ACTIVE_ORGANIZATION" in operation["responses"]["400"]["content"]["application/json"]["examples"]
