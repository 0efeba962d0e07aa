"""Opening an account by an invitation (wire.md A4, §12)."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from tests.api.browser import Browser
from tests.api.conftest import HandClock, settings_for
from tests.api.routes.fellows import NO_ID, Person, new_email
from tests.databases import Database
from tests.server import application

BY_INVITATION_ONLY = (400, "EMAIL_PASSWORD_SIGN_UP_DISABLED")
JOINING = ["InvitationAccepted", "MemberJoined", "OrganizationChosen", "SessionStarted", "SignedUp"]


@pytest.fixture(scope="module")
def invited_url(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """Where only who was invited may open an account."""
    with application(settings_for(module_database, sign_up="invited"), module_clock) as url:
        yield url


@pytest.fixture(scope="module")
def off_url(module_database: Database, module_clock: HandClock) -> Iterator[str]:
    """Where nobody may invite or accept."""
    with application(settings_for(module_database, invitations="off"), module_clock) as url:
        yield url


def join(invitation_id: str) -> str:
    return f"/join?invitationId={invitation_id}"


@pytest.mark.parametrize(
    "link", ["/#/join?invitationId={}", "/app?tab=1#/join?from=mail&invitationId={}", "/join#invitationId={}"]
)
def test_a_link_into_an_application_that_routes_by_the_fragment_joins_too(
    ada: Person, acme: str, browser: Browser, link: str
) -> None:
    email = new_email()
    answer = browser.sign_up(email, callbackURL=link.format(ada.invites(email)))
    assert answer.status == 200
    assert [one["id"] for one in browser.get("/organization/list").json()] == [acme]
    assert Browser(browser.url).sign_up(new_email(), callbackURL=link.format(NO_ID)).problem == (
        400,
        "INVITATION_NOT_FOUND",
    )


def test_of_two_links_that_before_the_fragment_counts(ada: Person, acme: str, browser: Browser) -> None:
    email = new_email()
    link = f"{join(ada.invites(email))}#/join?invitationId={NO_ID}"
    assert browser.sign_up(email, callbackURL=link).status == 200
    assert browser.session()["activeOrganizationId"] == acme


def test_who_was_invited_joins_with_one_commit(
    ada: Person, acme: str, browser: Browser, module_database: Database
) -> None:
    email = new_email()
    invitation_id = ada.invites(email, "admin")
    before = module_database.value("SELECT count(*) FROM commands")
    answer = browser.sign_up(email, callbackURL=join(invitation_id))
    assert answer.status == 200
    assert module_database.value("SELECT count(*) FROM commands") == before + 1
    user = answer.json()["user"]
    [(command_id,)] = module_database.rows("SELECT command_id FROM events WHERE stream_id = %s", UUID(user["id"]))
    names = module_database.rows("SELECT name FROM events WHERE command_id = %s ORDER BY name", command_id)
    assert [name for (name,) in names] == JOINING
    assert browser.session()["activeOrganizationId"] == acme
    assert [one["id"] for one in browser.get("/organization/list").json()] == [acme]
    assert ada.roles() == {ada.email: "owner", email: "admin"}
    [invitation] = ada.told("list-invitations")
    assert (invitation["id"], invitation["status"]) == (invitation_id, "accepted")
    # at the next sign-in there is no other either
    assert browser.sign_in(email).status == 200
    assert [one["id"] for one in browser.get("/organization/list").json()] == [acme]


def test_what_else_one_was_invited_to_can_still_be_accepted(
    ada: Person, bo: Person, acme: str, browser: Browser
) -> None:
    email = new_email()
    first, second = ada.invites(email), bo.invites(email.upper(), "owner")
    assert browser.sign_up(email, callbackURL=join(first)).status == 200
    answer = browser.post("/organization/accept-invitation", {"invitationId": second})
    assert (answer.status, answer.json()["member"]["role"]) == (200, "owner")
    assert [one["id"] for one in browser.get("/organization/list").json()] == [acme, bo.own]


def test_an_owner_can_be_invited_this_way(ada: Person, acme: str, browser: Browser) -> None:
    email = new_email()
    browser.sign_up(email, callbackURL=join(ada.invites(email, "owner")))
    ada.done("leave", organizationId=acme)
    assert browser.post("/organization/delete", {"organizationId": acme}).status == 200


@pytest.mark.parametrize("callback", ["{url}/join?invitationId={id}", "/?a=b&invitationId={id}&c=d#e?invitationId=x"])
def test_the_invitation_is_found_in_any_link(ada: Person, acme: str, browser: Browser, callback: str) -> None:
    email = new_email()
    invitation_id = ada.invites(email)
    link = callback.format(url=browser.url, id=invitation_id)
    assert browser.sign_up(email.upper(), callbackURL=link).status == 200
    assert browser.session()["activeOrganizationId"] == acme


def test_a_link_to_another_site_is_refused_first(ada: Person, acme: str, browser: Browser) -> None:
    email = new_email()
    link = f"https://evil.example/join?invitationId={ada.invites(email)}"
    assert browser.sign_up(email, callbackURL=link).problem == (403, "INVALID_CALLBACK_URL")


def test_whatever_is_wrong_with_it_opens_no_account(
    ada: Person, bo: Person, cy: Person, acme: str, url: str, clock: HandClock, module_database: Database
) -> None:
    bo_member = ada.takes_in(bo, "admin")
    emails = {name: new_email() for name in ("canceled", "gone", "ran out", "closed")}
    foreign, canceled = ada.invites(cy.email), ada.invites(emails["canceled"])
    ada.done("cancel-invitation", invitationId=canceled)
    gone, ran_out = bo.invites(emails["gone"]), ada.invites(emails["ran out"])
    closed = ada.invites(emails["closed"], organizationId=ada.own)
    ada.done("delete", organizationId=ada.own)
    ada.done("remove-member", memberIdOrEmail=bo_member)
    over = (400, "INVITATION_NOT_FOUND")
    tried = [
        (new_email(), NO_ID, over),
        (new_email(), "no id", over),
        (emails["canceled"], canceled, over),
        (emails["closed"], closed, over),
        (new_email(), foreign, (400, "YOU_ARE_NOT_THE_RECIPIENT_OF_THE_INVITATION")),
        (emails["gone"], gone, (400, "INVITER_IS_NO_LONGER_A_MEMBER_OF_THE_ORGANIZATION")),
    ]
    accounts = module_database.value("SELECT count(*) FROM account_list")
    events = module_database.value("SELECT count(*) FROM events")
    for email, invitation_id, refusal in tried:
        device = Browser(url)
        answer = device.sign_up(email, callbackURL=join(invitation_id))
        assert (answer.problem, answer.set_cookies, device.cookies) == (refusal, [], {}), invitation_id
        assert device.sign_in(email).problem == (401, "INVALID_EMAIL_OR_PASSWORD")
    assert module_database.value("SELECT count(*) FROM events") == events
    clock.wind(days=7)
    answer = Browser(url).sign_up(emails["ran out"], callbackURL=join(ran_out))
    assert answer.problem == over
    assert module_database.value("SELECT count(*) FROM account_list") == accounts


def test_until_its_very_moment_it_opens_one(ada: Person, acme: str, browser: Browser, clock: HandClock) -> None:
    first, second = new_email(), new_email()
    links = [join(ada.invites(first)), join(ada.invites(second))]
    clock.wind(days=7, milliseconds=-1)
    assert browser.sign_up(first, callbackURL=links[0]).status == 200
    clock.wind(milliseconds=1)
    assert Browser(browser.url).sign_up(second, callbackURL=links[1]).problem == (400, "INVITATION_NOT_FOUND")
    assert Browser(browser.url).sign_up(second).status == 200


def test_one_that_was_answered_opens_none(ada: Person, bo: Person, acme: str, browser: Browser) -> None:
    rejected = ada.invites(bo.email)
    bo.done("reject-invitation", invitationId=rejected)
    email = new_email()
    accepted = ada.invites(email)
    assert browser.sign_up(email, callbackURL=join(accepted)).status == 200
    for over in (rejected, accepted):
        answer = Browser(browser.url).sign_up(new_email(), callbackURL=join(over))
        assert answer.problem == (400, "INVITATION_NOT_FOUND")


def test_who_has_an_account_is_to_sign_in(ada: Person, bo: Person, acme: str, browser: Browser) -> None:
    invitation_id = ada.invites(bo.email)
    answer = browser.sign_up(bo.email, callbackURL=join(invitation_id))
    assert answer.problem == (422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL")
    [invitation] = ada.told("list-invitations")
    assert invitation["status"] == "pending"
    assert bo.done("accept-invitation", invitationId=invitation_id)["member"]["userId"] == bo.user_id


def test_a_weak_password_uses_no_invitation_up(ada: Person, acme: str, browser: Browser) -> None:
    email = new_email()
    link = join(ada.invites(email))
    assert browser.sign_up(email, callbackURL=link, password="short").problem == (400, "PASSWORD_TOO_SHORT")
    assert browser.sign_up(email, callbackURL=link).status == 200


def test_where_invitations_are_off_they_open_no_account(ada: Person, acme: str, off_url: str) -> None:
    email = new_email()
    answer = Browser(off_url).sign_up(email, callbackURL=join(ada.invites(email)))
    assert answer.problem == (400, "INVITATIONS_ARE_DISABLED")
    assert Browser(off_url).sign_in(email).problem == (401, "INVALID_EMAIL_OR_PASSWORD")
    assert Browser(off_url).sign_up(email).status == 200


def test_where_it_takes_an_invitation_nobody_else_opens_an_account(
    ada: Person, acme: str, invited_url: str, module_database: Database
) -> None:
    email = new_email()
    events = module_database.value("SELECT count(*) FROM events")
    for callback in ("", "/welcome", "/join?invitationId="):
        answer = Browser(invited_url).sign_up(email, callbackURL=callback)
        assert answer.problem == BY_INVITATION_ONLY
        assert answer.json()["message"] == "Email and password sign up is not enabled"
    # also who has an account learns nothing else
    assert Browser(invited_url).sign_up(ada.email).problem == BY_INVITATION_ONLY
    assert module_database.value("SELECT count(*) FROM events") == events
    device = Browser(invited_url)
    assert device.sign_up(email, callbackURL=join(NO_ID)).problem == (400, "INVITATION_NOT_FOUND")
    assert device.sign_up(email, callbackURL=join(ada.invites(email))).status == 200
    assert device.session()["activeOrganizationId"] == acme
    assert Browser(invited_url).sign_in(ada.email).status == 200
