"""Founding an organization, and changing it (wire.md §10, A20)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.browser import CLEARED, Browser
from tests.api.conftest import HandClock, settings_for
from tests.api.routes.fellows import NO_ID, Person, new_slug
from tests.databases import Database
from tests.server import application

TAKEN = (400, "ORGANIZATION_ALREADY_EXISTS")


@pytest.fixture(scope="module")
def closed_url(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """Where nobody may found organizations beside their own."""
    settings = settings_for(module_database, create_organizations="off")
    with application(settings, module_clock) as url:
        yield url


def test_who_founds_one_owns_it_and_is_turned_to_it(ada: Person) -> None:
    slug = new_slug()
    founded = ada.done("create", name="Acme", slug=slug, logo="https://x.io/a.png", metadata={"plan": {"seats": 3}})
    [member] = founded["members"]
    assert founded == {
        "id": ada.active,
        "name": "Acme",
        "slug": slug,
        "logo": "https://x.io/a.png",
        "createdAt": "2026-03-14T12:00:00.000Z",
        "metadata": {"plan": {"seats": 3}},
        "members": [
            {
                "id": member["id"],
                "organizationId": founded["id"],
                "userId": ada.user_id,
                "role": "owner",
                "createdAt": "2026-03-14T12:00:00.000Z",
            }
        ],
    }
    assert ada.belongs_to() == [ada.own, founded["id"]]


def test_without_logo_and_metadata_there_are_none(ada: Person) -> None:
    founded = ada.done("create", name="Acme", slug=new_slug())
    assert founded["logo"] is None
    assert "metadata" not in founded
    assert ada.done("create", name="Acme", slug=new_slug(), logo=None)["logo"] is None


def test_who_keeps_the_active_one_is_not_turned(ada: Person) -> None:
    founded = ada.done("create", name="Acme", slug=new_slug(), keepCurrentActiveOrganization=True)
    assert ada.active == ada.own != founded["id"]


def test_founding_is_one_commit(ada: Person, module_database: Database) -> None:
    before = module_database.value("SELECT count(*) FROM commands")
    ada.founds(new_slug())
    assert module_database.value("SELECT count(*) FROM commands") == before + 1


def test_without_a_session_founding_and_closing_are_refused_without_a_word(url: str) -> None:
    answers = [
        Browser(url).post("/organization/create", {"name": "Acme", "slug": "acme"}),
        Browser(url).post("/organization/delete", {"organizationId": NO_ID}),
    ]
    assert [(answer.status, answer.content) for answer in answers] == [(401, b""), (401, b"")]


def test_a_session_that_was_ended_is_taken_away_there_too(ada: Person) -> None:
    for what, fields in (("create", {"name": "Acme", "slug": "x"}), ("delete", {"organizationId": ada.own})):
        phone = ada.another_device()
        ada.post("/revoke-other-sessions")
        answer = phone.does(what, **fields)
        assert (answer.status, answer.content, answer.set_cookies) == (401, b"", CLEARED)


def test_a_taken_slug_is_refused_letter_for_letter(ada: Person, bo: Person) -> None:
    slug = new_slug()
    ada.founds(slug)
    answer = bo.does("create", name="Acme", slug=slug)
    assert answer.problem == TAKEN
    assert answer.json()["message"] == "Organization already exists"
    assert bo.active == bo.own
    assert bo.does("create", name="Acme", slug=slug.upper()).status == 200


@pytest.mark.parametrize("slug", ["a", " ", "Ünï cödé/../?#", "'; DROP TABLE organization_list; --", "🎻"])
def test_a_slug_may_have_any_characters(ada: Person, slug: str) -> None:
    assert ada.does("check-slug", slug=slug).json() == {"status": True}
    assert ada.done("create", name=slug, slug=slug)["slug"] == slug
    assert ada.does("check-slug", slug=slug).problem == (400, "ORGANIZATION_SLUG_ALREADY_TAKEN")


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "", "slug": "x"},
        {"name": "Acme", "slug": ""},
        {"name": "Acme"},
        {"slug": "x"},
        {"name": None, "slug": "x"},
        {"name": "Acme", "slug": 5},
        {"name": "é" * 201, "slug": "x"},
        {"name": "Acme", "slug": "x", "metadata": "text"},
        {"name": "Acme", "slug": "x", "metadata": [1]},
        {"name": "Acme", "slug": "x", "logo": 5},
        {"name": "Acme", "slug": "x", "logo": "javascript:alert(1)"},
        {"name": "Acme", "slug": "x", "logo": "data:text/html;base64,PHNjcmlwdD4="},
        {"name": "Acme", "slug": "x", "logo": "data:image/svg+xml;base64,PHN2Zz4="},
        {"name": "Acme", "slug": "x", "logo": "//evil.example/a.png"},
        {"name": "Acme", "slug": "x", "logo": "/\\\\evil.example/a.png"},
        {"name": "Acme", "slug": "x", "logo": "logo.png"},
        {"name": "Acme", "slug": "x", "keepCurrentActiveOrganization": "yes"},
    ],
)
def test_these_are_no_organizations(ada: Person, url: str, fields: dict[str, object]) -> None:
    assert ada.does("create", **fields).problem == (400, "VALIDATION_ERROR")
    assert Browser(url).post("/organization/create", fields).problem == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "metadata", [{}, {"n": 2**70}, {"n": -(2**64)}, {"f": 0.1, "t": [None, True, {"": ""}]}, {"x": "\u2028 \\ \" '"}]
)
def test_metadata_comes_back_as_it_was_given(ada: Person, metadata: dict[str, object]) -> None:
    organization_id = ada.founds(new_slug(), metadata=metadata)
    assert ada.done("update", data={"name": "Acme"})["metadata"] == metadata
    assert ada.told(f"get-organization?organizationId={organization_id}")["id"] == organization_id


def test_where_nobody_may_found_one_there_is_only_ones_own(closed_url: str, url: str, clock: HandClock) -> None:
    ada = Person(closed_url, "Ada")
    answer = ada.does("create", name="Acme", slug=new_slug())
    assert answer.problem == (403, "YOU_ARE_NOT_ALLOWED_TO_CREATE_A_NEW_ORGANIZATION")
    assert answer.json()["message"] == "You are not allowed to create a new organization"
    assert ada.belongs_to() == [ada.own]
    assert ada.own is not None
    ada.done("delete", organizationId=ada.own)
    assert ada.another_device().active not in (None, ada.own)
    answer = Browser(closed_url).post("/organization/create", {"name": "Acme", "slug": "x"})
    assert (answer.status, answer.content) == (401, b"")


def test_a_change_is_answered_with_the_organization(ada: Person, acme: str) -> None:
    slug = new_slug()
    changed = ada.done("update", data={"name": "Works", "slug": slug, "logo": "/logo.png", "metadata": {"a": 1}})
    assert changed == {
        "id": acme,
        "name": "Works",
        "slug": slug,
        "logo": "/logo.png",
        "createdAt": "2026-03-14T12:00:00.000Z",
        "metadata": {"a": 1},
    }
    assert ada.told("get-organization") == {**changed, "metadata": '{"a":1}'}
    changed = ada.done("update", data={"logo": None, "metadata": {}})
    assert changed == {
        "id": acme, "name": "Works", "slug": slug, "logo": None, "createdAt": "2026-03-14T12:00:00.000Z",
        "metadata": {},
    }  # fmt: skip
    assert ada.told("get-organization")["metadata"] == "{}"


def test_metadata_is_an_object_or_is_not_mentioned(ada: Person, acme: str) -> None:
    before = ada.told("get-organization")
    for metadata in (None, "{}", 5):
        assert ada.does("update", data={"metadata": metadata}).problem == (400, "VALIDATION_ERROR")
        made = ada.does("create", name="Works", slug=new_slug(), metadata=metadata)
        assert made.problem == (400, "VALIDATION_ERROR")
    assert ada.told("get-organization") == before


def test_an_empty_slug_is_nobodys(ada: Person) -> None:
    assert ada.done("check-slug", slug="") == {"status": True}


def test_who_may_not_change_an_organization_is_told_so_before_what_is_wrong_with_the_change(
    url: str, ada: Person, acme: str, clock: HandClock
) -> None:
    stranger, member = Person(url, "Cy"), Person(url, "Bo")
    ada.takes_in(member, organizationId=acme)
    not_theirs = (400, "USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION")
    not_allowed = (403, "YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_ORGANIZATION")
    for data in ({}, {"unknown": 1}):
        assert stranger.does("update", organizationId=acme, data=data).problem == not_theirs
        assert member.does("update", organizationId=acme, data=data).problem == not_allowed
        nothing = ada.does("update", organizationId=acme, data=data)
        assert (nothing.status, nothing.json()) == (400, {"message": "No fields to update"})


def test_what_is_not_mentioned_stays(ada: Person, acme: str) -> None:
    before = ada.told("get-organization")
    ada.done("update", data={"name": "Works", "createdAt": "2020-01-01T00:00:00.000Z", "id": NO_ID})
    assert ada.told("get-organization") == {**before, "name": "Works"}


def test_another_than_the_active_one_is_changed_by_its_id(ada: Person, acme: str) -> None:
    assert ada.done("update", organizationId=ada.own, data={"name": "Home"})["id"] == ada.own
    assert ada.done("update", organizationId="", data={"name": "Work"})["id"] == acme


def test_a_slug_left_behind_is_free_and_ones_own_is_no_conflict(ada: Person, bo: Person) -> None:
    first, second = new_slug(), new_slug()
    ada.founds(first)
    assert ada.done("update", data={"slug": first})["slug"] == first
    assert ada.done("update", data={"slug": second})["slug"] == second
    assert bo.founds(first)
    answer = ada.does("update", data={"slug": first, "name": "Other"})
    assert answer.problem == (400, "ORGANIZATION_SLUG_ALREADY_TAKEN")
    assert answer.json()["message"] == "Organization slug already taken"
    assert ada.told("get-organization")["name"] != "Other"


def test_a_change_is_refused_in_this_order(ada: Person, bo: Person, cy: Person, acme: str) -> None:
    anonymous = Browser(ada.url).post("/organization/update", {"data": {"name": "X"}})
    assert (anonymous.status, anonymous.json()) == (401, {"message": "User not found"})
    taken = ada.told(f"get-organization?organizationId={ada.own}")["slug"]
    foreign = (400, "USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION")
    for organization_id in (acme, NO_ID, "no id"):
        assert bo.does("update", organizationId=organization_id, data={"slug": taken}).problem == foreign
    ada.takes_in(bo)
    assert bo.does("update", data={"slug": taken}).problem == (403, "YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_ORGANIZATION")
    ada.takes_in(cy, "admin")
    assert cy.does("update", data={"slug": taken}).problem == (400, "ORGANIZATION_SLUG_ALREADY_TAKEN")
    cy.done("set-active", organizationId=None)
    assert cy.does("update", data={"name": "X"}).problem == (400, "ORGANIZATION_NOT_FOUND")


@pytest.mark.parametrize("data", [{}, {"unknown": 1}])
def test_a_change_of_nothing_is_refused(ada: Person, acme: str, data: dict[str, object]) -> None:
    answer = ada.does("update", data=data)
    assert 400 <= answer.status < 500
    assert answer.json()["message"]


@pytest.mark.parametrize(
    "fields", [{}, {"data": None}, {"data": {"name": None}}, {"data": {"name": ""}}, {"data": {"slug": ""}},
               {"data": {"metadata": 1}}, {"data": {"logo": 1}}, {"data": {"name": "é" * 201}}]
)  # fmt: skip
def test_these_are_no_changes(ada: Person, acme: str, fields: dict[str, object]) -> None:
    assert ada.does("update", **fields).problem == (400, "VALIDATION_ERROR")
    assert Browser(ada.url).post("/organization/update", fields).problem == (400, "VALIDATION_ERROR")
