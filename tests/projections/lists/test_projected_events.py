"""What each event there is means for the row of its list: every event of every aggregate, and the row after it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.api_key import (
    ApiKeyDisabled,
    ApiKeyEnabled,
    ApiKeyEnded,
    ApiKeyLifetimeChanged,
    ApiKeyMade,
    ApiKeyMetadataChanged,
    ApiKeyRenamed,
    ApiKeyRotated,
    ApiKeyUsed,
    KeyEnd,
)
from domain.events.catalogue import AGGREGATE_BY_EVENT, EVENT_BY_NAME, Event
from domain.ids import new_id
from domain.invitation import (
    InvitationAccepted,
    InvitationCanceled,
    InvitationExpired,
    InvitationRejected,
    InvitationResent,
    InvitationSent,
    RecipientErased,
)
from domain.mailed_link import (
    AccountDeletionRequested,
    EmailChangeRequested,
    EmailChangeUndoLapsed,
    EmailChangeUndoOffered,
    EmailVerificationRequested,
    MailedLinkUsed,
    MailedLinkWithdrawn,
    PasswordResetRequested,
    SignUpAttempted,
)
from domain.membership import Joining, MemberJoined, MemberLeft, MemberRemoved, MemberRoleChanged, SeatTaken
from domain.organization import (
    LogoChanged,
    MetadataChanged,
    OrganizationClosed,
    OrganizationErased,
    OrganizationFounded,
    OrganizationRenamed,
    OwnerAdded,
    OwnerRemoved,
    PersonalOrganizationFounded,
    PersonalOrganizationGivenUp,
    SlugChanged,
)
from domain.session import (
    EndReason,
    OrganizationChosen,
    SessionEnded,
    SessionKept,
    SessionMoved,
    SessionReauthenticated,
    SessionRenewed,
    SessionStarted,
    Way,
)
from domain.store.envelope import CommandRecord, Recorded, WhereFrom
from domain.store.rows import write_of
from domain.user import (
    AccountUnlocked,
    ApiKeysRevoked,
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
)
from projections import INLINE
from tests.people import ADA, BO, CY, NOON

Values = dict[str, Any]

ACME = UUID("01890000-0000-7000-8000-0000000000d4")
LATER = NOON + timedelta(hours=1)
"""When what is told here happens; the rows before it are of noon."""
A_WEEK, A_MONTH = NOON + timedelta(days=7), NOON + timedelta(days=30)
AWAY = WhereFrom("203.0.113.7", "Firefox")

BEGUN: dict[str, Values] = {
    "user": {
        "email": "ada@example.com",
        "email_hash": b"#ada",
        "email_slot": b"#ada",
        "name": "Ada",
        "image": "/a.png",
        "language": "en",
        "email_verified": False,
        "email_contested": False,
        "session_epoch": 3,
        "key_epoch": 2,
        "password_version": 4,
        "password_changed_at": NOON,
        "created_at": NOON,
        "updated_at": NOON,
        "ended_at": None,
    },
    "session": {
        "user_id": ADA,
        "token_hash": b"#token",
        "way": "password",
        "epoch": 3,
        "organization_id": ACME,
        "organization_chosen_at": NOON,
        "ip_address": "192.0.2.1",
        "user_agent": "Chrome",
        "moved_at": NOON,
        "moved_ip_address": "192.0.2.2",
        "moved_user_agent": "Edge",
        "created_at": NOON,
        "updated_at": NOON,
        "authenticated_at": NOON,
        "expires_at": A_WEEK,
        "ended_at": None,
        "end_reason": None,
    },
    "organization": {
        "name": "Acme",
        "slug": "acme",
        "slug_slot": b"#acme",
        "personal_organization": ADA,
        "logo": "/acme.png",
        "metadata": '{"a":1}',
        "created_at": NOON,
        "ended_at": None,
    },
    "membership": {
        "organization_id": ACME,
        "user_id": ADA,
        "live_user_id": ADA,
        "role": "member",
        "seat": 7,
        "joined_at": NOON,
        "ended_at": None,
    },
    "invitation": {
        "organization_id": ACME,
        "email": "bo@example.com",
        "email_hash": b"#bo",
        "pending_slot": b"#bo",
        "place": 2,
        "role": "admin",
        "status": "pending",
        "inviter_id": ADA,
        "link_hash": b"#link",
        "created_at": NOON,
        "expires_at": A_WEEK,
        "ended_at": None,
    },
    "mailed_link": {
        "user_id": ADA,
        "purpose": "password_reset",
        "slot": "password_reset",
        "email_hash": b"#ada",
        "password_version": 4,
        "session_epoch": 3,
        "account_version": 5,
        "link_hash": b"#link",
        "callback_url": "/here",
        "sent_at": NOON,
        "expires_at": A_WEEK,
        "ended_at": NOON,
    },
    "api_key": {
        "user_id": ADA,
        "epoch": 2,
        "key_hash": b"#key",
        "start": "ci_day_q7Zv2K",
        "prefix": "ci_",
        "name": "ci",
        "metadata": '{"a":1}',
        "scopes": "read",
        "organization_id": ACME,
        "enabled": True,
        "created_at": NOON,
        "updated_at": NOON,
        "expires_at": A_WEEK,
        "rotated_at": None,
        "used_at": NOON,
        "used_ip_address": "192.0.2.1",
        "used_user_agent": "curl",
        "ended_at": None,
        "end_reason": None,
    },
}
"""A row of each list with something in every column that an event can change."""


def _link(purpose: str, **columns: object) -> Values:
    """The row of a link that was just sent."""
    nothing = dict.fromkeys(BEGUN["mailed_link"])
    sent = {"user_id": BO, "purpose": purpose, "slot": purpose, "sent_at": LATER, "expires_at": A_WEEK}
    return nothing | sent | columns


BEGINNINGS: list[tuple[Event, Values]] = [
    (
        ApiKeyMade(
            user_id=BO,
            epoch=4,
            key_hash=b"#bos",
            start="day_a1B2c3",
            prefix=None,
            name="bot",
            metadata=None,
            scopes=("read", "member:update"),
            organization_id=ACME,
            expires_at=A_MONTH,
        ),
        {
            "user_id": BO,
            "epoch": 4,
            "key_hash": b"#bos",
            "start": "day_a1B2c3",
            "prefix": None,
            "name": "bot",
            "metadata": None,
            "scopes": "read member:update",
            "organization_id": ACME,
            "created_at": LATER,
            "updated_at": LATER,
            "expires_at": A_MONTH,
        },
    ),
    (
        SignedUp(email="bo@example.com", name="Bo", image="/b.png", email_hash=b"#bo", password_version=1),
        {
            "email": "bo@example.com",
            "email_hash": b"#bo",
            "email_slot": b"#bo",
            "name": "Bo",
            "image": "/b.png",
            "password_version": 1,
            "created_at": LATER,
            "updated_at": LATER,
        },
    ),
    (
        SessionStarted(user_id=BO, token_hash=b"#secret", way=Way.PASSWORD, epoch=5, expires_at=A_MONTH),
        {
            "user_id": BO,
            "token_hash": b"#secret",
            "way": "password",
            "epoch": 5,
            "ip_address": "203.0.113.7",
            "user_agent": "Firefox",
            "created_at": LATER,
            "updated_at": LATER,
            "authenticated_at": LATER,
            "expires_at": A_MONTH,
        },
    ),
    (
        PersonalOrganizationFounded(name="Bo's Organization", slug="org-b", slug_hash=b"#org-b", owner_id=BO),
        {
            "name": "Bo's Organization",
            "slug": "org-b",
            "slug_slot": b"#org-b",
            "personal_organization": BO,
            "created_at": LATER,
        },
    ),
    (
        OrganizationFounded(
            name="Works", slug="works", slug_hash=b"#works", logo="/w.png", metadata='{"w":1}', owner_id=BO
        ),
        {
            "name": "Works",
            "slug": "works",
            "slug_slot": b"#works",
            "logo": "/w.png",
            "metadata": '{"w":1}',
            "created_at": LATER,
        },
    ),
    (
        MemberJoined(organization_id=ACME, user_id=BO, role="owner,admin", joining=Joining.INVITED),
        {"organization_id": ACME, "user_id": BO, "live_user_id": BO, "role": "owner,admin", "joined_at": LATER},
    ),
    (
        InvitationSent(
            organization_id=ACME,
            email="cy@example.com",
            email_hash=b"#cy",
            role="member",
            inviter_id=BO,
            link_hash=b"#way in",
            expires_at=A_MONTH,
            place=9,
            recipient_id=CY,
        ),
        {
            "organization_id": ACME,
            "email": "cy@example.com",
            "email_hash": b"#cy",
            "pending_slot": b"#cy",
            "place": 9,
            "role": "member",
            "status": "pending",
            "inviter_id": BO,
            "link_hash": b"#way in",
            "created_at": LATER,
            "expires_at": A_MONTH,
        },
    ),
    (
        PasswordResetRequested(
            user_id=BO, email_hash=b"#bo", password_version=2, link_hash=b"#in", expires_at=A_WEEK, callback_url="/new"
        ),
        _link("password_reset", email_hash=b"#bo", password_version=2, link_hash=b"#in", callback_url="/new"),
    ),
    (
        EmailVerificationRequested(
            user_id=BO, email_hash=b"#bo", link_hash=b"#in", expires_at=A_WEEK, callback_url="/done"
        ),
        _link("email_verification", email_hash=b"#bo", link_hash=b"#in", callback_url="/done"),
    ),
    (
        EmailChangeRequested(
            user_id=BO,
            email="bo@example.org",
            email_hash=b"#new",
            session_epoch=7,
            link_hash=b"#in",
            expires_at=A_WEEK,
            callback_url="",
        ),
        _link(
            "email_change",
            email_hash=b"#new",
            session_epoch=7,
            link_hash=b"#in",
            callback_url="",
        ),
    ),
    (
        EmailChangeUndoOffered(
            user_id=BO,
            email="bo@example.com",
            email_hash=b"#bo",
            link_hash=b"#in",
            expires_at=A_WEEK,
            account_version=4,
            asked_since=NOON,
        ),
        _link("email_change_undo", slot=None, email_hash=b"#bo", account_version=4, link_hash=b"#in"),
    ),
    (
        AccountDeletionRequested(
            user_id=BO, email_hash=b"#bo", session_epoch=7, link_hash=b"#in", expires_at=A_WEEK, callback_url="/bye"
        ),
        _link("account_deletion", email_hash=b"#bo", session_epoch=7, link_hash=b"#in", callback_url="/bye"),
    ),
    (
        SignUpAttempted(user_id=BO, email_hash=b"#bo"),
        _link("sign_up_notice", email_hash=b"#bo", expires_at=None),
    ),
]
"""Events that begin a row, and what is in it then."""
AGAIN = [case for case in BEGINNINGS if AGGREGATE_BY_EVENT[type(case[0])].name == "mailed_link"]
"""Of these, those that may come later too: the row begins anew."""


def _over(status: str) -> Values:
    return {"status": status, "pending_slot": None, "place": None, "ended_at": LATER}


CHANGES: list[tuple[Event, Values]] = [
    (NameChanged(name="Ada King"), {"name": "Ada King", "updated_at": LATER}),
    (ImageChanged(image=None), {"image": None, "updated_at": LATER}),
    (LanguageChosen(language="de"), {"language": "de"}),
    (PasswordChanged(password_version=5), {"password_version": 5, "password_changed_at": LATER}),
    (PasswordReset(password_version=5), {"password_version": 5, "password_changed_at": LATER}),
    (EmailVerified(), {"email_verified": True, "email_contested": False, "updated_at": LATER}),
    (EmailContested(), {"email_contested": True}),
    (
        EmailChanged(email="ada@example.org", email_hash=b"#new"),
        {
            "email": "ada@example.org",
            "email_hash": b"#new",
            "email_slot": b"#new",
            "email_verified": True,
            "email_contested": False,
            "updated_at": LATER,
        },
    ),
    (
        EmailRestored(email="ada@example.net", email_hash=b"#old"),
        {
            "email": "ada@example.net",
            "email_hash": b"#old",
            "email_slot": b"#old",
            "email_verified": True,
            "email_contested": False,
            "updated_at": LATER,
        },
    ),
    (SessionsRevoked(epoch=4, reason=Revocation.EVERYWHERE), {"session_epoch": 4}),
    (ApiKeysRevoked(epoch=3), {"key_epoch": 3}),
    (AccountUnlocked(), {}),
    (
        PersonErased(epoch=4),
        {
            "email": None,
            "email_slot": None,
            "name": None,
            "image": None,
            "language": None,
            "session_epoch": 4,
            "updated_at": LATER,
            "ended_at": LATER,
        },
    ),
    (SessionRenewed(expires_at=A_MONTH), {"expires_at": A_MONTH, "updated_at": LATER}),
    (SessionReauthenticated(way=Way.PASSWORD), {"authenticated_at": LATER, "updated_at": LATER}),
    (
        SessionMoved(),
        {"moved_at": LATER, "moved_ip_address": "203.0.113.7", "moved_user_agent": "Firefox", "updated_at": LATER},
    ),
    (SessionKept(epoch=4), {"epoch": 4, "updated_at": LATER}),
    (
        OrganizationChosen(organization_id=None),
        {"organization_id": None, "organization_chosen_at": LATER, "updated_at": LATER},
    ),
    (SessionEnded(reason=EndReason.REPLACED), {"ended_at": LATER, "end_reason": "replaced"}),
    (OrganizationRenamed(name="Works"), {"name": "Works"}),
    (SlugChanged(before="acme", slug="works", slug_hash=b"#works"), {"slug": "works", "slug_slot": b"#works"}),
    (LogoChanged(logo=None), {"logo": None}),
    (MetadataChanged(metadata=None), {"metadata": None}),
    (OwnerAdded(user_id=BO), {}),
    (OwnerRemoved(user_id=BO), {}),
    (PersonalOrganizationGivenUp(user_id=ADA), {"personal_organization": None}),
    (OrganizationClosed(), {"slug_slot": None, "personal_organization": None, "ended_at": LATER}),
    (OrganizationErased(user_id=ADA), {"name": None, "slug": None, "logo": None, "metadata": None}),
    (SeatTaken(seat=8), {"seat": 8}),
    (MemberRoleChanged(before="member", role="owner"), {"role": "owner"}),
    (MemberLeft(), {"live_user_id": None, "seat": None, "ended_at": LATER}),
    (MemberRemoved(), {"live_user_id": None, "seat": None, "ended_at": LATER}),
    (InvitationResent(inviter_id=CY, expires_at=A_MONTH), {"inviter_id": CY, "expires_at": A_MONTH}),
    (InvitationAccepted(user_id=BO, membership_id=ACME), _over("accepted")),
    (InvitationRejected(user_id=BO), _over("rejected")),
    (InvitationCanceled(), _over("canceled")),
    (InvitationExpired(), _over("expired")),
    (MailedLinkUsed(), {"ended_at": LATER}),
    (MailedLinkWithdrawn(), {"ended_at": LATER}),
    (EmailChangeUndoLapsed(), {"ended_at": LATER}),
    (RecipientErased(user_id=BO), {"email": None}),
    (ApiKeyRenamed(name="deploy"), {"name": "deploy", "updated_at": LATER}),
    (ApiKeyMetadataChanged(metadata=None), {"metadata": None, "updated_at": LATER}),
    (ApiKeyEnabled(), {"enabled": True, "updated_at": LATER}),
    (ApiKeyDisabled(), {"enabled": False, "updated_at": LATER}),
    (ApiKeyLifetimeChanged(expires_at=None), {"expires_at": None, "updated_at": LATER}),
    (ApiKeyRotated(expires_at=A_MONTH), {"expires_at": A_MONTH, "rotated_at": LATER, "updated_at": LATER}),
    (ApiKeyUsed(), {"used_at": LATER, "used_ip_address": "203.0.113.7", "used_user_agent": "Firefox"}),
    (ApiKeyEnded(reason=KeyEnd.DELETED), {"ended_at": LATER, "end_reason": "deleted"}),
]
"""Events that find a row, and which of its columns differ after them."""


def the_row_after(event: Event, before: Values, *, version: int, where_from: WhereFrom = AWAY) -> Values:
    """What is in the row of a stream after one more event."""
    [projection] = [one for one in INLINE if one.aggregate == AGGREGATE_BY_EVENT[type(event)].name]
    command = CommandRecord.by_user(ADA, session_id=new_id(), at=LATER, where_from=where_from)
    write = write_of(projection, Recorded(new_id(), version, event, command, None))
    assert write.table is projection.table
    return before | dict(write.row.values)


def _name(case: object) -> str:
    return type(case).__name__


@pytest.mark.parametrize(("event", "row"), BEGINNINGS, ids=_name)
def test_an_event_that_begins_a_stream_begins_its_row(event: Event, row: Values) -> None:
    assert the_row_after(event, {}, version=1) == row | {"version": 1}


@pytest.mark.parametrize(("event", "row"), AGAIN, ids=_name)
def test_a_link_that_is_sent_anew_has_nothing_of_the_one_before(event: Event, row: Values) -> None:
    assert the_row_after(event, BEGUN["mailed_link"] | {"version": 8}, version=9) == row | {"version": 9}


@pytest.mark.parametrize(("event", "changed"), CHANGES, ids=_name)
def test_a_later_event_changes_these_columns_and_no_others(event: Event, changed: Values) -> None:
    before = BEGUN[AGGREGATE_BY_EVENT[type(event)].name]
    assert the_row_after(event, before | {"version": 8}, version=9) == before | changed | {"version": 9}


@pytest.mark.parametrize(
    ("where_from", "columns"),
    [
        (WhereFrom("", "Firefox"), {"moved_ip_address": "192.0.2.2", "moved_user_agent": "Firefox"}),
        (WhereFrom("203.0.113.7", ""), {"moved_ip_address": "203.0.113.7", "moved_user_agent": "Edge"}),
    ],
)
def test_what_is_unknown_of_a_moved_session_is_still_what_it_was(where_from: WhereFrom, columns: Values) -> None:
    row = the_row_after(SessionMoved(), BEGUN["session"], version=9, where_from=where_from)
    assert {name: row[name] for name in columns} == columns


def test_each_event_there_is_begins_a_row_or_finds_one() -> None:
    told = [type(event) for event, _ in (*BEGINNINGS, *CHANGES)]
    assert sorted(one.__name__ for one in told) == sorted(one.__name__ for one in EVENT_BY_NAME.values())


@pytest.mark.parametrize("projection", INLINE, ids=lambda one: one.table.name)
def test_the_rows_told_of_here_have_the_columns_of_their_lists(projection: Any) -> None:
    assert BEGUN[projection.aggregate].keys() == projection.table.columns.keys()


@pytest.mark.parametrize("projection", INLINE, ids=lambda one: one.table.name)
def test_an_event_of_another_kind_is_a_mistake_and_not_nothing(projection: Any) -> None:
    strangers = [event for event, _ in CHANGES if AGGREGATE_BY_EVENT[type(event)].name != projection.aggregate]
    for event in strangers:
        with pytest.raises(AssertionError):
            projection.project(event, CommandRecord.by_system(at=LATER))
