"""Bearer: a session's secret in the Authorization header instead of a cookie (RFC 6750; wire.md §8, A1)."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.edge.bearer import bearer_token
from tests.api.browser import BASE, CLEARED, TOKEN_COOKIE, Answer, Browser, kept, signed
from tests.api.conftest import HandClock
from tests.people import PASSWORD, SECRET

UNAUTHORIZED = (401, "UNAUTHORIZED")
JSON = {"Content-Type": "application/json"}
# wire.md §7
VECTOR_SECRET = "example-secret-for-test-vectors-32chars!"
TOKEN = "AbCdEfGhIjKlMnOpQrStUvWxYz012345"
SIGNED = f"{TOKEN}.BdfGseLoaGDyGBYzM54leTNju+gmfAvn4/5q8KrgkZ8="
ENCODED = f"{TOKEN}.BdfGseLoaGDyGBYzM54leTNju%2BgmfAvn4%2F5q8KrgkZ8%3D"


@pytest.mark.parametrize("shown", [TOKEN, SIGNED, ENCODED])
@pytest.mark.parametrize(
    "form", ["Bearer {}", "bearer {}", "BEARER {}", "bEaReR   {}", "  Bearer {} ", "Bearer \t {}\t"]
)
def test_all_three_forms_show_the_token(form: str, shown: str) -> None:
    assert bearer_token(form.format(shown), VECTOR_SECRET) == TOKEN


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer    ",
        f"Basic {TOKEN}",
        f"Bearer{TOKEN}",
        f"Bearer: {TOKEN}",
        TOKEN,
        f"Bearer {SIGNED[:-1]}",
        f"Bearer {SIGNED}=",
        f"Bearer B{SIGNED[1:]}",
        f"Bearer {TOKEN}.",
        f"Bearer .{SIGNED.partition('.')[2]}",
        f"Bearer {SIGNED.replace('+', '-').replace('/', '_')}",
        f"Bearer {'x' * 513}",
    ],
)
def test_anything_else_shows_none(header: str | None) -> None:
    assert bearer_token(header, VECTOR_SECRET) is None


@given(st.text())
@settings(max_examples=300, deadline=None)
def test_no_header_breaks_it_or_passes_for_signed(text: str) -> None:
    found = bearer_token(f"Bearer {text}", VECTOR_SECRET)
    assert found is None or (found == text.strip(" \t") and "." not in found)


@pytest.fixture
def token(browser: Browser, email: str) -> str:
    """Of a session on some other device; this one has no cookies."""
    found: str = browser.sign_up(email).json()["token"]
    browser.cookies.clear()
    return found


def ask(browser: Browser, authorization: str, path: str = "/get-session", **headers: str) -> Answer:
    """What a client with exactly these headers is told."""
    return browser.ask("GET", f"{BASE}{path}", None, {"Authorization": authorization, **headers})


def spelled(token: str) -> list[str]:
    """The token in its three forms."""
    return [token, unquote(signed(token)), signed(token)]


def test_every_form_is_let_in_and_no_cookie_is_set(browser: Browser, token: str, email: str) -> None:
    for form in spelled(token):
        for authorization in (f"Bearer {form}", f"bearer  {form} "):
            answer = ask(browser, authorization)
            assert (answer.json()["user"]["email"], answer.set_cookies) == (email, [])
            answer = ask(browser, authorization, "/list-sessions")
            assert (answer.status, answer.set_cookies) == (200, [])
            assert answer.header("set-auth-token") is None


def test_a_command_needs_no_origin_where_there_is_no_cookie(browser: Browser, token: str) -> None:
    for number, headers in enumerate(({}, {"Origin": "https://evil.example"}, {"Origin": "null"})):
        sent = {**JSON, "Authorization": f"Bearer {token}", **headers}
        answer = browser.ask("POST", f"{BASE}/update-user", b'{"name":"Ada %d"}' % number, sent)
        assert answer.status == 200
        assert ask(browser, f"Bearer {token}").json()["user"]["name"] == f"Ada {number}"


def test_any_cookie_beside_it_brings_the_check_of_the_origin_back(browser: Browser, token: str) -> None:
    sent = {**JSON, "Authorization": f"Bearer {token}", "Cookie": "theme=dark"}
    answer = browser.ask("POST", f"{BASE}/update-user", b'{"name":"Eve"}', sent)
    assert answer.problem == (403, "MISSING_OR_NULL_ORIGIN")
    answer = browser.ask("POST", f"{BASE}/update-user", b'{"name":"Eve"}', {**sent, "Origin": "https://evil.example"})
    assert answer.problem == (403, "INVALID_ORIGIN")
    answer = browser.ask("POST", f"{BASE}/update-user", b'{"name":"Ada"}', {**sent, "Origin": browser.url})
    assert answer.status == 200


def test_it_counts_before_the_cookie(browser: Browser, token: str, email: str) -> None:
    bo = Browser(browser.url).sign_up(f"bo.{email}", name="Bo").json()["token"]
    cookie = f"{TOKEN_COOKIE}={signed(bo)}"
    for form in spelled(token):
        assert ask(browser, f"Bearer {form}", Cookie=cookie).json()["user"]["email"] == email
    sent = {**JSON, "Authorization": f"Bearer {token}", "Cookie": cookie, "Origin": browser.url}
    assert browser.ask("POST", f"{BASE}/update-user", b'{"name":"Ada King"}', sent).status == 200
    assert ask(browser, f"Bearer {bo}").json()["user"]["name"] == "Bo"


def test_a_wrong_signature_is_no_credential_at_all(browser: Browser, token: str, email: str) -> None:
    genuine = unquote(signed(token))
    # no signature ends in B=, though lenient decoders would read it like one
    forged = [f"{token}.{'A' * 43}=", f"{genuine[:-2]}B=", signed(token)[:-3], f"{genuine}=", f"{token}."]
    cookie = f"{TOKEN_COOKIE}={signed(token)}"
    for form in forged:
        answer = ask(browser, f"Bearer {form}")
        assert (answer.status, answer.json(), answer.set_cookies) == (200, None, []), form
        answer = ask(browser, f"Bearer {form}", "/list-sessions")
        assert (answer.problem, answer.set_cookies) == (UNAUTHORIZED, []), form
        # so the cookie counts
        assert ask(browser, f"Bearer {form}", Cookie=cookie).json()["user"]["email"] == email


@pytest.mark.parametrize("authorization", ["Basic QWRhOng=", "Bearer", "Bearer ", "Digest x", ""])
def test_no_bearer_token_is_no_credential_either(browser: Browser, token: str, email: str, authorization: str) -> None:
    answer = ask(browser, authorization)
    assert (answer.json(), answer.set_cookies) == (None, [])
    assert ask(browser, authorization, Cookie=f"{TOKEN_COOKIE}={signed(token)}").json()["user"]["email"] == email


def test_an_unknown_token_is_like_one_of_a_dead_session(browser: Browser, token: str) -> None:
    another = token.swapcase()
    for form in (another, "x", unquote(signed(another))):
        for headers in ({}, {"Cookie": f"{TOKEN_COOKIE}={signed(token)}"}):
            answer = ask(browser, f"Bearer {form}", **headers)
            assert (answer.status, answer.json(), answer.set_cookies) == (200, None, CLEARED)
            answer = ask(browser, f"Bearer {form}", "/list-sessions", **headers)
            assert (answer.problem, answer.set_cookies) == (UNAUTHORIZED, CLEARED)
            assert answer.header("set-auth-token") is None


def test_one_of_a_session_that_ended_is_refused_in_every_form(browser: Browser, token: str) -> None:
    sent = {"Authorization": f"Bearer {token}"}
    answer = browser.ask("POST", f"{BASE}/sign-out", None, sent)
    assert (answer.json(), answer.set_cookies) == ({"success": True}, CLEARED)
    for form in spelled(token):
        assert ask(browser, f"Bearer {form}").json() is None
        assert ask(browser, f"Bearer {form}", "/list-sessions").problem == UNAUTHORIZED


def test_one_of_a_session_that_was_replaced_clears_nothing(browser: Browser, token: str) -> None:
    fields = {"currentPassword": PASSWORD, "newPassword": PASSWORD, "revokeOtherSessions": True}
    answer = browser.post("/change-password", fields, {"Authorization": f"Bearer {token}"})
    browser.cookies.clear()
    for form in spelled(token):
        late = ask(browser, f"Bearer {form}")
        assert (late.json(), late.set_cookies) == (None, [])
        assert ask(browser, f"Bearer {form}", "/list-sessions").set_cookies == []
    assert ask(browser, f"Bearer {answer.json()['token']}").json() is not None


def test_a_handle_is_no_credential_signed_or_not(browser: Browser, token: str) -> None:
    session = ask(browser, f"Bearer {token}").json()["session"]
    for handle in {session["id"], session["token"], session["userId"]}:
        for form in spelled(handle):
            assert ask(browser, f"Bearer {form}").json() is None
            assert ask(browser, f"Bearer {form}", "/list-sessions").problem == UNAUTHORIZED


def test_whoever_gets_a_cookie_gets_the_token_for_this_header(browser: Browser, email: str) -> None:
    change = {"currentPassword": PASSWORD, "newPassword": PASSWORD, "revokeOtherSessions": True}
    answers = [
        browser.sign_up(email),
        browser.sign_in(email),
        browser.sign_in(email, rememberMe=False),
        browser.post("/change-password", change),
    ]
    for answer in answers:
        shown = unquote(signed(answer.json()["token"]))
        assert answer.header("set-auth-token") == shown
        assert answer.header("access-control-expose-headers") == "set-auth-token"
    assert ask(browser, f"Bearer {shown}").json() is not None


@pytest.mark.parametrize("path", ["/get-session", "/organization/list", "/list-sessions"])
def test_an_extension_gives_it_too(browser: Browser, token: str, clock: HandClock, path: str) -> None:
    clock.wind(hours=25)
    for form in spelled(token):
        answer = ask(browser, f"Bearer {form}", path)
        assert (answer.set_cookies, answer.header("set-auth-token")) == (kept(token), unquote(signed(token)))
        assert answer.headers.get_all("access-control-expose-headers") == ["set-auth-token"]
        assert ask(browser, f"Bearer {form}", path).header("set-auth-token") is None
        clock.wind(hours=25)


def test_so_do_refusals_and_a_new_name(browser: Browser, token: str, clock: HandClock) -> None:
    sent = {**JSON, "Authorization": f"Bearer {token}"}
    clock.wind(hours=25)
    answer = browser.ask("POST", f"{BASE}/update-user", b"{}", sent)
    assert (answer.status, answer.header("set-auth-token")) == (400, unquote(signed(token)))
    answer = browser.ask("POST", f"{BASE}/update-user", b'{"name":"Ada"}', sent)
    assert (answer.status, answer.header("set-auth-token")) == (200, unquote(signed(token)))


@pytest.mark.parametrize("path", ["/sign-out", "/revoke-sessions"])
def test_where_cookies_are_taken_away_there_is_none(browser: Browser, email: str, path: str) -> None:
    browser.sign_up(email)
    cookie = {"Cookie": f"{TOKEN_COOKIE}={browser.cookies[TOKEN_COOKIE]}"}
    for answer in (browser.post(path), browser.get("/get-session", cookie)):
        assert (answer.set_cookies, answer.header("set-auth-token")) == (CLEARED, None)


def test_a_short_session_shown_without_a_cookie_is_extended_to_seven_days(
    browser: Browser, clock: HandClock, email: str
) -> None:
    token = browser.sign_up(email, rememberMe=False).json()["token"]
    clock.wind(hours=1)
    answer = ask(browser, f"Bearer {token}")
    assert answer.json()["session"]["expiresAt"] == "2026-03-21T13:00:00.000Z"
    assert answer.header("set-auth-token") == unquote(signed(token))


def test_the_secret_is_not_what_the_vectors_are_made_with(browser: Browser, token: str) -> None:
    assert bearer_token(f"Bearer {unquote(signed(token))}", SECRET) == token
    assert bearer_token(f"Bearer {unquote(signed(token))}", VECTOR_SECRET) is None
