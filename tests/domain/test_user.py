"""User: a person opens an account, goes by another name, changes the password, ends all sessions."""

from __future__ import annotations

import pytest

from domain.user import (
    AccountUnlocked,
    EmailChanged,
    EmailContested,
    EmailRestored,
    EmailVerified,
    ImageChanged,
    LanguageChosen,
    NameChanged,
    PasswordChanged,
    PasswordReset,
    PersonErased,
    Revocation,
    SessionsRevoked,
    SignedUp,
    User,
    UserEvent,
    evolve,
)
from tests.domain.stories import given

SIGNED_UP = SignedUp(email="ada@example.com", name="Ada", image=None, email_hash=b"keyed", password_version=1)


def test_signing_up_records_the_address_its_hash_and_the_first_password_version() -> None:
    assert User.sign_up(email="ada@example.com", name="Ada", image=None, email_hash=b"keyed") == [SIGNED_UP]


def test_an_account_keeps_what_later_decisions_need_and_nothing_personal() -> None:
    ada = given(evolve, [SIGNED_UP, NameChanged(name="Ada King"), ImageChanged(image="https://example.com/a.png")])
    assert ada == User(email_hash=b"keyed", password_version=1, session_epoch=0)


def test_another_name_is_news_and_the_same_one_is_not() -> None:
    ada = given(evolve, [SIGNED_UP])
    assert ada.rename("Ada King", before="Ada") == [NameChanged(name="Ada King")]
    assert ada.rename("Ada", before="Ada") == []


def test_a_language_is_chosen_once() -> None:
    ada = given(evolve, [SIGNED_UP, LanguageChosen(language="de")])
    assert ada.read_in("de", before=None) == [LanguageChosen(language="de")]
    assert ada.read_in("de", before="de") == []


def test_an_image_is_shown_changed_and_taken_away() -> None:
    ada = given(evolve, [SIGNED_UP])
    assert ada.show("https://example.com/a.png", before=None) == [ImageChanged(image="https://example.com/a.png")]
    assert ada.show(None, before="https://example.com/a.png") == [ImageChanged(image=None)]
    assert ada.show(None, before=None) == []


def test_a_changed_password_is_the_next_version_and_leaves_sessions_alone_unless_asked() -> None:
    ada = given(evolve, [SIGNED_UP])
    assert ada.change_password(revoking=False) == [PasswordChanged(password_version=2)]
    assert ada.change_password(revoking=True) == [
        PasswordChanged(password_version=2),
        SessionsRevoked(epoch=1, reason=Revocation.PASSWORD_CHANGED),
    ]


def test_a_second_change_of_the_password_is_counted_from_the_first() -> None:
    ada = given(evolve, [SIGNED_UP, PasswordChanged(password_version=2)])
    assert ada == User(email_hash=b"keyed", password_version=2, session_epoch=0)
    assert ada.change_password(revoking=False) == [PasswordChanged(password_version=3)]


def test_each_revocation_begins_the_next_epoch() -> None:
    ada = given(evolve, [SIGNED_UP, SessionsRevoked(epoch=1, reason=Revocation.OTHERS)])
    assert ada.revoke_sessions(Revocation.EVERYWHERE) == [SessionsRevoked(epoch=2, reason=Revocation.EVERYWHERE)]


def test_an_address_that_is_not_proved_is_contested_once() -> None:
    ada = given(evolve, [SIGNED_UP])
    assert ada.contest_email() == [EmailContested()]
    contested = given(evolve, [SIGNED_UP, EmailContested()])
    assert contested.email_contested
    assert contested.contest_email() == []
    assert given(evolve, [SIGNED_UP, EmailVerified()]).contest_email() == []


@pytest.mark.parametrize(
    "proof",
    [EmailVerified(), EmailChanged(email="a@b.c", email_hash=b"new"), EmailRestored(email="a@b.c", email_hash=b"new")],
)
def test_once_an_address_is_proved_nobody_contests_it(proof: UserEvent) -> None:
    ada = given(evolve, [SIGNED_UP, EmailContested(), proof])
    assert (ada.email_verified, ada.email_contested) == (True, False)


def test_an_account_may_begin_with_an_address_that_is_proved() -> None:
    opened = User.sign_up(email="ada@example.com", name="Ada", image=None, email_hash=b"keyed", verified=True)
    assert opened == [SIGNED_UP, EmailVerified()]
    assert given(evolve, opened).email_verified


def test_a_reset_is_the_next_version_ends_all_sessions_and_proves_the_address() -> None:
    ada = given(evolve, [SIGNED_UP, PasswordChanged(password_version=2)])
    reset = [PasswordReset(password_version=3), SessionsRevoked(epoch=1, reason=Revocation.PASSWORD_RESET)]
    assert ada.reset_password() == [*reset, EmailVerified()]
    assert given(evolve, [SIGNED_UP, PasswordChanged(password_version=2), EmailVerified()]).reset_password() == reset
    after = given(evolve, [SIGNED_UP, *reset])
    assert after == User(email_hash=b"keyed", password_version=3, session_epoch=1)


def test_an_address_is_verified_once() -> None:
    assert given(evolve, [SIGNED_UP]).verify_email() == [EmailVerified()]
    assert given(evolve, [SIGNED_UP, EmailVerified()]).verify_email() == []


def test_another_address_is_news_and_proved_and_the_same_one_is_not() -> None:
    ada = given(evolve, [SIGNED_UP])
    changed = ada.change_email("ada@example.org", email_hash=b"new")
    assert changed == [EmailChanged(email="ada@example.org", email_hash=b"new")]
    assert ada.change_email("ada@example.com", email_hash=b"keyed") == []
    after = given(evolve, [SIGNED_UP, *changed])
    assert after == User(email_hash=b"new", password_version=1, email_verified=True)
    restored = after.restore_email("ada@example.com", email_hash=b"keyed")
    assert restored == [EmailRestored(email="ada@example.com", email_hash=b"keyed")]
    assert ada.restore_email("ada@example.com", email_hash=b"keyed") == []
    assert given(evolve, [SIGNED_UP, *changed, *restored]).email_hash == b"keyed"


def test_to_unlock_changes_nothing_else() -> None:
    ada = given(evolve, [SIGNED_UP, PasswordChanged(password_version=2)])
    assert ada.unlock() == [AccountUnlocked()]
    assert given(evolve, [SIGNED_UP, PasswordChanged(password_version=2), AccountUnlocked()]) == ada


def test_who_is_erased_is_closed_in_an_epoch_that_no_session_has_and_only_once() -> None:
    ada = given(evolve, [SIGNED_UP, SessionsRevoked(epoch=1, reason=Revocation.OTHERS)])
    assert ada.erase() == [PersonErased(epoch=2)]
    gone = given(evolve, [SIGNED_UP, PersonErased(epoch=2)])
    assert gone == User(email_hash=b"keyed", password_version=1, session_epoch=2, closed=True)
    assert gone.erase() == []


def test_why_all_sessions_were_ended_is_stored_in_these_words() -> None:
    assert [reason.value for reason in Revocation] == ["everywhere", "others", "password_changed", "password_reset"]
