"""ApiKey: made, changed, rotated, used, ended, and until when it lets in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.api_key import (
    ApiKey,
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
    KeySeen,
    evolve,
)
from domain.key_refusals import InvalidKey, KeyDisabled, KeyExpired, KeyRotated
from domain.refusals import Refusal
from tests.domain.stories import given, refuses
from tests.people import ADA, NOON

ACME = UUID("01890000-0000-7000-8000-0000000000d4")
BEFORE = UUID("01890000-0000-7000-8000-0000000000e5")
ONE_MS = timedelta(milliseconds=1)
TOMORROW = datetime(2026, 3, 15, 12, 0, 0, tzinfo=UTC)
A_WEEK_LATER = datetime(2026, 3, 21, 12, 0, 0, tzinfo=UTC)
MADE = ApiKeyMade(
    user_id=ADA,
    epoch=3,
    key_hash=b"h" * 32,
    start="day_abcdef",
    prefix=None,
    name="deploy",
    metadata=None,
    expires_at=A_WEEK_LATER,
)
FOR_EVER = ApiKeyMade(
    user_id=ADA, epoch=3, key_hash=b"h" * 32, start="day_abcdef", prefix=None, name="deploy", metadata=None
)
ENDED = ApiKeyEnded(reason=KeyEnd.DELETED)
HOME = KeySeen(ip_address="192.0.2.1", user_agent="curl/8", at=NOON)
A_WHILE_LATER = datetime(2026, 3, 14, 12, 15, 0, tzinfo=UTC)


def lives(*events: ApiKeyEvent, epoch: int = 3, now: datetime = NOON) -> bool:
    """Whether what these events lead to lets in; the only other thing it could do is refuse."""
    try:
        given(evolve, events).require_life(epoch=epoch, now=now)
    except Refusal:
        return False
    return True


def test_a_key_is_what_it_was_made_for() -> None:
    made = ApiKeyMade(
        user_id=ADA,
        epoch=3,
        key_hash=b"h" * 32,
        start="ci-day_abcdef",
        prefix="ci-",
        name="deploy",
        metadata='{"a":1}',
        scopes=("read",),
        organization_id=ACME,
        expires_at=A_WEEK_LATER,
        instead_of=BEFORE,
    )
    key = given(evolve, [made])
    assert (key.user_id, key.epoch) == (ADA, 3)
    assert (key.scopes, key.organization_id, key.expires_at) == (("read",), ACME, A_WEEK_LATER)
    assert (key.enabled, key.rotated, key.ended) == (True, False, False)


def test_a_key_of_which_nothing_is_said_may_everything_everywhere_for_ever() -> None:
    key = given(evolve, [FOR_EVER])
    assert (key.scopes, key.organization_id, key.expires_at) == (None, None, None)
    assert key == ApiKey(user_id=ADA, epoch=3)
    assert (key.enabled, key.rotated, key.ended) == (True, False, False)


def test_a_key_goes_by_another_name_unless_it_does() -> None:
    key = given(evolve, [MADE])
    assert key.rename("build", before="deploy") == [ApiKeyRenamed(name="build")]
    assert key.rename("build", before=None) == [ApiKeyRenamed(name="build")]
    assert key.rename("deploy", before="deploy") == []


def test_something_else_is_noted_of_a_key_unless_it_is() -> None:
    key = given(evolve, [MADE])
    assert key.annotate('{"a":1}', before=None) == [ApiKeyMetadataChanged(metadata='{"a":1}')]
    assert key.annotate(None, before='{"a":1}') == [ApiKeyMetadataChanged(metadata=None)]
    assert key.annotate('{"a":1}', before='{"a":1}') == []
    assert key.annotate(None, before=None) == []


@pytest.mark.parametrize(
    "event", [ApiKeyRenamed(name="build"), ApiKeyMetadataChanged(metadata=None), ApiKeyUsed()], ids=str
)
def test_neither_name_nor_notes_nor_use_change_what_a_key_opens(event: ApiKeyEvent) -> None:
    assert given(evolve, [MADE, event]) == given(evolve, [MADE])


def test_a_key_is_disabled_and_enabled_once() -> None:
    key = given(evolve, [MADE])
    assert key.enable() == []
    assert key.disable() == [ApiKeyDisabled()]
    disabled = given(evolve, [MADE, ApiKeyDisabled()])
    assert not disabled.enabled
    assert disabled.disable() == []
    assert disabled.enable() == [ApiKeyEnabled()]
    assert given(evolve, [MADE, ApiKeyDisabled(), ApiKeyEnabled()]) == key


def test_a_key_is_good_until_another_moment_unless_it_is() -> None:
    key = given(evolve, [MADE])
    assert key.limit(A_WEEK_LATER) == []
    assert key.limit(TOMORROW) == [ApiKeyLifetimeChanged(expires_at=TOMORROW)]
    assert key.limit(None) == [ApiKeyLifetimeChanged(expires_at=None)]
    assert given(evolve, [FOR_EVER]).limit(None) == []
    assert given(evolve, [MADE, ApiKeyLifetimeChanged(expires_at=TOMORROW)]).expires_at == TOMORROW
    assert given(evolve, [MADE, ApiKeyLifetimeChanged(expires_at=None)]).expires_at is None


def test_a_key_that_leaves_its_place_to_another_is_good_for_as_long_as_is_said_and_no_longer_than_it_was() -> None:
    assert given(evolve, [MADE]).rotate(until=TOMORROW) == [ApiKeyRotated(expires_at=TOMORROW)]
    assert given(evolve, [MADE]).rotate(until=A_WEEK_LATER + ONE_MS) == [ApiKeyRotated(expires_at=A_WEEK_LATER)]
    assert given(evolve, [FOR_EVER]).rotate(until=A_WEEK_LATER) == [ApiKeyRotated(expires_at=A_WEEK_LATER)]


def test_a_key_leaves_its_place_once() -> None:
    rotated = given(evolve, [MADE, ApiKeyRotated(expires_at=TOMORROW)])
    assert (rotated.rotated, rotated.expires_at) == (True, TOMORROW)
    with refuses(KeyRotated):
        rotated.rotate(until=TOMORROW)


def test_the_first_use_of_a_key_is_news() -> None:
    never = KeySeen(ip_address=None, user_agent=None, at=None)
    key = given(evolve, [MADE])
    assert key.use(seen=never, ip_address="192.0.2.1", user_agent="curl/8", now=NOON) == [ApiKeyUsed()]
    assert key.use(seen=never, ip_address="", user_agent="", now=NOON) == [ApiKeyUsed()]


@pytest.mark.parametrize(
    ("ip_address", "user_agent", "news"),
    [
        ("192.0.2.1", "curl/8", False),
        ("192.0.2.2", "curl/8", True),
        ("192.0.2.1", "python/3", True),
        ("192.0.2.2", "python/3", True),
        ("192.0.2.2", "", True),
        ("", "python/3", True),
        ("", "curl/8", False),
        ("192.0.2.1", "", False),
        ("", "", False),
    ],
)
def test_a_use_from_elsewhere_is_news_a_quarter_of_an_hour_after_the_last(
    ip_address: str, user_agent: str, news: bool
) -> None:
    key = given(evolve, [MADE])
    told = [
        key.use(seen=HOME, ip_address=ip_address, user_agent=user_agent, now=now)
        for now in (NOON, A_WHILE_LATER - ONE_MS, A_WHILE_LATER, A_WHILE_LATER + ONE_MS)
    ]
    assert told == [[], [], [ApiKeyUsed()] * news, [ApiKeyUsed()] * news]


def test_from_where_a_key_was_used_is_no_news_only_while_it_is_known() -> None:
    erased = KeySeen(ip_address=None, user_agent=None, at=NOON)
    key = given(evolve, [MADE])
    assert key.use(seen=erased, ip_address="192.0.2.1", user_agent="", now=A_WHILE_LATER) == [ApiKeyUsed()]
    assert key.use(seen=erased, ip_address="", user_agent="", now=A_WHILE_LATER) == []


@pytest.mark.parametrize("reason", KeyEnd)
def test_a_key_ends_once(reason: KeyEnd) -> None:
    assert given(evolve, [MADE]).end(reason=reason) == [ApiKeyEnded(reason=reason)]
    ended = given(evolve, [MADE, ApiKeyEnded(reason=reason)])
    assert ended.ended
    assert ended.end(reason=reason) == []


def test_a_key_lives_until_the_moment_it_was_made_for_and_no_longer() -> None:
    assert lives(MADE)
    assert lives(MADE, now=A_WEEK_LATER - ONE_MS)
    for later in (A_WEEK_LATER, A_WEEK_LATER + ONE_MS):
        with refuses(KeyExpired):
            given(evolve, [MADE]).require_life(epoch=3, now=later)
    assert lives(FOR_EVER, now=A_WEEK_LATER + timedelta(days=10_000))
    assert lives(MADE, ApiKeyLifetimeChanged(expires_at=None), now=A_WEEK_LATER)
    assert not lives(MADE, ApiKeyRotated(expires_at=TOMORROW), now=TOMORROW)
    assert lives(MADE, ApiKeyRotated(expires_at=TOMORROW), now=TOMORROW - ONE_MS)


@pytest.mark.parametrize("epoch", [2, 4])
def test_a_key_of_another_epoch_of_its_owner_is_none(epoch: int) -> None:
    with refuses(InvalidKey):
        given(evolve, [MADE]).require_life(epoch=epoch, now=NOON)


def test_an_ended_key_is_none() -> None:
    with refuses(InvalidKey):
        given(evolve, [MADE, ENDED]).require_life(epoch=3, now=NOON)


def test_a_disabled_key_says_so_until_it_is_enabled() -> None:
    with refuses(KeyDisabled):
        given(evolve, [MADE, ApiKeyDisabled()]).require_life(epoch=3, now=NOON)
    assert lives(MADE, ApiKeyDisabled(), ApiKeyEnabled())


def test_of_several_reasons_why_a_key_lets_nobody_in_the_weightiest_is_told() -> None:
    disabled = given(evolve, [MADE, ApiKeyDisabled()])
    with refuses(KeyDisabled):
        disabled.require_life(epoch=3, now=A_WEEK_LATER)
    with refuses(InvalidKey):
        disabled.require_life(epoch=4, now=A_WEEK_LATER)
    with refuses(InvalidKey):
        given(evolve, [MADE, ApiKeyDisabled(), ENDED]).require_life(epoch=3, now=A_WEEK_LATER)


def test_why_a_key_ended_is_stored_in_these_words() -> None:
    assert [reason.value for reason in KeyEnd] == ["deleted", "reported"]
