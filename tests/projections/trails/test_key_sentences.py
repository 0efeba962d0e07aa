"""What becomes of API keys, in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from domain.api_key import (
    ApiKeyDisabled,
    ApiKeyEnabled,
    ApiKeyEnded,
    ApiKeyEvent,
    ApiKeyLifetimeChanged,
    ApiKeyMade,
    ApiKeyMetadataChanged,
    ApiKeyRenamed,
    ApiKeyRotated,
    ApiKeyUsed,
    KeyEnd,
)
from projections.trails.names import Names
from projections.trails.sentences import sentence
from tests.people import ADA, NOON

TO_ADA = Names(
    actor="You", person="You", same=True, organization="", device="curl 8, Germany", before="“ci”", key="“deploy”"
)
TO_OTHERS = Names(
    actor="“Ada”", person="“Ada”", same=True, organization="", device="curl 8, Germany", before="“ci”", key="“deploy”"
)
MADE = ApiKeyMade(user_id=ADA, epoch=0, key_hash=b"", start="day_q7Zv2K", prefix=None, name="deploy", metadata=None)

TOLD: Mapping[str, tuple[ApiKeyEvent, str, str]] = {
    "ApiKeyMade": (MADE, "You made the API key “deploy”.", "“Ada” made the API key “deploy”."),
    "ApiKeyRenamed": (
        ApiKeyRenamed(name="deploy"),
        "You renamed the API key “ci” to “deploy”.",
        "“Ada” renamed the API key “ci” to “deploy”.",
    ),
    "ApiKeyMetadataChanged": (
        ApiKeyMetadataChanged(metadata="{}"),
        "You changed what is noted of the API key “deploy”.",
        "“Ada” changed what is noted of the API key “deploy”.",
    ),
    "ApiKeyEnabled": (ApiKeyEnabled(), "You enabled the API key “deploy”.", "“Ada” enabled the API key “deploy”."),
    "ApiKeyDisabled": (ApiKeyDisabled(), "You disabled the API key “deploy”.", "“Ada” disabled the API key “deploy”."),
    "ApiKeyLifetimeChanged": (
        ApiKeyLifetimeChanged(expires_at=NOON + timedelta(days=90)),
        "You changed until when the API key “deploy” is good.",
        "“Ada” changed until when the API key “deploy” is good.",
    ),
    "ApiKeyRotated": (
        ApiKeyRotated(expires_at=NOON),
        "You made a new API key in place of “deploy”.",
        "“Ada” made a new API key in place of “deploy”.",
    ),
    "ApiKeyUsed": (
        ApiKeyUsed(),
        "The API key “deploy” was used from a new place: curl 8, Germany.",
        "The API key “deploy” was used from a new place: curl 8, Germany.",
    ),
    "ApiKeyEnded deleted": (
        ApiKeyEnded(reason=KeyEnd.DELETED),
        "You deleted the API key “deploy”.",
        "“Ada” deleted the API key “deploy”.",
    ),
    "ApiKeyEnded reported": (
        ApiKeyEnded(reason=KeyEnd.REPORTED),
        "Somebody reported that the API key “deploy” was found where it does not belong: it was ended.",
        "Somebody reported that the API key “deploy” was found where it does not belong: it was ended.",
    ),
}


@pytest.mark.parametrize("name", TOLD)
def test_whose_key_it_is_is_told_what_they_did(name: str) -> None:
    event, to_ada, _ = TOLD[name]
    assert sentence(event, TO_ADA) == to_ada


@pytest.mark.parametrize("name", TOLD)
def test_who_reads_of_an_organization_is_told_who_did_it(name: str) -> None:
    event, _, to_others = TOLD[name]
    assert sentence(event, TO_OTHERS) == to_others


def test_a_key_that_is_good_for_ever_is_said_to_be() -> None:
    text = sentence(ApiKeyLifetimeChanged(expires_at=None), TO_ADA)
    assert text == "You made the API key “deploy” good for ever."


def test_a_key_whose_name_is_erased_is_told_without() -> None:
    nameless = Names(actor="You", person="You", same=True, organization="", device="")
    assert sentence(ApiKeyDisabled(), nameless) == "You disabled the API key without a name."
