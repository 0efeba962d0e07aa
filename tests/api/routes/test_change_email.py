"""Another address: confirmed by who has it, told to who had it, and given back to them (wire.md §9, A3)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.browser import BASE, Answer, Browser
from tests.api.conftest import HandClock, settings_for
from tests.api.routes.fellows import Person, new_slug
from tests.api.routes.mailbox import Postman, postman_of, serving
from tests.databases import Database
from tests.people import PASSWORD
from tests.server import application

NEW_PASSWORD = "battery staple 2"
DONE = (200, b'{"status":true}')


@pytest.fixture(scope="module")
def postman(module_database: Database, module_clock: HandClock, tmp_path_factory: pytest.TempPathFactory) -> Postman:
    return postman_of(module_database, module_clock, tmp_path_factory)


@pytest.fixture(scope="module")
def url(postman: Postman) -> Iterator[str]:
    """Where the application answers that leaves mail in a folder."""
    with serving(postman) as url:
        yield url


@pytest.fixture
def ada(browser: Browser, email: str) -> Browser:
    """Signed in at noon."""
    assert browser.sign_up(email).status == 200
    return browser


def change(browser: Browser, email: str, **fields: object) -> tuple[int, bytes]:
    answer = browser.post("/change-email", {"newEmail": email, **fields})
    return answer.status, answer.content


def confirm(browser: Browser, token: str) -> Answer:
    return browser.ask("GET", f"{BASE}/verify-email?token={token}")


def changed(ada: Browser, new: str, postman: Postman) -> Answer:
    assert change(ada, new) == DONE
    return confirm(ada, postman.link_to(new, "email-change-confirmation").token)


def reset(url: str, token: str, password: str = NEW_PASSWORD) -> Answer:
    return Browser(url).post("/reset-password", {"newPassword": password, "token": token})


def address_of(browser: Browser) -> tuple[str, bool]:
    user = browser.get("/get-session").json()["user"]
    return user["email"], user["emailVerified"]


def test_an_address_is_another_one_once_who_has_it_says_so(ada: Browser, email: str, postman: Postman) -> None:
    new = f"new.{email}"
    assert change(ada, new.upper(), callbackURL="/changed") == DONE
    assert address_of(ada) == (email, False)
    link = postman.link_to(new)
    assert link.callback_url == "/changed"
    answer = confirm(ada, link.token)
    assert answer.status == 200
    assert answer.json()["status"] is True
    assert (answer.json()["user"]["email"], answer.json()["user"]["emailVerified"]) == (new, True)
    assert address_of(ada) == (new, True)
    assert Browser(ada.url).sign_in(new).status == 200
    assert Browser(ada.url).sign_in(email).problem == (401, "INVALID_EMAIL_OR_PASSWORD")


def test_sessions_go_on(ada: Browser, email: str, postman: Postman) -> None:
    phone = Browser(ada.url)
    phone.sign_in(email)
    changed(ada, f"new.{email}", postman)
    assert address_of(phone) == (f"new.{email}", True)


def test_a_link_changes_the_address_once(ada: Browser, email: str, postman: Postman) -> None:
    new = f"new.{email}"
    change(ada, new)
    token = postman.link_to(new).token
    assert confirm(ada, token).status == 200
    assert confirm(ada, token).problem == (401, "INVALID_TOKEN")


def test_a_taken_address_looks_the_same_and_nothing_happens(ada: Browser, email: str, postman: Postman) -> None:
    bos = f"bo.{email}"
    Browser(ada.url).sign_up(bos, name="Bo")
    assert change(ada, bos) == DONE
    assert postman.mails_to(bos) == []


@pytest.mark.parametrize("taken", [True, False])
def test_the_journal_of_who_asks_does_not_tell_whether_an_address_is_taken(
    ada: Browser, email: str, postman: Postman, *, taken: bool
) -> None:
    if taken:
        Browser(ada.url).sign_up(f"bo.{email}", name="Bo")
    change(ada, f"bo.{email}")
    postman.mails_to(email)
    newest = ada.get("/activity/list").json()["entries"][0]
    assert newest["text"] == f"You asked to change your address to “bo.{email}”."


@pytest.mark.parametrize("taken", [True, False])
def test_a_link_asked_for_before_does_not_tell_whether_an_address_is_taken(
    ada: Browser, email: str, postman: Postman, *, taken: bool
) -> None:
    if taken:
        Browser(ada.url).sign_up(f"bo.{email}", name="Bo")
    change(ada, f"new.{email}")
    token = postman.link_to(f"new.{email}").token
    change(ada, f"bo.{email}")
    assert confirm(ada, token).problem == (401, "INVALID_TOKEN")


def test_an_address_that_its_holder_may_have_back_gets_no_link(ada: Browser, email: str, postman: Postman) -> None:
    changed(ada, f"new.{email}", postman)
    before = postman.subjects_to(email)
    bo = Browser(ada.url)
    bo.sign_up(f"bo.{email}", name="Bo")
    assert change(bo, email) == DONE
    assert postman.subjects_to(email) == before
    # who may, gets one
    assert change(ada, email) == DONE
    assert postman.subjects_to(email) == [*before, "Confirm your new e-mail address"]


def test_an_address_that_was_taken_meanwhile_is_not_changed_to(ada: Browser, email: str, postman: Postman) -> None:
    new = f"new.{email}"
    change(ada, new)
    token = postman.link_to(new).token
    assert Browser(ada.url).sign_up(new, name="Bo").status == 200
    assert confirm(ada, token).problem == (401, "INVALID_TOKEN")
    assert address_of(ada) == (email, False)


def test_the_same_address_is_refused(ada: Browser, email: str) -> None:
    answer = ada.post("/change-email", {"newEmail": email.upper()})
    assert (answer.status, answer.json()) == (400, {"message": "Email is the same"})


def test_it_takes_a_session_and_a_fresh_one(ada: Browser, email: str, clock: HandClock) -> None:
    assert Browser(ada.url).post("/change-email", {"newEmail": f"new.{email}"}).problem == (401, "UNAUTHORIZED")
    clock.wind(hours=24)
    assert ada.post("/change-email", {"newEmail": f"new.{email}"}).problem == (403, "SESSION_NOT_FRESH")
    assert ada.post("/verify-password", {"password": PASSWORD}).status == 200
    assert change(ada, f"new.{email}") == DONE


@pytest.mark.parametrize("fields", [{}, {"newEmail": "no address"}, {"newEmail": None}])
def test_what_is_no_address_is_refused(ada: Browser, fields: dict[str, object]) -> None:
    assert ada.post("/change-email", fields).problem == (400, "VALIDATION_ERROR")


def test_a_service_without_mail_changes_no_address(module_database: Database, clock: HandClock, email: str) -> None:
    with application(settings_for(module_database), clock) as url:
        browser = Browser(url)
        browser.sign_up(email)
        answer = browser.post("/change-email", {"newEmail": f"new.{email}"})
    assert (answer.status, answer.json()) == (400, {"message": "Verification email isn't enabled"})


def test_a_link_of_a_session_that_was_ended_changes_nothing(ada: Browser, email: str, postman: Postman) -> None:
    new = f"new.{email}"
    change(ada, new)
    token = postman.link_to(new).token
    ada.post("/revoke-sessions")
    assert confirm(ada, token).problem == (401, "INVALID_TOKEN")


def test_who_had_the_address_is_told_and_can_have_it_back(ada: Browser, email: str, postman: Postman) -> None:
    new = f"new.{email}"
    changed(ada, new, postman)
    notice = postman.mails_to(email)[-1].get_body(("plain",))
    assert notice is not None
    link = postman.link_to(email)
    opened = ada.ask("GET", link.route)
    assert opened.header("location") == f"{postman.settings.origin}/reset-password?token={link.token}"
    assert address_of(ada) == (new, True)
    assert reset(ada.url, link.token).status == 200
    assert ada.session() is None
    assert Browser(ada.url).sign_in(new).problem == (401, "INVALID_EMAIL_OR_PASSWORD")
    assert Browser(ada.url).sign_in(email).problem == (401, "INVALID_EMAIL_OR_PASSWORD")
    again = Browser(ada.url)
    assert again.sign_in(email, NEW_PASSWORD).status == 200
    assert address_of(again) == (email, True)


def test_the_notice_says_when_and_from_which_device(ada: Browser, email: str, postman: Postman) -> None:
    new = f"new.{email}"
    assert change(ada, new) == DONE
    token = postman.link_to(new).token
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
    assert ada.ask("GET", f"{BASE}/verify-email?token={token}", None, {"User-Agent": firefox}).status == 200
    [*_, mail] = postman.mails_to(email, "email-change-notice")
    for kind, when in (("plain", "When: 2026-03-14 12:00 UTC\n"), ("html", "When: 2026-03-14 12:00 UTC<br>\n")):
        part = mail.get_body((kind,))
        assert part is not None
        assert f"{when}Device: Firefox 132 on Linux" in part.get_content().replace("\r\n", "\n")


def test_who_loses_the_address_by_that_is_told_and_nothing_of_whose_account_it_is(
    ada: Browser, email: str, postman: Postman
) -> None:
    thief = "heron.walk@example.net"
    changed(ada, thief, postman)
    assert postman.mails_to(thief, "email-change-undone") == []
    ada.post("/update-user", {"name": "Countess Ada"})
    assert reset(ada.url, postman.link_to(email).token).status == 200
    [notice] = postman.mails_to(thief, "email-change-undone")
    assert notice["Subject"] == "An account no longer has your e-mail address"
    for part in ("plain", "html"):
        body = notice.get_body((part,))
        assert body is not None
        said = body.get_content()
        assert not any(theirs in said for theirs in (email, "Ada", "http"))
        assert "took the change back" in said
    assert postman.mails_to(email, "email-change-undone") == []


def test_who_has_their_own_address_back_by_another_change_loses_the_other_without_such_a_notice(
    ada: Browser, email: str, postman: Postman
) -> None:
    changed(ada, f"new.{email}", postman)
    changed(ada, email, postman)
    assert postman.mails_to(f"new.{email}", "email-change-undone") == []


def test_nobody_is_told_of_the_account_of_who_was_erased_meanwhile(
    ada: Browser, email: str, postman: Postman, module_database: Database
) -> None:
    changed(ada, f"thief.{email}", postman)
    assert reset(ada.url, postman.link_to(email).token).status == 200
    again = Browser(ada.url)
    again.sign_in(email, NEW_PASSWORD)
    assert again.post("/delete-user", {"password": NEW_PASSWORD}).status == 200
    assert postman.mails_to(f"thief.{email}", "email-change-undone") == []
    reasons = "SELECT reason FROM deliveries WHERE kind = 'email-change-undone' ORDER BY first_due_at DESC LIMIT 1"
    assert module_database.value(reasons) == "erased"


def test_a_password_for_what_one_has_back_has_not_that_address_in_it(
    ada: Browser, email: str, postman: Postman
) -> None:
    changed(ada, "heron.walk@example.net", postman)
    token = postman.link_to(email).token
    assert reset(ada.url, token, f"{email} staple").problem == (400, "PASSWORD_COMPROMISED")
    # that of the thief is nobody's business
    assert reset(ada.url, token, "staple heron.walk battery").status == 200


def test_wrong_passwords_for_the_address_that_one_has_back_count_no_more(
    module_database: Database, tmp_path: Path, clock: HandClock, email: str
) -> None:
    settings = settings_for(
        module_database, mail_folder=tmp_path, rate_limit="on", wrong_passwords=2, trusted_proxies="127.0.0.1, ::1"
    )
    with application(settings, clock) as url:
        postman, ada = Postman(module_database, settings, clock), Browser(url)
        ada.sign_up(email)
        guessed = [sign_in_from(number, url, email, f"guessed {number}") for number in range(3)]
        assert [one.status for one in guessed] == [401, 401, 429]
        new = f"new.{email}"
        assert change(ada, new) == DONE
        assert confirm(ada, postman.link_to(new).token).status == 200
        assert reset(url, postman.link_to(email).token).status == 200
        assert sign_in_from(9, url, email, NEW_PASSWORD).status == 200


def sign_in_from(number: int, url: str, email: str, password: str) -> Answer:
    fields = {"email": email, "password": password}
    return Browser(url).post("/sign-in/email", fields, {"X-Forwarded-For": f"192.0.2.{number}"})


@pytest.mark.parametrize(("hours", "status"), [(71.99, 200), (72, 400)])
def test_it_can_be_had_back_for_three_days(
    ada: Browser, email: str, postman: Postman, clock: HandClock, hours: float, status: int
) -> None:
    changed(ada, f"new.{email}", postman)
    token = postman.link_to(email).token
    clock.wind(hours=hours)
    assert reset(ada.url, token).status == status


def test_for_so_long_nobody_else_opens_an_account_with_it(
    ada: Browser, email: str, postman: Postman, clock: HandClock
) -> None:
    changed(ada, f"new.{email}", postman)
    thief = Browser(ada.url)
    assert thief.sign_up(email).problem == (422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL")
    clock.wind(hours=72)
    assert thief.sign_up(email).status == 200


def test_who_changes_it_twice_does_not_get_rid_of_who_had_it_first(ada: Browser, email: str, postman: Postman) -> None:
    changed(ada, f"thief.{email}", postman)
    changed(ada, f"again.{email}", postman)
    of_the_thief, of_ada = postman.link_to(f"thief.{email}").token, postman.link_to(email).token
    assert reset(ada.url, of_ada).status == 200
    assert reset(ada.url, of_the_thief).problem == (400, "INVALID_TOKEN")
    assert Browser(ada.url).sign_in(email, NEW_PASSWORD).status == 200


def test_the_person_may_have_their_own_address_back_by_another_change(
    ada: Browser, email: str, postman: Postman
) -> None:
    changed(ada, f"new.{email}", postman)
    assert changed(ada, email, postman).status == 200
    assert address_of(ada) == (email, True)


def test_invitations_follow_the_address(ada: Browser, email: str, postman: Postman) -> None:
    new = f"new.{email}"
    bo = Person(ada.url, "Bo")
    bo.founds(new_slug())
    to_old, to_new = bo.invites(email), bo.invites(new)
    changed(ada, new, postman)
    refused = ada.post("/organization/accept-invitation", {"invitationId": to_old})
    assert refused.problem == (403, "YOU_ARE_NOT_THE_RECIPIENT_OF_THE_INVITATION")
    assert ada.post("/organization/accept-invitation", {"invitationId": to_new}).status == 200


def test_the_person_reads_of_it_in_their_journal(ada: Browser, email: str, postman: Postman) -> None:
    new = f"new.{email}"
    changed(ada, new, postman)
    reset(ada.url, postman.link_to(email).token)
    again = Browser(ada.url)
    again.sign_in(email, NEW_PASSWORD)
    postman.mails_to(email)
    texts = [entry["text"] for entry in again.get("/activity/list").json()["entries"]]
    assert texts[1:4] == [
        f"You undid a change of your address: it is “{email}” again."
        " You set a new password by a link that was sent to your address."
        " All sessions that began with the old password were ended.",
        f"You changed your address from “{email}” to “{new}”.",
        f"You asked to change your address to “{new}”.",
    ]
