"""Which pages may act for a browser, and where they may be sent, through the real routes (wire.md §4, A19)."""

from __future__ import annotations

import pytest

from tests.api.browser import BASE, Answer, Browser
from tests.server import Server

SETTINGS = {"TRUSTED_ORIGINS": "https://app.example.com, http://*.wild.example"}
JSON = {"Content-Type": "application/json"}
COOKIE = {"Cookie": "unrelated=1"}
EVIL = "https://evil.example"
APP = "https://app.example.com"

MISSING = (403, {"message": "Missing or null Origin", "code": "MISSING_OR_NULL_ORIGIN"})
INVALID = (403, {"message": "Invalid origin", "code": "INVALID_ORIGIN"})
BLOCKED = (
    403,
    {
        "message": "Cross-site navigation login blocked. This request appears to be a CSRF attack.",
        "code": "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED",
    },
)
DONE = (200, {"success": True})

SIGN_INS = [
    ("/sign-in/email", b'{"email":"nobody@example.com","password":"x"}', (401, "INVALID_EMAIL_OR_PASSWORD")),
    ("/sign-up/email", b'{"name":"Ada","email":"ada@example.com","password":"x"}', (400, "PASSWORD_TOO_SHORT")),
]
"""With what each is refused once it is let in."""


@pytest.fixture
def browser(server: Server) -> Browser:
    return Browser(server.url)


def sign_out(browser: Browser, headers: dict[str, str]) -> tuple[int, object]:
    answer = browser.ask("POST", f"{BASE}/sign-out", None, headers)
    return answer.status, answer.json()


def test_a_post_with_any_cookie_needs_an_origin(browser: Browser) -> None:
    assert sign_out(browser, COOKIE) == MISSING
    assert sign_out(browser, {**COOKIE, "Origin": "null"}) == MISSING
    assert sign_out(browser, {**COOKIE, "Origin": ""}) == MISSING
    assert sign_out(browser, {**COOKIE, "Origin": "", "Referer": ""}) == MISSING


def test_it_must_be_a_trusted_one(browser: Browser) -> None:
    port = browser.url.rpartition(":")[2]
    for origin in (EVIL, "http://localhost", f"http://127.0.0.1:{port}", f"https://localhost:{port}", "http://x@y"):
        assert sign_out(browser, {**COOKIE, "Origin": origin}) == INVALID, origin
    for origin in (browser.url, browser.url.upper(), APP, "http://a.b.wild.example"):
        assert sign_out(browser, {**COOKIE, "Origin": origin}) == DONE, origin


def test_the_referer_stands_in_for_a_missing_origin(browser: Browser) -> None:
    assert sign_out(browser, {**COOKIE, "Referer": f"{browser.url}/a/page?x=1"}) == DONE
    assert sign_out(browser, {**COOKIE, "Referer": f"{EVIL}/a/page"}) == INVALID


def test_a_good_origin_wins_over_an_evil_referer_and_the_other_way_round(browser: Browser) -> None:
    assert sign_out(browser, {**COOKIE, "Origin": browser.url, "Referer": EVIL}) == DONE
    assert sign_out(browser, {**COOKIE, "Origin": EVIL, "Referer": browser.url}) == INVALID


def test_a_null_origin_is_inferred_where_the_browser_vouches_for_the_same_origin(browser: Browser) -> None:
    same = {**COOKIE, "Sec-Fetch-Site": "same-origin"}
    assert sign_out(browser, {**same, "Origin": "null"}) == DONE
    assert sign_out(browser, same) == MISSING
    assert sign_out(browser, {**COOKIE, "Origin": "null", "Sec-Fetch-Site": "same-site"}) == MISSING


def test_without_any_cookie_sign_out_asks_for_no_origin(browser: Browser) -> None:
    assert sign_out(browser, {}) == DONE
    assert sign_out(browser, {"Origin": EVIL}) == DONE


def test_a_get_is_never_checked(browser: Browser) -> None:
    for path, status in (("/get-session", 200), ("/organization/list", 401), ("/ok", 200)):
        answer = browser.ask("GET", f"{BASE}{path}", None, {**COOKIE, "Origin": EVIL, "Sec-Fetch-Site": "cross-site"})
        assert answer.status == status


@pytest.mark.parametrize(("path", "body", "let_in"), SIGN_INS)
def test_sign_in_without_a_cookie_is_judged_as_soon_as_a_browser_sent_it(
    browser: Browser, path: str, body: bytes, let_in: tuple[int, str]
) -> None:
    def asked(headers: dict[str, str]) -> Answer:
        return browser.ask("POST", f"{BASE}{path}", body, {**JSON, **headers})

    for headers in (
        {},
        {"Origin": browser.url},
        {"Referer": f"{APP}/login"},
        {"Origin": browser.url, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"},
        {"Origin": APP, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
    ):
        assert asked(headers).problem == let_in, headers
    for headers, (status, said) in (
        ({"Origin": EVIL}, INVALID),
        ({"Referer": EVIL}, INVALID),
        ({"Origin": "null"}, MISSING),
        ({"Sec-Fetch-Site": "same-origin"}, MISSING),
        ({"Sec-Fetch-Mode": "cors"}, MISSING),
        ({"Sec-Fetch-Dest": "empty"}, MISSING),
        ({"Origin": EVIL, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}, INVALID),
        ({"Origin": browser.url, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, BLOCKED),
    ):
        answer = asked(headers)
        assert (answer.status, answer.json()) == (status, said), headers


def test_a_refused_sign_up_leaves_no_account(browser: Browser, email: str) -> None:
    body = {"name": "Ada", "email": email, "password": "correct horse 1"}
    assert browser.post("/sign-up/email", body, {"Origin": EVIL}).problem == (403, "INVALID_ORIGIN")
    assert browser.sign_in(email).problem == (401, "INVALID_EMAIL_OR_PASSWORD")


@pytest.mark.parametrize(
    "target", ["/a?b=c#d", "/a b", "/ü", "/", "", "/x?next=https://evil.example", "/a?b=%2f", f"{APP}/welcome", APP]
)
def test_a_callback_may_lead_to_a_root_relative_path_or_a_trusted_place(browser: Browser, target: str) -> None:
    assert browser.sign_in("nobody@example.com", callbackURL=target).status == 401


@pytest.mark.parametrize(
    "target",
    [
        EVIL,
        "//evil.example",
        "/\\evil.example",
        "dash",
        "../x",
        " /a",
        "/a\tb",
        "/%2fevil.example",
        "/a%5Cb",
        "javascript:alert(1)",
        "myapp://x",
        "https://app.example.com.evil.example",
        "https://app.example.com@evil.example",
        "http://app.example.com",
    ],
)
def test_it_may_lead_nowhere_else(browser: Browser, target: str) -> None:
    said = {"message": "Invalid callbackURL", "code": "INVALID_CALLBACK_URL"}
    for answer in (
        browser.sign_in("nobody@example.com", callbackURL=target),
        browser.sign_up("ada@example.com", callbackURL=target, password="short"),
    ):
        assert (answer.status, answer.json(), answer.header("location")) == (403, said, None)


@pytest.mark.parametrize(
    ("field", "code", "message"),
    [
        ("callbackURL", "INVALID_CALLBACK_URL", "Invalid callbackURL"),
        ("redirectTo", "INVALID_REDIRECT_URL", "Invalid redirectURL"),
        ("errorCallbackURL", "INVALID_ERROR_CALLBACK_URL", "Invalid errorCallbackURL"),
        ("newUserCallbackURL", "INVALID_NEW_USER_CALLBACK_URL", "Invalid newUserCallbackURL"),
    ],
)
def test_every_redirect_target_of_any_post_is_checked(browser: Browser, field: str, code: str, message: str) -> None:
    for path in ("/sign-in/email", "/sign-up/email", "/sign-out"):
        answer = browser.post(path, {field: EVIL})
        assert (answer.status, answer.json()) == (403, {"message": message, "code": code})
        answer = browser.post(path, {field: 5})
        assert (answer.status, answer.json()) == (400, {"message": f"Invalid {field}: expected a string"})


def test_the_query_of_a_post_is_checked_too_and_that_of_a_get_is_not(browser: Browser) -> None:
    assert browser.post("/sign-out?callbackURL=https%3A%2F%2Fevil.example").problem == (403, "INVALID_CALLBACK_URL")
    assert browser.post("/sign-out?callbackURL=/ok").status == 200
    assert browser.get("/get-session?callbackURL=https%3A%2F%2Fevil.example").status == 200


def preflight(browser: Browser, path: str, origin: str) -> Answer:
    asks = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    return browser.ask("OPTIONS", f"{BASE}{path}", None, asks)


@pytest.mark.parametrize("path", ["/sign-in/email", "/get-session", "/organization/list"])
def test_a_trusted_page_is_told_what_it_may_send(browser: Browser, path: str) -> None:
    answer = preflight(browser, path, APP)
    assert (answer.status, answer.content) == (204, b"")
    assert answer.header("access-control-allow-origin") == APP
    assert answer.header("access-control-allow-credentials") == "true"
    assert {"GET", "POST"} <= set((answer.header("access-control-allow-methods") or "").split(", "))
    assert "content-type" in (answer.header("access-control-allow-headers") or "").lower()
    assert answer.header("vary") == "Origin"


@pytest.mark.parametrize("origin", [EVIL, "null", "*", "https://wild.example"])
def test_any_other_page_gets_a_404_and_no_word_about_cors(browser: Browser, origin: str) -> None:
    answer = preflight(browser, "/sign-in/email", origin)
    assert (answer.status, answer.content) == (404, b"")
    for said in (answer, browser.ask("GET", f"{BASE}/get-session", None, {"Origin": origin})):
        assert not [name for name in said.headers if name.lower().startswith("access-control-")]


def test_a_trusted_page_may_read_every_answer_also_a_refusal(browser: Browser) -> None:
    for path, status in (("/get-session", 200), ("/organization/list", 401), ("/nowhere", 404), ("/ok", 200)):
        answer = browser.ask("GET", f"{BASE}{path}", None, {"Origin": APP})
        assert (answer.status, answer.header("access-control-allow-origin")) == (status, APP)
        assert answer.header("access-control-allow-credentials") == "true"
        assert answer.header("vary") == "Origin"
    answer = browser.ask("POST", f"{BASE}/sign-in/email", b"{", {**JSON, "Origin": APP})
    assert (answer.status, answer.header("access-control-allow-origin")) == (400, APP)
