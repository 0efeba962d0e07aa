"""Who has their account back finds what was invited to meanwhile ended, and is told to look through the members."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.browser import BASE, Browser
from tests.api.conftest import HandClock
from tests.api.routes.fellows import NOT_FOUND, Person, new_email, new_slug
from tests.api.routes.mailbox import Postman, postman_of, serving
from tests.databases import Database

NEW_PASSWORD = "battery staple 2"
LOOK = "for who was let in meanwhile"


@pytest.fixture(scope="module")
def postman(module_database: Database, module_clock: HandClock, tmp_path_factory: pytest.TempPathFactory) -> Postman:
    return postman_of(module_database, module_clock, tmp_path_factory, email_verification="asked")


@pytest.fixture(scope="module")
def url(postman: Postman) -> Iterator[str]:
    with serving(postman) as url:
        yield url


@pytest.fixture
def ada(url: str, clock: HandClock) -> Person:
    """With an organization, to which she has invited somebody."""
    ada = Person(url, "Ada")
    ada.founds(new_slug())
    return ada


def statuses(person: Person, organization_id: str) -> dict[str, str]:
    listed = person.told(f"list-invitations?organizationId={organization_id}")
    return {one["email"]: one["status"] for one in listed}


def resets(url: str, token: str) -> int:
    return Browser(url).post("/reset-password", {"newPassword": NEW_PASSWORD, "token": token}).status


def is_back(ada: Person) -> None:
    """On this device, with the new password."""
    assert ada.sign_in(ada.email, NEW_PASSWORD).status == 200


def last_said(postman: Postman, email: str) -> str:
    """What the last notice of another password says."""
    said = [mail.get_body((part,)) for mail in postman.mails_to(email, "password-changed")[-1:] for part in ("plain",)]
    assert said[0] is not None
    return " ".join(said[0].get_content().split())


def test_whom_a_thief_invited_cannot_join_once_the_change_is_undone(
    ada: Person, postman: Postman, clock: HandClock
) -> None:
    organization_id, before, accomplice = ada.active, new_email(), Person(ada.url, "Cy")
    ada.invites(before)
    clock.wind(minutes=6)
    # the session that the thief has
    ada.sign_in(ada.email)
    clock.wind(minutes=1)
    thief = f"thief.{ada.email}"
    assert ada.post("/change-email", {"newEmail": thief}).status == 200
    confirmed = ada.ask("GET", f"{BASE}/verify-email?token={postman.link_to(thief).token}")
    assert confirmed.status == 200
    clock.wind(minutes=1)
    taken_in = Person(ada.url, "Dee")
    ada.takes_in(taken_in)
    invitation_id = ada.invites(accomplice.email, "admin")
    clock.wind(minutes=1)
    assert resets(ada.url, postman.link_to(ada.email, "email-change-notice").token) == 200

    assert accomplice.does("accept-invitation", invitationId=invitation_id).problem == NOT_FOUND
    is_back(ada)
    assert statuses(ada, organization_id) == {
        before: "pending",
        taken_in.email: "accepted",
        accomplice.email: "canceled",
    }
    assert LOOK in last_said(postman, ada.email)
    trail = ada.get(f"/organization/activity?organizationId={organization_id}").json()["entries"]
    assert any(
        one["text"].endswith("back, as sent after a change of address that was undone.")
        and accomplice.email in one["text"]
        for one in trail
    ), trail


def test_whom_somebody_invited_who_opened_the_account_with_anothers_address_cannot_join(
    ada: Person, postman: Postman, clock: HandClock
) -> None:
    organization_id, guest = ada.active, Person(ada.url, "Cy")
    invitation_id = ada.invites(guest.email)
    assert Browser(ada.url).post("/request-password-reset", {"email": ada.email}).status == 200
    assert resets(ada.url, postman.link_to(ada.email, "password-reset").token) == 200
    assert guest.does("accept-invitation", invitationId=invitation_id).problem == NOT_FOUND
    is_back(ada)
    assert statuses(ada, organization_id) == {guest.email: "canceled"}
    assert LOOK in last_said(postman, ada.email)

    # now the address is proved: who forgets the password again takes nothing back
    ada.done("set-active", organizationId=organization_id)
    later = new_email()
    ada.invites(later)
    assert Browser(ada.url).post("/request-password-reset", {"email": ada.email}).status == 200
    assert resets(ada.url, postman.link_to(ada.email, "password-reset").token) == 200
    is_back(ada)
    assert statuses(ada, organization_id)[later] == "pending"
    assert LOOK not in last_said(postman, ada.email)
