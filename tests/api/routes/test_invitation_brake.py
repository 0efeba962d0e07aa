"""Nobody is flooded with invitations: how many a person may send, and an address may get (decision 43)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from domain import clock as system_clock
from tests.api.conftest import settings_for
from tests.api.edge.limited import TOO_MANY, Counters, assert_refused
from tests.api.routes.fellows import Person, new_email, new_slug
from tests.databases import Database
from tests.server import application

WITHIN_AN_HOUR = range(3_500, 3_601)
INVITED = (400, "USER_IS_ALREADY_INVITED_TO_THIS_ORGANIZATION")


@pytest.fixture
def counters(module_database: Database) -> Iterator[Counters]:
    """All begin anew, those of sign-ups by address too."""
    counters = Counters(module_database)
    counters.forget(set(counters.all()))
    yield counters
    counters.forget(set(counters.all()))


@pytest.fixture(scope="module")
def url(module_database: Database) -> Iterator[str]:
    with application(settings_for(module_database, rate_limit="on"), system_clock.now) as url:
        yield url


@pytest.fixture(scope="module")
def strict(module_database: Database) -> Iterator[str]:
    """A node where a person may send three an hour."""
    with application(settings_for(module_database, rate_limit="on", invitations_per_hour=3), system_clock.now) as url:
        yield url


def owner(url: str, counters: Counters, name: str = "Ada") -> Person:
    """Somebody with an organization that they have turned to."""
    person = Person(url, name)
    person.founds(new_slug())
    # the next to sign up comes from the same address
    for key in [key for key in counters.all() if key[0] == 1]:
        counters.forget({key})
    return person


def sends(person: Person, email: str, **fields: object) -> int:
    return person.does("invite-member", email=email, role="member", **fields).status


def test_an_address_gets_five_an_hour_of_one_person_and_no_more(
    url: str, counters: Counters, module_database: Database
) -> None:
    ada, email = owner(url, counters), new_email()
    assert [sends(ada, email, resend=True) for _ in range(5)] == [200] * 5
    [before] = ada.told("list-invitations")
    count = module_database.value("SELECT count(*) FROM events")
    refused = ada.does("invite-member", email=email.upper(), role="member", resend=True)
    assert_refused(refused, within=WITHIN_AN_HOUR)
    assert module_database.value("SELECT count(*) FROM events") == count
    assert ada.told("list-invitations") == [before]
    assert sends(ada, new_email()) == 200
    counters.age(3_600)
    assert sends(ada, email, resend=True) == 200


def test_a_name_behind_a_plus_is_no_other_mailbox_for_one_person_either(url: str, counters: Counters) -> None:
    ada, local = owner(url, counters), new_email().partition("@")[0]
    sent = [sends(ada, f"{local}+{number}@example.com") for number in range(6)]
    assert sent == [200] * 5 + [429]
    # and others may write to whom she has not flooded
    assert sends(owner(url, counters, "Bo"), f"{local}@example.com") == 200


def test_numbers_of_telephones_are_a_mailbox_each(url: str, counters: Counters) -> None:
    ada = owner(url, counters)
    assert {sends(ada, f"+1555000{number:04}@sms.example.com") for number in range(22)} == {200}


def test_taking_it_back_and_sending_it_anew_makes_no_difference(url: str, counters: Counters) -> None:
    ada, email = owner(url, counters), new_email()
    for _ in range(5):
        ada.done("cancel-invitation", invitationId=ada.invites(email))
    assert sends(ada, email) == 429
    ada.founds(new_slug())
    assert sends(ada, email) == 429, "from another organization neither"


def test_what_is_refused_for_another_reason_says_that_and_counts_nothing(url: str, counters: Counters) -> None:
    ada, email = owner(url, counters), new_email()
    bo = owner(url, counters, "Bo")
    assert sends(ada, email) == 200
    for _ in range(6):
        assert ada.does("invite-member", email=email, role="member").problem == INVITED
        assert ada.does("invite-member", email="bo@", role="member").problem == (400, "INVALID_EMAIL")
        assert ada.does("invite-member", email=email, role="wizard", resend=True).status == 400
        assert ada.does("invite-member", email=ada.email, role="member").status == 400
        assert bo.does("invite-member", email=email, role="member", organizationId=ada.active).status == 400
    assert [sends(ada, email, resend=True) for _ in range(5)] == [200] * 4 + [429]
    assert ada.does("invite-member", email=email, role="member").problem == INVITED


def test_a_mailbox_gets_twenty_an_hour_of_all_people_together(url: str, counters: Counters) -> None:
    people = [owner(url, counters, name) for name in ("Ada", "Bo", "Cy", "Di")]
    local, _, host = new_email().partition("@")
    for number, person in enumerate(people):
        email = f"{local}+{number}@{host}"
        assert [sends(person, email, resend=True) for _ in range(5)] == [200] * 5
    assert sends(people[0], f"{local}@{host}") == 429
    assert sends(people[0], f"{local}+elsewhere@{host}") == 429
    assert sends(people[0], f"{local}.{local}@{host}") == 200


def test_a_person_sends_as_many_an_hour_as_the_setting_says(strict: str, counters: Counters) -> None:
    ada = owner(strict, counters)
    assert [sends(ada, new_email()) for _ in range(4)] == [200] * 3 + [429]
    assert sends(owner(strict, counters, "Bo"), new_email()) == 200
    counters.age(3_600)
    assert sends(ada, new_email()) == 200


def test_who_invites_a_few_all_day_long_is_never_refused(strict: str, counters: Counters) -> None:
    ada = owner(strict, counters)
    for _ in range(8):
        assert sends(ada, new_email()) == 200
        counters.age(1_500)


def test_of_many_at_once_no_more_are_admitted(strict: str, counters: Counters) -> None:
    ada = owner(strict, counters)
    emails = [new_email() for _ in range(9)]
    with ThreadPoolExecutor(9) as tabs:
        answers = list(tabs.map(lambda email: sends(ada, email), emails))
    assert sorted(answers) == [200] * 3 + [429] * 6
    assert len(ada.told("list-invitations")) == 3


def test_one_that_nobody_stands_behind_is_not_taken_back_for_one_that_is_refused(
    strict: str, counters: Counters, module_database: Database
) -> None:
    ada, bo = owner(strict, counters), owner(strict, counters, "Bo")
    organization_id, email = ada.active, new_email()
    ada.takes_in(bo, "admin", organizationId=organization_id)
    bo.done("invite-member", email=email, role="admin", organizationId=organization_id)
    ada.done("remove-member", memberIdOrEmail=bo.email, organizationId=organization_id)
    assert [sends(ada, new_email()) for _ in range(2)] == [200, 200]
    of_it = "SELECT version, ended_at FROM invitation_list WHERE organization_id = %s ORDER BY version"
    before = module_database.rows(of_it, UUID(organization_id))
    answer = ada.does("invite-member", email=email, role="admin")
    assert (answer.status, answer.json()) == (429, TOO_MANY)
    assert module_database.rows(of_it, UUID(organization_id)) == before
    counters.age(3_600)
    assert sends(ada, email) == 200


def test_no_address_and_nobodys_id_stands_among_the_counters(
    url: str, counters: Counters, module_database: Database
) -> None:
    ada = owner(url, counters)
    ada.invites("very.much.herself@example.com")
    rows = module_database.rows("SELECT encode(key, 'escape'), encode(key, 'hex') FROM rate_limits")
    assert rows
    assert not any("herself" in text or UUID(ada.user_id).hex in digits for text, digits in rows)
