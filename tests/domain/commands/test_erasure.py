"""Deleting an account: what ends with it, what goes, and what stays with others."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.commands.erasure import delete_account, erase_person, foreseen, forget_invitations
from domain.commands.membership import transfer_ownership
from domain.commands.organization import close_organization, update_organization
from domain.commands.principal import Operator
from domain.commands.session import use_session
from domain.events.catalogue import ORGANIZATION
from domain.refusals import LastOwner, SessionNotFresh, SessionOver, SubjectGone, WrongCredentials, WrongPassword
from tests.domain.commands.going import ADAS, BOS, CYS, HERS, THEIRS, Town
from tests.people import PASSWORD

KEYS_LEFT = "SELECT count(*) FROM subject_keys WHERE person_id = %s AND wrapped IS NOT NULL"


def events_of(town: Town, command: str = "PersonErased") -> list[str]:
    """All that the command did of which this is an event, in the order of their names."""
    return [
        name
        for [name] in town.database.rows(
            "SELECT name FROM events WHERE command_id IN (SELECT command_id FROM events WHERE name = %s) ORDER BY name",
            command,
        )
    ]


def statuses(town: Town) -> list[tuple[Any, ...]]:
    return town.database.rows("SELECT status, email FROM invitation_list ORDER BY invitation_id")


def test_one_commit_ends_all_that_somebody_had_a_part_in(town: Town) -> None:
    ada, _, _ = town.ada_lives()
    erased = town.goes(ada)
    assert events_of(town) == [
        "InvitationCanceled", "InvitationRejected", "MemberLeft", "OrganizationClosed", "OrganizationClosed",
        "OrganizationErased", "PersonErased", "RecipientErased",
    ]  # fmt: skip
    assert statuses(town) == [("accepted", None), ("canceled", "someone@example.org"), ("rejected", None)]
    assert town.database.value(KEYS_LEFT, ada) == 0
    [account] = town.database.rows(
        "SELECT email, email_slot, name, image, session_epoch, ended_at FROM account_list WHERE user_id = %s", ada
    )
    assert account == (None, None, None, None, 1, erased.at)
    for table in ("credentials", "attempts"):
        column = "user_id" if table == "credentials" else "person_id"
        assert town.database.value(f"SELECT count(*) FROM {table} WHERE {column} = %s", ada) == 0
    assert town.database.value("SELECT count(*) FROM last_active JOIN session_list USING (session_id)") == 1
    assert town.database.value("SELECT count(*) FROM pictures WHERE link IS NOT NULL") == 0
    assert dict(erased.touched) == {
        "account_list": 1, "attempts": 1, "credentials": 1, "invitation_list": 3, "last_active": 2, "member_list": 1,
        "organization_list": 2, "pictures": 1, "rate_limits": 0, "session_list": 2, "subject_keys": 5,
    }  # fmt: skip


def test_what_will_happen_is_told_before_and_nothing_happens_by_it(town: Town) -> None:
    ada, _, _ = town.ada_lives()
    assert dict(foreseen(town.context, ada).effects) == {
        "sessions": 2, "API keys": 0, "memberships": 1, "organizations": 2, "invitations to the person": 1,
        "invitations from the person": 1,
    }  # fmt: skip
    assert events_of(town) == []


def test_where_the_last_request_came_from_is_not_kept(town: Town) -> None:
    ada = town.signs_up(ADAS, "Ada")
    delete_account(town.context, town.by(ada, HERS), password=None)
    [sealed] = town.database.rows("SELECT sealed FROM commands ORDER BY at DESC LIMIT 1")
    assert sealed == (None,)


def test_the_address_signs_up_again_as_somebody_new(town: Town) -> None:
    ada, bo, _ = town.ada_lives()
    town.goes(ada)
    again = town.signs_up(ADAS, "Ada the Second")
    assert again != ada
    account = town.context.lookups.account(again)
    assert account is not None
    assert (account.person.email, account.person.name) == (ADAS, "Ada the Second")
    # what was sent to the one before is not for the one after
    [acme] = town.database.rows("SELECT organization_id FROM organization_list WHERE name = 'Acme'")
    assert town.takes_in(bo, acme[0], again)
    town.goes(again)
    assert town.database.value("SELECT count(*) FROM account_list WHERE email_slot IS NOT NULL") == 2


@pytest.mark.parametrize("shut", [False, True])
def test_an_only_owner_goes_once_others_are_gone_or_own_it_too(town: Town, shut: bool) -> None:
    ada, bo = town.signs_up(ADAS, "Ada"), town.signs_up(BOS, "Bo")
    works = town.founds(ada, "Works", "works")
    membership_id = town.takes_in(ada, works, bo)
    with pytest.raises(LastOwner):
        town.goes(ada)
    assert events_of(town) == []
    if shut:
        close_organization(town.context, town.by(ada), organization_id=works)
    else:
        transfer_ownership(town.context, town.by(ada), organization_id=works, membership_id=membership_id)
    town.goes(ada)
    organization = town.context.store.load(ORGANIZATION, works)
    assert organization.state.closed is shut
    # what others belonged to keeps its name
    assert town.database.value("SELECT name FROM organization_list WHERE organization_id = %s", works) == "Works"


def test_an_organization_that_came_with_the_account_and_is_others_now_goes_by_a_neutral_name(town: Town) -> None:
    ada, bo = town.signs_up(ADAS, "Ada Lovelace"), town.signs_up(BOS, "Bo")
    hers = town.personal(ada)
    town.takes_in(ada, hers, bo, "owner")
    town.goes(ada)
    assert events_of(town) == [
        "MemberLeft", "OrganizationRenamed", "OwnerRemoved", "PersonErased", "PersonalOrganizationGivenUp",
    ]  # fmt: skip
    organization = town.context.store.load(ORGANIZATION, hers)
    assert (set(organization.state.owners), organization.state.personal_to) == ({bo}, None)
    assert organization.subject is not None
    assert organization.subject.wrapped is not None
    assert town.database.value("SELECT name FROM organization_list WHERE organization_id = %s", hers) == "Organization"


@pytest.mark.parametrize(
    ("called", "then"),
    [("The ada.lovelace Club", "Organization"), ("COUNTESS ADA & Sons", "Organization"), ("Engines", "Engines")],
)
def test_what_carries_an_older_name_or_the_address_is_neutral_too_and_nothing_else(
    town: Town, called: str, then: str
) -> None:
    ada, bo, _ = town.ada_lives()
    hers = town.personal(ada)
    town.takes_in(ada, hers, bo, "owner")
    update_organization(town.context, town.by(bo), organization_id=hers, changes={"name": called})
    town.goes(ada)
    assert town.database.value("SELECT name FROM organization_list WHERE organization_id = %s", hers) == then


@pytest.mark.parametrize(
    ("called", "then"), [("A's Organization", "Organization"), ("a's organization", "Organization"), ("Acme", "Acme")]
)
def test_a_name_of_a_letter_or_two_is_not_looked_for_within_words(town: Town, called: str, then: str) -> None:
    a, bo = town.signs_up("a@example.com", "A"), town.signs_up(BOS, "Bo")
    hers = town.personal(a)
    town.takes_in(a, hers, bo, "owner")
    update_organization(town.context, town.by(bo), organization_id=hers, changes={"name": called})
    town.goes(a)
    assert town.database.value("SELECT name FROM organization_list WHERE organization_id = %s", hers) == then


def test_an_organization_left_long_ago_that_came_with_the_account_is_neutral_too(town: Town) -> None:
    ada, bo = town.signs_up(ADAS, "Ada Lovelace"), town.signs_up(BOS, "Bo")
    hers = town.personal(ada)
    membership_id = town.takes_in(ada, hers, bo)
    transfer_ownership(town.context, town.by(ada), organization_id=hers, membership_id=membership_id)
    town.goes(ada)
    assert town.database.value("SELECT name FROM organization_list WHERE organization_id = %s", hers) == "Organization"


def test_a_password_must_be_the_right_one(town: Town) -> None:
    ada = town.signs_up(ADAS, "Ada")
    with pytest.raises(WrongPassword):
        delete_account(town.context, town.by(ada), password="battery staple 2")
    town.now += timedelta(days=2)
    # with it, nobody asks when it was given last
    assert delete_account(town.context, town.by(ada), password=PASSWORD).user_id == ada


def test_without_a_password_the_session_is_a_fresh_one(town: Town) -> None:
    ada = town.signs_up(ADAS, "Ada")
    town.now += timedelta(days=1)
    with pytest.raises(SessionNotFresh):
        delete_account(town.context, town.by(ada), password=None)
    town.signs_in(ADAS)
    assert delete_account(town.context, town.by(ada), password=None).user_id == ada


def test_who_is_gone_does_nothing_more_and_goes_only_once(town: Town) -> None:
    ada = town.signs_up(ADAS, "Ada")
    principal = town.by(ada)
    town.goes(ada)
    for act in (
        lambda: delete_account(town.context, principal, password=PASSWORD),
        lambda: use_session(
            town.context, session_id=principal.session_id, extending=True, reading=False, now=town.now, where_from=HERS
        ),
    ):
        with pytest.raises(SessionOver):
            act()
    with pytest.raises(WrongCredentials):
        town.signs_in(ADAS)
    with pytest.raises(SubjectGone):
        erase_person(town.context, Operator(at=town.now), user_id=ada)
    with pytest.raises(SubjectGone):
        erase_person(town.context, Operator(at=town.now), user_id=UUID(int=1))


def test_an_operator_is_named_where_they_did_it(town: Town) -> None:
    ada, _, _ = town.ada_lives()
    erased = erase_person(town.context, Operator(at=town.now), user_id=ada)
    assert erased.touched["session_list"] == 2
    assert town.database.rows("SELECT actor_kind, actor_id FROM commands ORDER BY at DESC LIMIT 1") == [
        ("operator", None)
    ]


def test_an_invitation_to_an_address_that_is_somebody_elses_now_is_theirs(town: Town) -> None:
    """Ada had Cy's address once, as far as the events say; what is open is for who has it."""
    ada, bo, cy = town.signs_up(ADAS, "Ada"), town.signs_up(BOS, "Bo"), town.signs_up(CYS, "Cy")
    town.invites(bo, town.founds(bo, "Acme", "acme"), CYS)
    hash_of = town.context.keyring.email_hash
    found = town.context.lookups.invitations_ever_to(
        ada, {hash_of(CYS): None, hash_of(ADAS): None}, reading=town.context.store.statements
    )
    assert found == []
    assert (
        len(town.context.lookups.invitations_ever_to(cy, {hash_of(CYS): None}, reading=town.context.store.statements))
        == 1
    )


def test_what_is_written_of_others_is_as_before(town: Town) -> None:
    ada, bo, cy = town.ada_lives()
    of_others = {
        "account_list": "user_id = ANY(%s)",
        "session_list": "user_id = ANY(%s)",
        "member_list": "user_id = ANY(%s)",
        "credentials": "user_id = ANY(%s)",
        "attempts": "person_id = ANY(%s)",
        "subject_keys": "person_id = ANY(%s) OR (person_id IS NULL AND subject_id IN"
        " (SELECT organization_id FROM organization_list WHERE name IN ('Acme', 'Works')))",
        "organization_list": "organization_id IN (SELECT organization_id FROM member_list WHERE user_id = ANY(%s))",
        "last_active": "session_id IN (SELECT session_id FROM session_list WHERE user_id = ANY(%s))",
    }
    queries = {table: f"SELECT * FROM {table} WHERE {theirs} ORDER BY 1" for table, theirs in of_others.items()}
    before = {table: town.database.rows(sql, [bo, cy]) for table, sql in queries.items()}
    assert all(before.values())
    town.goes(ada)
    assert {table: town.database.rows(sql, [bo, cy]) for table, sql in queries.items()} == before


def test_nothing_is_written_where_the_last_owner_changed_meanwhile(town: Town) -> None:
    """The decision is made again under the locks: what it read may not move before it is written."""
    ada, bo = town.signs_up(ADAS, "Ada"), town.signs_up(BOS, "Bo")
    works = town.founds(ada, "Works", "works")
    town.takes_in(ada, works, bo, "owner")
    going, gone = town.by(ada), town.by(bo, THEIRS)
    asked = town.context.lookups.rows_of_a_person

    def meanwhile(*args: Any, **given: Any) -> Any:
        lookups.rows_of_a_person = asked
        # Bo goes between what Ada's going read and what it writes
        delete_account(town.context, gone, password=PASSWORD)
        return asked(*args, **given)

    lookups: Any = town.context.lookups
    lookups.rows_of_a_person = meanwhile
    delete_account(replace(town.context, lookups=lookups), going, password=PASSWORD)
    assert town.context.store.load(ORGANIZATION, works).state.closed
    assert town.database.value("SELECT count(*) FROM erasures") == 2


def test_where_the_account_never_was_what_was_sent_to_it_before_is_forgotten_and_nothing_later(town: Town) -> None:
    """As in a backup that is older than the account."""
    bo = town.signs_up(BOS, "Bo")
    acme, works = town.founds(bo, "Acme", "acme"), town.founds(bo, "Works", "works")
    town.invites(bo, acme, ADAS)
    erased_at = town.by(bo).at
    town.invites(bo, works, ADAS)
    ada, hashes = UUID(int=7), [town.context.keyring.email_hash(ADAS)]
    operator = Operator(at=town.now)
    again = [
        forget_invitations(town.context, operator, user_id=ada, email_hashes=hashes, erased_at=erased_at)
        for _ in range(2)
    ]
    assert again == [1, 0]
    assert statuses(town) == [("rejected", None), ("pending", ADAS)]
    # of who is there, or was, nothing is decided here
    assert forget_invitations(town.context, operator, user_id=bo, email_hashes=hashes, erased_at=town.now) == 0


def test_what_is_written_a_moment_late_about_who_is_gone_is_not(town: Town) -> None:
    """Attempts and moments of use are noted, and written behind."""
    ada, _, _ = town.ada_lives()
    town.goes(ada)
    town.refused(ada, HERS)
    town.was_active(ada)
    assert town.database.value("SELECT count(*) FROM attempts WHERE person_id = %s", ada) == 0
    of_hers = "SELECT count(*) FROM last_active JOIN session_list USING (session_id) WHERE user_id = %s"
    assert town.database.value(of_hers, ada) == 0
