"""What the lists hold of one person, wherever it stands: what an erasure has to reach.

A list with something personal in it is named in `EMPTIED`, or said of its own why it is not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.commands.lookups import Belonging
from domain.events.catalogue import stored_names
from domain.organization import PersonalOrganizationFounded
from domain.store import Blanked, Reading
from domain.store.connections import Statements
from domain.store.rows import Table
from domain.store.select_list import SelectList

from . import api_key_list, invitation_list, mailed_link_list, organization_list, session_list


class Emptied(NamedTuple):
    """A list with columns that a person's keys seal, and how its rows `r` of a person `$1` are found."""

    table: Table
    columns: tuple[str, ...]
    theirs: str


_BY_KEY = "r.{key} IN (SELECT k.subject_id FROM subject_keys k WHERE k.person_id = $1)"
EMPTIED = (
    Emptied(session_list.TABLE, session_list.PERSONAL, "r.user_id = $1"),
    Emptied(mailed_link_list.TABLE, mailed_link_list.PERSONAL, "r.user_id = $1"),
    Emptied(api_key_list.TABLE, api_key_list.PERSONAL, "r.user_id = $1"),
    Emptied(organization_list.TABLE, organization_list.PERSONAL, _BY_KEY.format(key="organization_id")),
    Emptied(invitation_list.TABLE, invitation_list.PERSONAL, _BY_KEY.format(key="invitation_id")),
)

_BELONGING = SelectList(
    Belonging,
    organization_id="o.organization_id",
    membership_id="own.membership_id",
    open="o.ended_at IS NULL",
    name="o.name",
    others=(
        "EXISTS (SELECT FROM member_list m WHERE m.organization_id = o.organization_id"
        " AND m.live_user_id IS NOT NULL AND m.user_id <> $1)"
    ),
    shared="EXISTS (SELECT FROM member_list m WHERE m.organization_id = o.organization_id AND m.user_id <> $1)",
    theirs="k.person_id IS NOT NULL AND k.person_id = $1",
    # who founded it was there first
    named_after=(
        "EXISTS (SELECT FROM events e WHERE e.stream_id = o.organization_id AND e.version = 1 AND e.name = ANY($2))"
        " AND $1 = (SELECT m.user_id FROM member_list m WHERE m.organization_id = o.organization_id"
        " ORDER BY m.joined_at, m.membership_id LIMIT 1)"
    ),
)
_BELONGINGS = f"""
SELECT {_BELONGING.sql}
  FROM organization_list o
  LEFT JOIN member_list own ON own.organization_id = o.organization_id AND own.live_user_id = $1
  LEFT JOIN subject_keys k ON k.subject_id = o.organization_id
 WHERE o.organization_id IN (SELECT organization_id FROM member_list WHERE user_id = $1)
 ORDER BY o.organization_id
"""
_EVER_TO = """
SELECT i.invitation_id
  FROM unnest($2::bytea[], $3::timestamptz[]) AS theirs (email_hash, sent_before)
  JOIN invitation_list i ON i.email_hash = theirs.email_hash
  JOIN subject_keys k ON k.subject_id = i.invitation_id
 WHERE (theirs.sent_before IS NULL OR i.created_at < theirs.sent_before)
   AND k.person_id IS NULL AND k.wrapped IS NOT NULL
   AND NOT EXISTS (SELECT FROM account_list a WHERE a.email_slot = i.email_hash AND a.user_id <> $1
                      AND (i.ended_at IS NULL OR i.ended_at >= a.created_at))
 ORDER BY i.invitation_id
"""
_PENDING_FROM = """
SELECT invitation_id FROM invitation_list WHERE inviter_id = $1 AND pending_slot IS NOT NULL
   AND ($2::timestamptz IS NULL OR created_at >= $2) ORDER BY invitation_id
"""
_SHOWING = "SELECT r.{key}, r.version FROM {table} r WHERE {theirs} AND ({shown}) ORDER BY r.{key}"


@dataclass
class PersonLookups:
    """Of `domain.commands.lookups.Lookups` what takes several lists."""

    read: Statements

    def belongings(self, user_id: UUID, *, reading: Reading) -> list[Belonging]:
        founded = stored_names(PersonalOrganizationFounded)
        return _BELONGING.read_all(reading.rows(_BELONGINGS, user_id, founded))

    def keys_of_a_person(self, user_id: UUID, *, reading: Reading) -> list[UUID]:
        rows = reading.rows("SELECT subject_id FROM subject_keys WHERE person_id = $1", user_id)
        return [subject_id for [subject_id] in rows]

    def invitations_ever_to(
        self, user_id: UUID, email_hashes: Mapping[bytes, datetime | None], *, reading: Reading
    ) -> list[UUID]:
        rows = reading.rows(_EVER_TO, user_id, list(email_hashes), list(email_hashes.values()))
        return [invitation_id for [invitation_id] in rows]

    def invitations_pending_from(self, user_id: UUID, *, since: datetime | None = None, reading: Reading) -> list[UUID]:
        return [invitation_id for [invitation_id] in reading.rows(_PENDING_FROM, user_id, since)]

    def rows_of_a_person(self, user_id: UUID, *, reading: Reading) -> list[Blanked]:
        return [
            Blanked(one.table, key, version, one.columns)
            for one in EMPTIED
            for key, version in reading.rows(_showing(one), user_id)
        ]

    def sessions_ever_of(self, user_id: UUID, *, reading: Reading) -> list[UUID]:
        rows = reading.rows("SELECT session_id FROM session_list WHERE user_id = $1", user_id)
        return [session_id for [session_id] in rows]

    def pictures_of(self, subject_ids: Collection[UUID], *, reading: Reading) -> int:
        sql = "SELECT count(*) FROM pictures WHERE owner_id = ANY($1) AND link IS NOT NULL"
        [[kept]] = reading.rows(sql, list(subject_ids))
        return int(kept)


def rows_of_a_person(emptied: Emptied) -> str:
    """The keys of all its rows of a person `$1`, whatever they show."""
    return f"SELECT r.{emptied.table.key} FROM {emptied.table.name} r WHERE {emptied.theirs}"


def _showing(emptied: Emptied) -> str:
    """Its rows of a person `$1` that show something, with their versions."""
    shown = " OR ".join(f"r.{column} IS NOT NULL" for column in emptied.columns)
    return _SHOWING.format(key=emptied.table.key, table=emptied.table.name, theirs=emptied.theirs, shown=shown)
