"""User: a person opens an account."""

from __future__ import annotations

from domain.user import SignedUp, User, evolve
from tests.domain.stories import given


def test_signing_up_records_the_address_its_hash_and_the_first_password_version() -> None:
    events = User.sign_up(email="ada@example.com", name="Ada", image=None, email_hash=b"keyed")
    assert events == [
        SignedUp(email="ada@example.com", name="Ada", image=None, email_hash=b"keyed", password_version=1)
    ]


def test_an_account_keeps_what_later_decisions_need_and_nothing_personal() -> None:
    signed_up = SignedUp(email="ada@example.com", name="Ada", image=None, email_hash=b"keyed", password_version=1)
    assert given(evolve, [signed_up]) == User(email_hash=b"keyed", password_version=1)
