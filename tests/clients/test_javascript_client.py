"""The official JavaScript client against a running Daybook (wire.md §14): what an application's code gets to see."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.clients.conftest import SINGLE_PAGE_APP
from tests.clients.javascript import CLOSE_BROWSER, JavaScript, call, dated, signs_up, store
from tests.databases import Database
from tests.people import PASSWORD

SOMEBODY_ELSE = "http://localhost:5174"


def test_a_sign_up_gives_a_token_and_the_dates_of_the_database(
    javascript: JavaScript, module_database: Database
) -> None:
    signed_up, shown = javascript.play(signs_up("ada@example.com"), call("getSession"))

    assert signed_up.error is None
    assert signed_up.data["token"]
    assert (signed_up.data["user"]["name"], signed_up.data["user"]["email"]) == ("Ada", "ada@example.com")
    session, user = shown.data["session"], shown.data["user"]
    [times] = module_database.rows(
        "SELECT s.created_at, s.updated_at, s.expires_at, a.created_at, a.updated_at"
        " FROM session_list s JOIN account_list a USING (user_id) WHERE a.email = 'ada@example.com'"
    )
    seen = (session["createdAt"], session["updatedAt"], session["expiresAt"], user["createdAt"], user["updatedAt"])
    assert seen == times
    assert session["expiresAt"] - session["createdAt"] == timedelta(days=7)
    assert signed_up.data["user"] == user


def test_every_date_arrives_as_a_date_of_the_millisecond_that_was_sent(javascript: JavaScript) -> None:
    signed_up, shown, listed = javascript.play(
        signs_up("ada.dates@example.com"), call("getSession"), call("organization.list")
    )

    for outcome in (signed_up, shown, listed):
        assert outcome.data == dated(outcome.raw)
    assert {name for name, value in shown.data["session"].items() if isinstance(value, datetime)} == {
        *("createdAt", "updatedAt", "expiresAt", "authenticatedAt")
    }


def test_a_new_person_has_one_organization_which_is_active(javascript: JavaScript) -> None:
    _, shown, listed = javascript.play(signs_up("ada.own@example.com"), call("getSession"), call("organization.list"))

    assert [organization["name"] for organization in listed.data] == ["Ada's Organization"]
    assert shown.data["session"]["activeOrganizationId"] == listed.data[0]["id"]


def test_signed_out_there_is_no_session_and_no_error_until_the_next_sign_in(javascript: JavaScript) -> None:
    _, signed_out, nobody, refused, signed_in, shown = javascript.play(
        signs_up("ada.returns@example.com"),
        call("signOut"),
        call("getSession"),
        call("organization.list"),
        call("signIn.email", email="Ada.Returns@example.com", password=PASSWORD),
        call("getSession"),
    )

    assert (signed_out.data, signed_out.error) == ({"success": True}, None)
    assert (nobody.data, nobody.error) == (None, None)
    assert refused.data is None
    assert (refused.error["status"], refused.error["code"]) == (401, "UNAUTHORIZED")
    assert signed_in.error is None
    assert signed_in.data["token"]
    assert signed_in.data["redirect"] is False
    assert shown.data["user"] == signed_in.data["user"]


def test_a_sign_in_with_a_callback_names_where_to_go(javascript: JavaScript) -> None:
    _, signed_in = javascript.play(
        signs_up("ada.goes@example.com"),
        call("signIn.email", email="ada.goes@example.com", password=PASSWORD, callbackURL="/dashboard"),
    )

    assert (signed_in.data["redirect"], signed_in.data["url"]) == (True, "/dashboard")


def test_a_wrong_password_and_an_unknown_address_are_the_same_error(javascript: JavaScript) -> None:
    _, _, wrong, unknown = javascript.play(
        signs_up("ada.forgets@example.com"),
        call("signOut"),
        call("signIn.email", email="ada.forgets@example.com", password="wrong horse 1"),
        call("signIn.email", email="bo.unknown@example.com", password="wrong horse 1"),
    )

    error = {
        "message": "Invalid email or password",
        "code": "INVALID_EMAIL_OR_PASSWORD",
        "status": 401,
        "statusText": "Unauthorized",
    }
    assert (wrong.data, wrong.error) == (None, error)
    assert (unknown.data, unknown.error) == (None, error)


def test_a_taken_address_is_an_error_object_that_leaves_the_session_alone(javascript: JavaScript) -> None:
    _, taken, shown = javascript.play(
        signs_up("ada.first@example.com"), signs_up("ADA.FIRST@example.com", name="Bo"), call("getSession")
    )

    assert taken.data is None
    assert (taken.error["status"], taken.error["code"]) == (422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL")
    assert taken.error["message"] == "User already exists. Use another email."
    assert shown.data["user"]["name"] == "Ada"


def test_a_malformed_body_is_an_error_with_a_message_to_show(javascript: JavaScript) -> None:
    [malformed] = javascript.play(call("signUp.email", name="Ada", email="not an address", password=PASSWORD))

    assert (malformed.error["status"], malformed.error["code"]) == (400, "VALIDATION_ERROR")
    assert "email" in malformed.error["message"]


def test_an_unknown_route_is_a_404_without_a_body(javascript: JavaScript) -> None:
    asked, posted = javascript.play(call("noSuch.routeHere"), call("noSuch.routeHere", some="thing"))

    for outcome, method in ((asked, "GET"), (posted, "POST")):
        [exchange] = outcome.exchanges
        assert (exchange["method"], exchange["path"]) == (method, "/api/auth/no-such/route-here")
        assert (outcome.data, outcome.error) == (None, {"status": 404, "statusText": "Not Found"})


def test_a_session_lasts_beyond_the_browser_unless_it_was_not_to_be_remembered(javascript: JavaScript) -> None:
    email = "ada.borrows@example.com"
    _, _, remembered, _, _, brief, _, forgotten = javascript.play(
        signs_up(email),
        CLOSE_BROWSER,
        call("getSession"),
        call("signOut"),
        call("signIn.email", email=email, password=PASSWORD, rememberMe=False),
        call("getSession"),
        CLOSE_BROWSER,
        call("getSession"),
    )

    assert remembered.data["user"]["email"] == email
    assert brief.data["session"]["expiresAt"] - brief.data["session"]["createdAt"] == timedelta(days=1)
    assert (forgotten.data, forgotten.error) == (None, None)


def test_the_stores_follow_sign_up_and_sign_out(javascript: JavaScript) -> None:
    before, _, signed_in, organizations, _, after = javascript.play(
        store("useSession", filled=False),
        signs_up("ada.watches@example.com"),
        store("useSession", filled=True),
        store("useListOrganizations", filled=True),
        call("signOut"),
        store("useSession", filled=False),
    )

    assert (before.data, before.error, before.pending) == (None, None, False)
    assert signed_in.data["user"]["email"] == "ada.watches@example.com"
    assert isinstance(signed_in.data["session"]["expiresAt"], datetime)
    assert [organization["name"] for organization in organizations.data] == ["Ada's Organization"]
    assert (after.data, after.error, after.pending) == (None, None, False)


def test_a_page_on_a_trusted_origin_signs_up_and_reads_its_session(javascript: JavaScript) -> None:
    signed_up, shown, wrong = javascript.play(
        signs_up("ada.elsewhere@example.com"),
        call("getSession"),
        call("signIn.email", email="ada.elsewhere@example.com", password="wrong horse 1"),
        page=SINGLE_PAGE_APP,
    )

    assert signed_up.error is None
    assert shown.data["user"]["email"] == "ada.elsewhere@example.com"
    assert wrong.error["code"] == "INVALID_EMAIL_OR_PASSWORD"


def test_a_page_on_any_other_origin_gets_nothing(javascript: JavaScript, module_database: Database) -> None:
    signed_up, shown = javascript.play(signs_up("cy@example.com"), call("getSession"), page=SOMEBODY_ELSE)

    assert (signed_up.thrown, shown.thrown) == ("TypeError: Failed to fetch", "TypeError: Failed to fetch")
    assert module_database.rows("SELECT FROM account_list WHERE email = 'cy@example.com'") == []
