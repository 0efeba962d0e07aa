"""Media types of request bodies: wire.md §1."""

from __future__ import annotations

import pytest

from api.edge.media_type import FORM_OR_JSON, ONLY_JSON, is_form, refusal


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=utf-8",
        "application/json ; x",
    ],
)
def test_json_is_accepted_everywhere(content_type: str) -> None:
    assert refusal(content_type, ONLY_JSON) is None
    assert refusal(content_type, FORM_OR_JSON) is None
    assert not is_form(content_type)


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "APPLICATION/X-WWW-FORM-URLENCODED; charset=UTF-8"]
)
def test_a_form_is_accepted_only_where_forms_are_allowed(content_type: str) -> None:
    assert refusal(content_type, FORM_OR_JSON) is None
    assert refusal(content_type, ONLY_JSON) is not None
    assert is_form(content_type)


def test_the_refusal_says_what_came_and_what_would_be_allowed() -> None:
    assert (
        refusal("text/plain", ONLY_JSON) == 'Content-Type "text/plain" is not allowed. Allowed types: application/json'
    )


def test_two_allowed_types_are_named_with_the_form_first() -> None:
    assert refusal("text/plain", FORM_OR_JSON) == (
        'Content-Type "text/plain" is not allowed. Allowed types: application/x-www-form-urlencoded, application/json'
    )


@pytest.mark.parametrize(
    "content_type",
    ["application/jsonp", "application/json-patch+json", "text/json", "x; application/json", ";", "json", "*/*"],
)
def test_near_misses_of_json_are_refused(content_type: str) -> None:
    assert refusal(content_type, FORM_OR_JSON) is not None
    assert not is_form(content_type)


@pytest.mark.parametrize("content_type", [None, ""])
def test_no_content_type_means_no_body_and_no_refusal(content_type: str | None) -> None:
    assert refusal(content_type, ONLY_JSON) is None
    assert not is_form(content_type)
