"""A large organization, one of ten, and as many memberships elsewhere; each person has two."""

from __future__ import annotations

import os
from typing import NamedTuple

from tests.databases import Database
from tests.faults.organizations.races import Person, Place, founded, people
from tests.lived import context_over

MEMBERS = int(os.environ.get("LARGE_ORGANIZATION_MEMBERS", "20000"))
SMALL = 10

_PERSON = "('00000000-0000-0001-0000-' || lpad(to_hex(n), 12, '0'))::uuid"
_OTHER = "('00000000-0000-0003-0000-' || lpad(to_hex(n), 12, '0'))::uuid"
_ORGANIZATION = "('00000000-0000-0002-0000-' || lpad(to_hex(n / 10), 12, '0'))::uuid"
_FILL = (
    f"""
    CREATE TEMP TABLE made AS
    SELECT n, gen_random_uuid() AS membership_id, {_PERSON} AS user_id,
           timestamptz '2026-03-14 12:00Z' + n * interval '1 second' AS at
      FROM generate_series(1, %s) n
    """,
    """
    INSERT INTO account_list (user_id, version, email_hash, email, name, created_at, updated_at)
    SELECT user_id, 1, '', 'person' || n || '@example.com',
           CASE WHEN mod(n, 1000) = 0 THEN 'Zoë' ELSE 'Ada' END || ' Number-' || n, at, at
      FROM made
    """,
    """
    INSERT INTO subject_keys (subject_id, person_id, wrapped)
    SELECT made.user_id, made.user_id, k.wrapped FROM subject_keys k, made WHERE k.subject_id = %s
    """,
    # as the founder's own, but for whose it is
    """
    INSERT INTO commands (command_id, at, actor_kind, actor_id, session_id, subject_id, body, sealed)
    SELECT made.membership_id, made.at, c.actor_kind, c.actor_id, c.session_id, c.subject_id, c.body, c.sealed
      FROM events e JOIN commands c USING (command_id), made WHERE e.stream_id = %s AND e.version = 1
    """,
    """
    INSERT INTO events (stream_id, version, name, command_id, body)
    SELECT made.membership_id, 1, e.name, made.membership_id,
           convert_to(replace(convert_from(e.body, 'UTF8'), own.user_id::text, made.user_id::text), 'UTF8')
      FROM member_list own JOIN events e ON e.stream_id = own.membership_id AND e.version = 1, made
     WHERE own.membership_id = %s
    """,
    """
    INSERT INTO member_list (membership_id, version, organization_id, user_id, live_user_id, role, joined_at)
    SELECT made.membership_id, 1, own.organization_id, made.user_id, made.user_id,
           CASE WHEN mod(n, 1000) = 0 THEN 'admin' ELSE 'member' END, made.at
      FROM member_list own, made WHERE own.membership_id = %s
    """,
    # as many others, ten in each of their organizations
    f"""
    INSERT INTO account_list (user_id, version, email_hash, email, name, created_at, updated_at)
    SELECT {_OTHER}, 1, '', 'other' || n || '@example.com', 'Ida Number-' || n, at, at FROM made
    """,
    f"""
    INSERT INTO member_list (membership_id, version, organization_id, user_id, live_user_id, role, joined_at)
    SELECT gen_random_uuid(), 1, {_ORGANIZATION}, {_OTHER}, {_OTHER}, 'member', at FROM made
    """,
    f"""
    INSERT INTO organization_list (organization_id, version, name, slug, slug_slot, created_at)
    SELECT DISTINCT {_ORGANIZATION}, 1, 'Other', 'other-' || n / 10, ('other-' || n / 10)::bytea, now() FROM made
    """,
    f"""
    INSERT INTO invitation_list (invitation_id, version, organization_id, email_hash, role, status, inviter_id,
                                 link_hash, created_at, expires_at)
    SELECT gen_random_uuid(), 2, {_ORGANIZATION}, sha256(n::text::bytea), 'member', 'accepted', {_OTHER},
           sha256(n::text::bytea), at, at
      FROM made
    """,
)


class World(NamedTuple):
    """A large organization and one of ten, of the same owner and with the same people to do something with."""

    owner: Person
    admin: Person
    member: Person
    outsider: Person
    large: Place
    small: Place


def built(database: Database) -> World:
    """Both organizations, and as many memberships elsewhere."""
    with context_over(database) as context:
        keyring = context.keyring
        owner, admin, member, outsider, *others = people(context, 4 + SMALL - 3)
        large = founded(context, owner, admin=[admin], member=[member])
        small = founded(context, owner, admin=[admin], member=[member, *others])
    database.rows("SET statement_timeout = 0")
    made, accounts, keys, commands, events, members, *elsewhere = _FILL
    database.rows(made, MEMBERS - 3)
    database.rows(accounts)
    database.rows(keys, owner.user_id)
    for [person] in database.rows("SELECT subject_id FROM subject_keys ORDER BY subject_id LIMIT 5"):
        # the log is asked whether the keys of its oldest people open
        database.rows(
            "UPDATE subject_keys SET wrapped = %s WHERE subject_id = %s", keyring.new_subject_key(person), person
        )
    for theirs in (commands, events, members):
        database.rows(theirs, large.memberships[owner])
    for statement in elsewhere:
        database.rows(statement)
    database.rows("VACUUM ANALYZE")
    return World(owner, admin, member, outsider, large, small)
