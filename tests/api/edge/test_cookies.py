"""Cookies, with the test vectors of wire.md §7."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.edge.cookies import SessionCookies, set_cookie, sign, values, verified

SECRET = "example-secret-for-test-vectors-32chars!"
TOKEN = "AbCdEfGhIjKlMnOpQrStUvWxYz012345"
SIGNED_TOKEN = "AbCdEfGhIjKlMnOpQrStUvWxYz012345.BdfGseLoaGDyGBYzM54leTNju%2BgmfAvn4%2F5q8KrgkZ8%3D"
PLAIN_SIGNED_TOKEN = "AbCdEfGhIjKlMnOpQrStUvWxYz012345.BdfGseLoaGDyGBYzM54leTNju+gmfAvn4/5q8KrgkZ8="
SIGNED_TRUE = "true.rcbarMrmkCx1tbHrA83isvtPVJRrBRl77pbkniPxJss%3D"

ON_HTTP = SessionCookies("better-auth", secure=False, secret=SECRET)
ON_HTTPS = SessionCookies("better-auth", secure=True, secret=SECRET)


@pytest.mark.parametrize(("value", "signed"), [("true", SIGNED_TRUE), (TOKEN, SIGNED_TOKEN)])
def test_values_are_signed_like_the_reference_signs_them(value: str, signed: str) -> None:
    assert sign(value, SECRET) == signed
    assert verified(signed, SECRET) == value


def test_an_unencoded_signed_value_is_accepted_too() -> None:
    assert verified(PLAIN_SIGNED_TOKEN, SECRET) == TOKEN


def test_a_value_may_hold_dots_since_the_last_one_divides() -> None:
    assert verified(sign("a.b.c", SECRET), SECRET) == "a.b.c"


@pytest.mark.parametrize(
    "raw",
    [
        "",
        ".",
        "true",
        TOKEN,
        TOKEN + ".",
        PLAIN_SIGNED_TOKEN[:-1],
        PLAIN_SIGNED_TOKEN + "=",
        PLAIN_SIGNED_TOKEN[:-1] + "A",
        PLAIN_SIGNED_TOKEN[:-2] + "9=",
        "B" + PLAIN_SIGNED_TOKEN[1:],
        PLAIN_SIGNED_TOKEN.replace("+", "-").replace("/", "_"),
        PLAIN_SIGNED_TOKEN.replace(".", ""),
        "." + PLAIN_SIGNED_TOKEN.partition(".")[2],
        TOKEN + "." + "é" * 43 + "=",
        TOKEN + "." + "\ud800" * 43 + "=",
        "%ff" + SIGNED_TOKEN,
    ],
)
def test_anything_else_is_not_verified(raw: str) -> None:
    assert verified(raw, SECRET) is None


def test_an_empty_value_counts_as_unsigned_whoever_signed_it() -> None:
    assert verified(sign("", SECRET), SECRET) is None


def test_another_secret_verifies_nothing() -> None:
    assert verified(SIGNED_TOKEN, SECRET[:-1] + "?") is None


@settings(deadline=None)
@given(st.text(min_size=1))
def test_every_value_survives_the_way_through_a_cookie(value: str) -> None:
    raw = sign(value, SECRET)
    assert raw.isascii()
    assert not set(raw) & set(' ";,\\\r\n')
    assert verified(raw, SECRET) == value


@settings(deadline=None)
@given(st.text() | st.text(alphabet='ab=;"%. ').map(lambda text: f"better-auth.session_token={text}"))
def test_no_cookie_header_whatever_breaks_the_reading(header: str) -> None:
    assert ON_HTTP.tokens(header) == []
    assert ON_HTTP.dont_remember(header) is False


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, []),
        ("", []),
        ("a", []),
        ("a=1", ["1"]),
        ("a=", [""]),
        ("b=0; a=1; c=2", ["1"]),
        ("b=0;a=1;c=2", ["1"]),
        ("a=1; a=2; b=3; a=4", ["1", "2", "4"]),
        ("\ta = 1 ;", ["1"]),
        ('a="1"', ["1"]),
        ('a="', ['"']),
        ('a="1', ['"1']),
        ("a=x%3D%2F%20%C3%BC", ["x=/ ü"]),
        ('a="%22"', ['"']),
        ("a=1=2", ["1=2"]),
        ("a=1+2", ["1+2"]),
        ("a=%ff", ["%ff"]),
        ("a=%zz", ["%zz"]),
        ("A=1; aa=1; a.a=1; =1", []),
    ],
)
def test_a_cookie_header_is_read_as_the_contract_says(header: str | None, found: list[str]) -> None:
    assert values(header, "a") == found


def test_attributes_stand_in_the_order_of_the_reference() -> None:
    assert set_cookie("n", "v", max_age=60, domain="x.io", path="/p", secure=True) == (
        "n=v; Max-Age=60; Domain=x.io; Path=/p; HttpOnly; Secure; SameSite=Lax"
    )


def test_a_session_is_issued_for_seven_days() -> None:
    assert ON_HTTP.issue(TOKEN, 604800, dont_remember=False) == [
        f"better-auth.session_token={SIGNED_TOKEN}; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax"
    ]


def test_a_session_not_to_be_remembered_ends_with_the_browser_and_says_so() -> None:
    assert ON_HTTP.issue(TOKEN, None, dont_remember=True) == [
        f"better-auth.session_token={SIGNED_TOKEN}; Path=/; HttpOnly; SameSite=Lax",
        f"better-auth.dont_remember={SIGNED_TRUE}; Path=/; HttpOnly; SameSite=Lax",
    ]


def test_on_https_names_and_attributes_say_secure() -> None:
    assert ON_HTTPS.issue(TOKEN, 604800, dont_remember=True) == [
        f"__Secure-better-auth.session_token={SIGNED_TOKEN}; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Lax",
        f"__Secure-better-auth.dont_remember={SIGNED_TRUE}; Path=/; HttpOnly; Secure; SameSite=Lax",
    ]


@pytest.mark.parametrize("cookies", [ON_HTTP, ON_HTTPS])
def test_who_keeps_no_cookies_is_given_the_signed_token_as_it_is(cookies: SessionCookies) -> None:
    assert cookies.auth_token(TOKEN) == PLAIN_SIGNED_TOKEN


def test_clearing_takes_three_cookies_away_in_the_contract_s_order() -> None:
    assert ON_HTTP.clear() == [
        "better-auth.session_token=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
        "better-auth.session_data=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
        "better-auth.dont_remember=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
    ]
    assert (
        ON_HTTPS.clear()[0] == "__Secure-better-auth.session_token=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax"
    )


def test_a_configured_domain_is_set_and_cleared_alike() -> None:
    cookies = SessionCookies("shop", secure=False, secret=SECRET, domain="x.io")
    assert cookies.issue("t", 60, dont_remember=False)[-1].endswith(
        "; Max-Age=60; Domain=x.io; Path=/; HttpOnly; SameSite=Lax"
    )
    assert cookies.clear()[0] == "shop.session_token=; Max-Age=0; Domain=x.io; Path=/; HttpOnly; SameSite=Lax"


def test_partitioned_stands_last_as_in_the_reference() -> None:
    assert set_cookie("n", "v", max_age=60, secure=True, same_site="None", partitioned=True) == (
        "n=v; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=None; Partitioned"
    )


EVERYWHERE = SessionCookies("shop", secure=True, secret=SECRET, domain="x.io", same_site="None", partitioned=True)


def test_what_was_set_before_a_setting_is_taken_away_before_its_successor_is_set() -> None:
    """Browsers keep both, and show the older one first: it would count for as long as it lives."""
    *twins, issued = EVERYWHERE.issue(TOKEN, 60, dont_remember=False)
    rest = "Path=/; HttpOnly; Secure; SameSite=None"
    cleared = "__Secure-shop.session_token=; Max-Age=0;"
    assert twins == [f"{cleared} {rest}", f"{cleared} {rest}; Partitioned", f"{cleared} Domain=x.io; {rest}"]
    assert issued == f"__Secure-shop.session_token={SIGNED_TOKEN}; Max-Age=60; Domain=x.io; {rest}; Partitioned"
    assert EVERYWHERE.clear()[:3] == [
        f"__Secure-shop.{noun}=; Max-Age=0; Domain=x.io; {rest}; Partitioned"
        for noun in ("session_token", "session_data", "dont_remember")
    ]
    assert len(set(EVERYWHERE.clear())) == 12
    assert set(EVERYWHERE.clear_dont_remember()) <= set(EVERYWHERE.clear())


@pytest.mark.parametrize("raw", [SIGNED_TOKEN, PLAIN_SIGNED_TOKEN, f'"{SIGNED_TOKEN}"', f'"{PLAIN_SIGNED_TOKEN}"'])
def test_the_token_is_found_encoded_plain_or_quoted(raw: str) -> None:
    assert ON_HTTP.tokens(f"theme=dark;better-auth.session_token={raw};lang=en") == [TOKEN]


def test_all_validly_signed_tokens_count_in_order_and_forged_ones_do_not() -> None:
    name = "better-auth.session_token"
    header = f"{name}=forged; {name}={sign('old', SECRET)}; {name}={SIGNED_TOKEN}; {name}={sign('old', SECRET)}"
    assert ON_HTTP.tokens(header) == ["old", TOKEN]


@pytest.mark.parametrize(
    "name", ["session_token", "other.session_token", "Better-Auth.session_token", "__Secure-better-auth.session_token"]
)
def test_only_the_exact_configured_name_is_read(name: str) -> None:
    assert ON_HTTP.tokens(f"{name}={SIGNED_TOKEN}") == []


def test_on_https_only_the_secure_name_is_read() -> None:
    assert ON_HTTPS.tokens(f"better-auth.session_token={SIGNED_TOKEN}") == []
    assert ON_HTTPS.tokens(f"__Secure-better-auth.session_token={SIGNED_TOKEN}") == [TOKEN]


def test_dont_remember_is_believed_only_when_we_signed_it() -> None:
    assert ON_HTTP.dont_remember(f"better-auth.dont_remember={SIGNED_TRUE}") is True
    assert ON_HTTP.dont_remember("better-auth.dont_remember=true") is False
    assert ON_HTTP.dont_remember(f"better-auth.dont_remember={SIGNED_TOKEN}") is False
    assert ON_HTTP.dont_remember(f"better-auth.session_token={SIGNED_TRUE}") is False
    assert ON_HTTP.dont_remember(None) is False


def test_the_secret_does_not_show_in_the_repr() -> None:
    assert SECRET not in repr(ON_HTTP)
