"""account_list and session_list: what sign-in looks up."""

from __future__ import annotations

import pytest

from domain.ids import new_id
from domain.store import Addition, Store
from domain.store.credentials import first_credentials
from domain.user import SignedUp
from projections.lists.account_list import AccountLookups
from tests.databases import Database
from tests.domain.store.entries import by_ada, started
from tests.people import ADA

KEYED = b"the keyed hash of ada@example.com"


@pytest.fixture
def ada(store: Store) -> Store:
    """The store, with Ada's account and one session of hers."""
    subject = store.new_subject(ADA)
    signed_up = SignedUp(
        email="ada@example.com", name="Ada", image="https://x.io/a", email_hash=KEYED, password_version=1
    )
    password = first_credentials(ADA, password_version=1, password_hash="a hash")
    store.append(
        by_ada(), subject, Addition(ADA, 0, [signed_up], subject), Addition(new_id(), 0, [started()]), writes=[password]
    )
    return store


def test_an_account_is_found_by_the_hash_of_its_address_with_all_that_sign_in_needs(ada: Store) -> None:
    account = AccountLookups(ada.statements).account_by_email(KEYED)
    assert account is not None
    assert (account.person.user_id, account.person.email, account.person.image) == (
        ADA, "ada@example.com", "https://x.io/a",
    )  # fmt: skip
    assert (account.session_epoch, account.password_hash) == (0, "a hash")
    assert account.subject == ada.subject(ADA)
    assert AccountLookups(ada.statements).email_known(KEYED)


def test_an_unknown_address_is_no_account(ada: Store) -> None:
    assert AccountLookups(ada.statements).account_by_email(b"another") is None
    assert not AccountLookups(ada.statements).email_known(b"another")


def test_a_closed_account_cannot_be_signed_in_to(ada: Store, database: Database) -> None:
    database.rows("UPDATE account_list SET ended_at = now()")
    assert AccountLookups(ada.statements).account_by_email(KEYED) is None
