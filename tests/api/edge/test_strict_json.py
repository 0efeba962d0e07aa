"""Request bodies: what is refused, and that nothing but a refusal ever comes out of hostile bytes."""

from __future__ import annotations

import contextlib
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.edge.strict_json import MalformedBody, form, parse


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"email":"ada@x.io","rememberMe":false}', {"email": "ada@x.io", "rememberMe": False}),
        (b"{}", {}),
        (b" [1, -2.5, null, true]\r\n", [1, -2.5, None, True]),
        (b'"Ada"', "Ada"),
        ('{"name":"Zoë 🎻"}'.encode(), {"name": "Zoë 🎻"}),
        (rb'{"name":"\ud83c\udfbb"}', {"name": "🎻"}),
        (rb'{"path":"C:\\u0000"}', {"path": "C:\\u0000"}),
        (rb'{"a":{"b":1},"b":{"b":1}}', {"a": {"b": 1}, "b": {"b": 1}}),
        (b"9" * 100, int("9" * 100)),
        (b"-" + b"9" * 100, -int("9" * 100)),
        (b"1e308", 1e308),
        (b'"' + b"[{" * 50 + b'"', "[{" * 50),
        (rb'["\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["]', ['"' + "[" * 36]),
    ],
)
def test_a_well_formed_body_is_read(body: bytes, value: object) -> None:
    assert parse(body) == value


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b" \n", id="blank"),
        pytest.param(b'{"name":"\xff"}', id="invalid UTF-8"),
        pytest.param(b'{"name":"\xc0\x80"}', id="overlong UTF-8"),
        pytest.param(b'{"name":"\xed\xa0\x80"}', id="surrogate in UTF-8"),
        pytest.param(b"\xef\xbb\xbf{}", id="byte order mark"),
        pytest.param('{"a":1}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b'{"n":NaN}', id="NaN"),
        pytest.param(b'{"n":Infinity}', id="Infinity"),
        pytest.param(b'{"n":-Infinity}', id="-Infinity"),
        pytest.param(b"9" * 101, id="101 digits"),
        pytest.param(b"-" + b"9" * 101, id="minus and 101 digits"),
        pytest.param(b"9" * 5000, id="more digits than int() takes"),
        pytest.param(b"0." + b"1" * 100, id="101 digits around a point"),
        pytest.param(b"1e" + b"0" * 100, id="101 digits around an exponent"),
        pytest.param(b"1e400", id="beyond a double"),
        pytest.param(b"-1e400", id="below a double"),
        pytest.param(rb'{"name":"\ud800"}', id="lone high surrogate"),
        pytest.param(rb'["\udc00"]', id="lone low surrogate in a list"),
        pytest.param(rb'{"\ud800":1}', id="lone surrogate in a key"),
        pytest.param(rb'{"name":"A\u0000"}', id="escaped NUL"),
        pytest.param(rb'[[{"a":["\u0000"]}]]', id="escaped NUL far inside"),
        pytest.param(rb'{"\u0000":1}', id="escaped NUL in a key"),
        pytest.param(b'{"name":"\x00"}', id="raw NUL"),
        pytest.param(b'{"name":"a\nb"}', id="raw line feed in a string"),
        pytest.param(b'{"a":1,"a":1}', id="duplicate key"),
        pytest.param(rb'{"a":1,"\u0061":2}', id="duplicate key in disguise"),
        pytest.param(b'[{"b":{"a":1,"a":2}}]', id="duplicate key far inside"),
        pytest.param(b"{} {}", id="two values"),
        pytest.param(b"{}x", id="trailing garbage"),
        pytest.param(b'{"a":1,}', id="trailing comma"),
        pytest.param(b"{'a':1}", id="single quotes"),
        pytest.param(b"01", id="leading zero"),
        pytest.param(b'{"a":1', id="cut off"),
        pytest.param(b'"\\', id="cut off in an escape"),
        pytest.param(b"email=ada@x.io", id="a form"),
    ],
)
def test_a_malformed_body_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        parse(body)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_thirty_two_levels_are_read_and_thirty_three_refused(opening: bytes, closing: bytes) -> None:
    parse(opening * 31 + b"[]" + closing * 31)
    with pytest.raises(MalformedBody):
        parse(opening * 32 + b"[]" + closing * 32)


def test_siblings_do_not_add_to_the_depth() -> None:
    assert parse(b"[" + b"[],{}," * 100 + b"0]") == [[], {}] * 100 + [0]


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"]" * 100_000 + b"[" * 100_000,
        b'"' + b'\\"' * 100_000,
        b'"' * 100_001,
        b"\\" * 100_000,
    ],
    ids=["lists", "objects", "closed before opened", "escaped quotes", "quotes", "backslashes"],
)
def test_hostile_nesting_and_quoting_is_refused_at_once(body: bytes) -> None:
    started = time.monotonic()
    with pytest.raises(MalformedBody):
        parse(body)
    assert time.monotonic() - started < 1.0


def test_a_refusal_neither_quotes_nor_carries_the_body() -> None:
    with pytest.raises(MalformedBody) as refused:
        parse(b'{"password":"correct horse 1"')
    assert "correct horse" not in str(refused.value)
    assert refused.value.__suppress_context__


@settings(deadline=None, max_examples=500)
@given(st.binary() | st.text(alphabet='[]{}:," \\u0d89eE+-.truflasnN').map(str.encode))
def test_no_bytes_whatever_bring_another_exception(body: bytes) -> None:
    for read in (parse, form):
        with contextlib.suppress(MalformedBody):
            read(body)


_TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=15,
)


@settings(deadline=None)
@given(_VALUES, st.booleans())
def test_whatever_a_client_can_mean_is_read_as_meant(value: object, ascii_only: bool) -> None:
    assert parse(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"email=ada%40x.io&password=correct+horse+1", {"email": "ada@x.io", "password": "correct horse 1"}),
        (b"name=Zo%C3%AB", {"name": "Zoë"}),
        ("name=Zoë".encode(), {"name": "Zoë"}),
        (b"password=a%2Bb=c", {"password": "a+b=c"}),
        (b"a&b=&=c&&", {"a": "", "b": "", "": "c"}),
        (b"discount=100%", {"discount": "100%"}),
        (b"", {}),
    ],
)
def test_a_form_is_read(body: bytes, fields: dict[str, str]) -> None:
    assert form(body) == fields


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"a=1&a=1", id="duplicate"),
        pytest.param(b"a=1&%61=2", id="duplicate in disguise"),
        pytest.param(b"a=%00", id="escaped NUL"),
        pytest.param(b"a=\x00", id="raw NUL"),
        pytest.param(b"%00=a", id="NUL in a name"),
        pytest.param(b"a=\xff", id="raw invalid UTF-8"),
        pytest.param(b"a=%ff", id="escaped invalid UTF-8"),
        pytest.param(b"%ff=a", id="escaped invalid UTF-8 in a name"),
        pytest.param(b"a=%ED%A0%80", id="escaped surrogate"),
    ],
)
def test_a_malformed_form_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        form(body)
