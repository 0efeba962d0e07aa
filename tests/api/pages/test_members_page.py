"""Organization → Members: inviting by a link, joining by it, changing roles, and the ways out."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import psycopg
import pytest

from api.pages.organization import ABILITIES
from domain.roles import PERMISSIONS
from domain.store.connections import connection_arguments
from tests.api.browser import Browser
from tests.api.pages.visitor import Visitor
from tests.databases import Database
from tests.keeping import caught_up
from tests.people import PASSWORD


def signed_up(url: str, name: str, email: str) -> Visitor:
    visitor = Visitor(url)
    visitor.open("/sign-up")
    visitor.press("Sign up", name=name, email=email, password=PASSWORD)
    return visitor


@pytest.fixture
def ada(url: str, email: str) -> Visitor:
    """With an organization that has a name of its own, on the page of its members."""
    visitor = signed_up(url, "Ada Lovelace", email)
    visitor.open("/organizations")
    visitor.press("Create organization", name="Analytical Engines", slug=f"engines-{email.partition('@')[0]}")
    return visitor


@pytest.fixture
def bos(email: str) -> str:
    return f"bo.{email}"


def invited(ada: Visitor, email: str, role: str = "member") -> str:
    """The path of the link that the page shows."""
    page = ada.open("/organization/members")
    page = ada.press("Generate invitation link", email=email, role=role)
    assert page.notices == ["The invitation is made. Copy its link, and hand it on."]
    [shown] = [given["value"] for tag, given in page.elements if given.get("aria-label") == f"Link for {email}"]
    return re.sub(r"https?://[^/]+", "", shown or "")


def joined(ada: Visitor, url: str, email: str, role: str = "member") -> Visitor:
    """Bo, who signed up by the link."""
    bo = Visitor(url)
    bo.open(invited(ada, email, role))
    bo.follow("Sign up")
    bo.press("Sign up", name="Bo", password=PASSWORD)
    return bo


def test_who_is_new_signs_up_by_the_link_with_the_address_it_is_for(ada: Visitor, url: str, bos: str) -> None:
    bo = Visitor(url)
    page = bo.open(invited(ada, bos, "admin"))
    for told in ("Analytical Engines", "Admin", bos):
        assert told in page.text
    page = bo.follow("Sign up")
    address = next(given for tag, given in page.elements if given.get("id") == "email")
    assert (address["value"], "readonly" in address) == (bos, True)
    page = bo.press("Sign up", name="Bo", email="somebody.else@example.com", password=PASSWORD)
    assert page.notices == ["Welcome! You have joined the organization."]
    assert "2 members" in page.text
    assert f"Bo {bos} Admin" in ada.open("/organization/members").text


def test_who_has_an_account_signs_in_and_accepts(ada: Visitor, url: str, bos: str) -> None:
    Browser(url).sign_up(bos, name="Bo")
    bo = Visitor(url)
    bo.open(invited(ada, bos))
    bo.follow("Sign in")
    page = bo.press("Sign in", email=bos, password=PASSWORD)
    assert page.title == "Invitation · Daybook"
    page = bo.press("Accept")
    assert page.notices == ["Welcome! You have joined the organization."]


def test_looking_at_an_invitation_uses_nothing_up_and_declining_ends_it(ada: Visitor, url: str, bos: str) -> None:
    bo, link = signed_up(url, "Bo", bos), invited(ada, bos)
    for _ in range(3):
        assert bo.open(link).title == "Invitation · Daybook"
    page = bo.press("Decline")
    assert page.notices == ["You have declined the invitation."]
    page = bo.open(link)
    assert page.status == 404
    assert "It was declined." in page.text


def test_somebody_elses_browser_names_both_addresses_and_goes_on_as_the_right_person(
    ada: Visitor, url: str, bos: str, email: str
) -> None:
    cys = f"cy.{email}"
    cy = signed_up(url, "Cy", cys)
    page = cy.open(invited(ada, bos))
    assert f"You are signed in as {cys}, and this invitation is for {bos}." in page.text
    page = cy.press("Sign out and continue")
    assert page.title == "Invitation · Daybook"
    assert cy.browser.session() is None
    assert {"Sign up", "Sign in"} <= page.links.keys()


def test_an_invitation_that_was_taken_back_says_so_to_who_opens_it(ada: Visitor, url: str, bos: str) -> None:
    link = invited(ada, bos)
    page = ada.press("Take back")
    assert page.notices == ["The invitation is taken back. Its link opens nothing any more."]
    assert bos not in page.text
    page = Visitor(url).open(link)
    assert page.status == 404
    assert "It was taken back." in page.text


def test_a_wrong_address_is_corrected_in_one_step(ada: Visitor, url: str, bos: str) -> None:
    wrong = invited(ada, f"wrong.{bos}")
    page = ada.press("Cancel and invite this address", email=bos)
    assert bos in page.text
    assert f"wrong.{bos}" not in page.text
    assert Visitor(url).open(wrong).status == 404


def test_a_wrong_address_stays_invited_where_the_right_one_is_refused(ada: Visitor, url: str, bos: str) -> None:
    link = invited(ada, f"wrong.{bos}")
    page = ada.press("Cancel and invite this address", email="no address")
    assert page.status == 400
    assert "This is no address we could write to." in page.text
    assert Visitor(url).open(link).status == 200


def test_an_invitation_is_renewed_as_what_it_was(ada: Visitor, url: str, bos: str) -> None:
    invited(ada, bos, "admin")
    page = ada.press("Renew")
    assert page.notices == ["The invitation is renewed: its link is good for longer."]
    assert f"{bos} Admin" in page.text


def test_invitations_are_shown_a_page_at_a_time(ada: Visitor, bos: str) -> None:
    for number in range(12):
        invited(ada, f"{number}.{bos}")
    assert f"1.{bos}" not in [one for one in ada.page.text.split()]
    page = ada.follow("Older")
    assert f"1.{bos}" in page.text.split()
    assert f"11.{bos}" not in page.text.split()
    assert f"11.{bos}" in ada.follow("Newer").text.split()


def test_nobody_is_invited_twice_by_a_double_click(ada: Visitor, bos: str) -> None:
    invited(ada, bos)
    page = ada.press("Generate invitation link", email=bos, role="member")
    assert page.status == 400
    assert page.links["This address is invited already. Renew that invitation instead."] == "#email"
    assert page.text.count(f"{bos} Member") == 1


def test_a_role_is_changed_and_several_may_be_held(ada: Visitor, url: str, bos: str) -> None:
    joined(ada, url, bos)
    ada.open("/organization/members?role=member")
    page = ada.press("Save roles", admin="on")
    assert page.notices == ["The role is changed."]
    assert f"Bo {bos} Admin, Member" in page.text or f"Bo {bos} Member, Admin" in page.text


def test_a_member_without_a_role_is_refused_among_the_members(ada: Visitor, url: str, bos: str) -> None:
    joined(ada, url, bos)
    ada.open("/organization/members?role=member")
    page = ada.press("Save roles", member_role="")
    assert page.status == 400
    assert page.alerts == ["That did not work Choose a role."]
    assert f"Bo {bos} Member" in page.text


def test_a_plain_member_sees_members_and_may_change_nobody(ada: Visitor, url: str, bos: str) -> None:
    bo = joined(ada, url, bos)
    page = bo.open("/organization/members")
    assert "Ada Lovelace" in page.text
    said = {said for form in page.forms for said, *_ in form.buttons}
    assert said.isdisjoint({"Save roles", "Remove", "Generate invitation link", "Take back"})
    page = bo.send("/organization/invitations", {"email": "x@example.com", "role": "member"})
    assert page.status == 400
    assert "Only owners and admins may invite people." in page.text
    assert bo.open("/organization/activity").status == 403


def test_who_is_removed_sees_the_organization_no_more(ada: Visitor, url: str, bos: str) -> None:
    bo = joined(ada, url, bos)
    ada.open("/organization/members?role=member")
    page = ada.press("Remove")
    assert page.notices == ["The member is removed."]
    bo.open("/organization/members")
    assert "Ada Lovelace" not in bo.page.text


def test_the_only_owner_cannot_leave_and_is_told_what_helps(ada: Visitor, url: str, bos: str) -> None:
    joined(ada, url, bos)
    ada.open("/organization/members")
    page = ada.press("Leave this organization")
    assert page.status == 400
    assert "You are the only owner. Make somebody else an owner first, or delete the organization." in page.text


def test_ownership_is_handed_over_and_the_former_owner_leaves(ada: Visitor, url: str, bos: str) -> None:
    joined(ada, url, bos)
    ada.open("/organization/members?role=member")
    page = ada.press("Make owner in your place")
    assert page.notices == ["The organization has a new owner."]
    page = ada.press("Leave this organization")
    assert page.notices == ["You have left the organization."]
    assert "Analytical Engines" not in page.text


def test_an_organization_is_deleted_only_by_its_name(ada: Visitor) -> None:
    ada.open("/organization/settings")
    page = ada.press("Delete it for good", name="Something else")
    assert page.status == 400
    assert "This is not the name of the organization." in page.text
    page = ada.press("Delete it for good", name="Analytical Engines")
    assert page.notices == ["The organization is deleted."]
    assert "Analytical Engines" not in page.text


def test_members_are_found_by_name_and_address_and_paged(ada: Visitor, url: str, bos: str) -> None:
    joined(ada, url, bos)
    assert "Bo" in ada.open(f"/organization/members?search={bos}").text
    assert "1 member" in ada.page.text
    assert "Nobody is found." in ada.open("/organization/members?search=nobody-like-that").text
    assert ada.open("/organization/members?page=999999999999").status == 200


def test_who_may_do_what_and_why_is_told(ada: Visitor, url: str, bos: str) -> None:
    bo = joined(ada, url, bos)
    page = bo.open("/organization/settings")
    assert "You are: Member" in page.text
    assert "No: Invite people, and renew invitations Owner, Admin" in page.text
    assert "Yes: See the organization" in page.text


def test_the_list_of_what_is_allowed_is_that_of_the_matrix() -> None:
    things = {(thing, act) for may in PERMISSIONS.values() for thing, acts in may.items() for act in acts}
    # there are no teams, and roles are neither made nor changed; members come by invitations
    unheard_of = {("ac", act) for act in ("create", "update", "delete")} | {("member", "create")}
    assert set(ABILITIES) == {one for one in things if one[0] != "team"} - unheard_of


def test_who_gave_a_role_is_told_also_once_they_have_left_and_once_they_are_erased(
    ada: Visitor, url: str, bos: str, module_database: Database
) -> None:
    bo = joined(ada, url, bos)
    ada.open("/organization/members?role=member")
    ada.press("Save roles", owner="on")
    caught_up(module_database)
    assert "“Ada Lovelace” changed your role" in bo.open("/organization/settings").text
    ada.open("/organization/members")
    ada.press("Leave this organization")
    caught_up(module_database)
    assert "“Ada Lovelace” changed your role" in bo.open("/organization/settings").text
    assert ada.browser.post("/delete-user", {"password": PASSWORD}).status == 200
    caught_up(module_database)
    text = bo.open("/organization/settings").text
    assert "A removed person changed your role" in text
    assert "Ada Lovelace" not in text


def test_who_changes_a_member_is_back_where_they_were(ada: Visitor, url: str, bos: str) -> None:
    joined(ada, url, bos)
    ada.open(f"/organization/members?search={bos}&role=member&page=1")
    page = ada.press("Save roles", admin="on", member_role="on")
    assert page.notices == ["The role is changed."]
    assert f"search={quote(bos, safe='')}&role=member&page=1" in ada.path
    assert "Ada Lovelace Ada" not in page.text
    assert "1 member" in page.text
    page = ada.send("/organization/members/remove", {"member": "0" * 32, "back": f"search={bos}"})
    assert page.status == 400
    assert "1 member" in page.text


def test_what_is_written_in_back_leads_nowhere_else(ada: Visitor, url: str, bos: str) -> None:
    joined(ada, url, bos)
    ada.open("/organization/members?role=member")
    ada.press("Remove", back="https://evil.example.com/?done=left&next=//evil.example.com&page=1#x")
    assert ada.path == "/organization/members?page=1%23x&done=removed"
    assert ada.page.notices == ["The member is removed."]


def test_behind_the_last_page_of_members_is_the_last_page(ada: Visitor) -> None:
    page = ada.open("/organization/members?page=99")
    assert "Ada Lovelace" in page.text
    assert "Nobody is found." not in page.text


def test_which_page_of_how_many_is_shown(ada: Visitor, module_database: Database, email: str) -> None:
    _crowd(module_database, email, 40)
    page = ada.open("/organization/members")
    assert "Page 1 of 3" in page.text
    ada.follow("Next page")
    page = ada.follow("Next page")
    assert "Page 3 of 3" in page.text
    assert "Next page" not in page.links


def _crowd(database: Database, email: str, size: int) -> None:
    """So many more members of the organization of who has this address, in the lists alone."""
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as lists:
        lists.execute(
            "WITH made AS (SELECT gen_random_uuid() AS id, n FROM generate_series(1, %(size)s) n), accounts AS ("
            " INSERT INTO account_list (user_id, version, email, email_hash, email_slot, name, created_at, updated_at)"
            " SELECT id, 1, n || '.' || %(email)s, sha256(id::text::bytea), sha256(id::text::bytea), 'Member ' || n,"
            "   now(), now() FROM made)"
            " INSERT INTO member_list (membership_id, version, organization_id, user_id, live_user_id, role, joined_at)"
            " SELECT gen_random_uuid(), 1, m.organization_id, id, id, 'member', now() FROM made,"
            "   (SELECT organization_id FROM organization_list WHERE slug = %(slug)s) m",
            {"size": size, "email": email, "slug": f"engines-{email.partition('@')[0]}"},
        )


def test_no_text_may_lead_back_to_what_no_page_can_be_asked_for(ada: Visitor, url: str, bos: str) -> None:
    joined(ada, url, bos)
    ada.open("/organization/members?role=member")
    page = ada.press("Remove", back="search=%00&page=2&page=3")
    assert (page.status, page.notices) == (200, ["The member is removed."])


def test_a_long_search_is_come_back_to_whole(ada: Visitor, url: str, bos: str) -> None:
    joined(ada, url, bos)
    asked = {"search": "B" + "🦊" * 199, "role": "member"}
    ada.open("/organization/members?role=member")
    ada.press("Save roles", back=urlencode(asked), member_role="on")
    assert dict(parse_qsl(urlsplit(ada.path).query)) == {**asked, "done": "role"}


def test_who_joined_is_told_who_invited_them(ada: Visitor, url: str, bos: str, module_database: Database) -> None:
    bo = joined(ada, url, bos, "owner")
    cys = f"cy.{bos}"
    cy = joined(bo, url, cys)
    caught_up(module_database)
    assert f"“Bo” invited “{cys}” to “Analytical Engines” as member." in cy.open("/organization/settings").text
    assert "You joined “Analytical Engines” as member." in cy.page.text
    bo.open("/account/delete")
    bo.press("Delete it for good", current_password=PASSWORD)
    caught_up(module_database)
    assert f"A removed person invited “{cys}” to" in cy.open("/organization/settings").text


def test_a_wrong_address_is_corrected_as_all_that_it_was_invited_as(ada: Visitor, bos: str) -> None:
    ada.open("/organization/members")
    ada.send("/organization/invitations", {"email": f"wrong.{bos}", "role": "admin,member"})
    ada.press("Cancel and invite this address", email="no address")
    page = ada.press("Generate invitation link", email=bos)
    assert f"{bos} Admin, Member" in page.text
    assert f"wrong.{bos}" not in page.text
