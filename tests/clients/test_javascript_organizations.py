"""Organizations through the official JavaScript client: founding, changing, choosing, closing (wire.md §10, A10)."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx

from tests.clients.javascript import JavaScript, dated
from tests.clients.team import Teammate, new_email, new_slug
from tests.pictures import data_url, png

METADATA = {"plan": "pro", "seats": 5, "since": "2026-03-14T12:00:00.000Z", "nested": {"ok": True}}
TAKEN = (400, "ORGANIZATION_SLUG_ALREADY_TAKEN")
NOT_A_MEMBER = "USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION"


def test_who_founds_an_organization_owns_it_and_the_stores_turn_to_it(ada: Teammate) -> None:
    ada.shows(organizations=["Ada's Organization"], organization="Ada's Organization", role="owner")
    slug = new_slug()

    founded = ada.does("create", name="Acme", slug=slug, logo="https://x.io/acme.png")

    assert (founded["name"], founded["slug"], founded["logo"]) == ("Acme", slug, "https://x.io/acme.png")
    [owner] = founded["members"]
    assert (owner["organizationId"], owner["userId"], owner["role"]) == (founded["id"], ada.user_id, "owner")
    ada.shows(
        active=founded["id"],
        organizations=["Ada's Organization", "Acme"],
        organization="Acme",
        members={"Ada": "owner"},
        invitations=[],
        role="owner",
    )
    assert founded["createdAt"] == ada.does("getOrganization")["createdAt"] == owner["createdAt"]


def test_one_that_is_founded_beside_the_active_one_is_only_listed(ada: Teammate) -> None:
    own = ada.does("getOrganization")["id"]
    ada.shows(active=own, organizations=["Ada's Organization"])

    ada.founds("Beside", keepCurrentActiveOrganization=True)

    ada.shows(active=own, organizations=["Ada's Organization", "Beside"], organization="Ada's Organization")


def test_an_organization_is_changed_and_the_stores_follow(ada: Teammate, acme: str) -> None:
    ada.shows(organizations=["Ada's Organization", "Acme"], organization="Acme")
    slug = new_slug()

    changed = ada.does("update", data={"name": "Acme Works", "slug": slug, "logo": "https://x.io/works.png"})

    assert (changed["id"], changed["name"], changed["slug"]) == (acme, "Acme Works", slug)
    ada.shows(organizations=["Ada's Organization", "Acme Works"], organization="Acme Works")
    shown = ada.does("getFullOrganization")
    assert (shown["slug"], shown["logo"]) == (slug, "https://x.io/works.png")
    assert ada.does("update", data={"logo": None}, organizationId=acme)["logo"] is None
    assert ada.does("getOrganization")["logo"] is None


def test_a_logo_may_be_a_picture_itself_as_ui_kits_send_it(ada: Teammate, acme: str) -> None:
    changed = ada.does("update", data={"logo": data_url(png())})
    assert changed["logo"].partition("/api/auth/picture/")[0].startswith("http://localhost:")
    assert httpx.get(changed["logo"]).content == png()
    assert ada.does("getOrganization")["logo"] == changed["logo"]


def test_metadata_is_an_object_when_written_and_json_text_when_read(ada: Teammate) -> None:
    revived = {**METADATA, "since": datetime(2026, 3, 14, 12, tzinfo=UTC)}
    founded = ada.does("create", name="Acme", slug=new_slug(), metadata=METADATA)
    assert founded["metadata"] == revived

    organization_id = founded["id"]
    for read in (
        ada.does("list")[1],
        ada.does("getOrganization"),
        ada.does("getFullOrganization"),
        ada.does("setActive", organizationId=organization_id),
    ):
        assert json.loads(read["metadata"]) == METADATA

    assert ada.does("update", data={"metadata": {"plan": "free"}})["metadata"] == {"plan": "free"}
    assert ada.does("update", data={"metadata": {}})["metadata"] == {}
    assert ada.does("getOrganization")["metadata"] == "{}"
    deleted = ada.does("delete", organizationId=organization_id)
    assert (deleted["id"], deleted["metadata"]) == (organization_id, "{}")


def test_the_stores_turn_with_the_active_organization(ada: Teammate, bo: Teammate, acme: str) -> None:
    own = bo.does("getOrganization")
    ada.takes_in(bo)
    bo.shows(active=acme, organization="Acme", role="member", named_role="member")

    assert bo.does("setActive", organizationSlug=own["slug"]) == own
    bo.shows(active=own["id"], organization="Bo's Organization", members={"Bo": "owner"}, role="owner")
    assert bo.does("setActive", organizationId=None) is None
    bo.shows(active=None, organization=None, role="NO_ACTIVE_ORGANIZATION")
    assert bo.does("getFullOrganization") is None
    assert bo.does("setActive", organizationId=acme)["name"] == "Acme"
    bo.shows(active=acme, organization="Acme", members={"Ada": "owner", "Bo": "member"}, role="member")
    bo.signs_in()
    bo.shows(active=acme, organization="Acme", role="member")


def test_a_closed_organization_goes_from_the_stores_of_all_its_members(ada: Teammate, bo: Teammate, acme: str) -> None:
    ada.takes_in(bo, "admin")
    ada.shows(active=acme, organizations=["Ada's Organization", "Acme"], role="owner")
    bo.shows(active=acme, organization="Acme", role="admin")
    assert bo.refused("delete", organizationId=acme) == (403, "YOU_ARE_NOT_ALLOWED_TO_DELETE_THIS_ORGANIZATION")

    assert ada.does("delete", organizationId=acme)["name"] == "Acme"

    ada.shows(active=None, organizations=["Ada's Organization"], organization=None, role="NO_ACTIVE_ORGANIZATION")
    assert [organization["name"] for organization in bo.does("list")] == ["Bo's Organization"]
    bo.shows(organization=None, role="NO_ACTIVE_ORGANIZATION")
    assert bo.browser.call("getSession").data["session"]["activeOrganizationId"] is None
    assert ada.refused("delete", organizationId=acme) == (400, NOT_A_MEMBER)


def test_a_slug_is_free_until_somebody_has_it(ada: Teammate, bo: Teammate, acme: str) -> None:
    taken, free = ada.does("getOrganization")["slug"], new_slug()

    assert bo.does("checkSlug", slug=free) == {"status": True}
    assert bo.refused("checkSlug", slug=taken) == TAKEN
    assert bo.refused("create", name="Acme", slug=taken) == (400, "ORGANIZATION_ALREADY_EXISTS")
    assert bo.refused("update", data={"slug": taken}) == TAKEN
    bo.shows(organizations=["Bo's Organization"])


def test_every_date_of_an_organization_arrives_as_a_date(ada: Teammate, bo: Teammate, acme: str) -> None:
    ada.takes_in(bo)
    ada.invites(new_email())
    slug = ada.does("getOrganization")["slug"]
    for asked in (
        ada.browser.call("organization.list"),
        ada.browser.call("organization.getFullOrganization"),
        ada.browser.call("organization.getFullOrganization", query={"organizationSlug": slug}),
        ada.browser.call("organization.listInvitations"),
        ada.browser.call("organization.setActive", organizationId=acme),
    ):
        assert asked.data == dated(asked.raw)
    full = ada.does("getFullOrganization", query={"organizationId": acme})
    assert [member["user"]["name"] for member in full["members"]] == ["Ada", "Bo"]
    dates = [full["createdAt"], *(member["createdAt"] for member in full["members"])]
    dates += [invitation[name] for invitation in full["invitations"] for name in ("createdAt", "expiresAt")]
    assert [type(date) for date in dates] == [datetime] * 7
    [first] = ada.does("getFullOrganization", query={"organizationId": acme, "membersLimit": 1})["members"]
    assert first["userId"] == ada.user_id
    assert bo.does("getFullOrganization")["invitations"] == []


def test_anothers_organization_is_refused_and_what_is_active_stays_so(ada: Teammate, bo: Teammate, acme: str) -> None:
    own = bo.does("getOrganization")["id"]
    slug = ada.does("getOrganization")["slug"]
    bo.shows(active=own, organization="Bo's Organization", role="owner")

    assert bo.refused("setActive", organizationId=acme) == (403, NOT_A_MEMBER)
    assert bo.refused("setActive", organizationSlug=slug) == (403, NOT_A_MEMBER)
    assert bo.refused("getFullOrganization", query={"organizationId": acme}) == (403, NOT_A_MEMBER)
    assert bo.refused("getFullOrganization", query={"organizationSlug": new_slug()}) == (400, "ORGANIZATION_NOT_FOUND")
    assert bo.refused("update", organizationId=acme, data={"name": "Bo's"}) == (400, NOT_A_MEMBER)
    assert bo.refused("delete", organizationId=acme) == (400, NOT_A_MEMBER)
    assert bo.does("getOrganization")["id"] == own
    bo.shows(active=own, organization="Bo's Organization", role="owner")


def test_a_plain_member_changes_nothing_and_a_malformed_change_has_a_message_to_show(
    ada: Teammate, bo: Teammate, acme: str
) -> None:
    ada.takes_in(bo)
    assert bo.refused("update", data={"name": "Bo's"}) == (403, "YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_ORGANIZATION")
    for malformed in (
        ada.browser.call("organization.update", data={"name": 5}),
        ada.browser.call("organization.create", name="", slug=new_slug()),
        ada.browser.call("organization.create", name="Acme", slug=new_slug(), metadata="text"),
    ):
        assert (malformed.error["status"], malformed.error["code"]) == (400, "VALIDATION_ERROR")
        assert "body." in malformed.error["message"]
    ada.shows(organization="Acme")


def test_signed_out_every_call_is_refused_as_unauthorized(javascript: JavaScript) -> None:
    unauthorized = {"status": 401, "statusText": "Unauthorized"}
    coded = {**unauthorized, "message": "Unauthorized", "code": "UNAUTHORIZED"}
    some_id = "f" * 32
    with javascript.application() as nobodys:
        for what, arguments, error in (
            ("list", {}, coded),
            ("getFullOrganization", {}, coded),
            ("getActiveMember", {}, coded),
            ("listMembers", {}, coded),
            ("inviteMember", {"email": new_email(), "role": "member"}, coded),
            ("acceptInvitation", {"invitationId": some_id}, coded),
            ("hasPermission", {"permissions": {"member": ["create"]}}, coded),
            ("create", {"name": "Acme", "slug": new_slug()}, unauthorized),
            ("delete", {"organizationId": some_id}, unauthorized),
            ("update", {"data": {"name": "Acme"}}, {**unauthorized, "message": "User not found"}),
            ("getInvitation", {"query": {"id": some_id}}, {**unauthorized, "message": "Not authenticated"}),
        ):
            refused = nobodys.call(f"organization.{what}", **arguments)
            assert (refused.data, refused.error) == (None, error), what
