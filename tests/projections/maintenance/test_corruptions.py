"""Each kind of hand in the log that verify can know of is named by it; the others are named in docs/running.md."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from random import Random  # noqa: TID251  seeded: the same chances in every run
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.commands.invitation import invite
from domain.commands.organization import found_organization, update_organization
from domain.commands.principal import PersonBySession
from domain.commands.received_invitation import accept
from domain.commands.user import update_user
from domain.store.connections import connection_arguments
from domain.store.mapper import SealingMapper
from projections.maintenance.structure import structure
from projections.maintenance.verify import verify
from tests.databases import Database
from tests.keeping import caught_up
from tests.lived import Lives, context_over

PER_KIND = int(os.environ.get("CORRUPTIONS_PER_KIND", "1"))
TABLES, ADDED = "the tables are as the migrations make them", "nothing is added to the tables but indexes"
RIGHTS, LACKING = (
    "nobody but the owner may do more than the application has to",
    "the application may do what it has to",
)
COMMITMENT, READABLE = "what was stored matches its commitment", "what was stored can be read"
OWNERS, GONE = "each key is whose the events say", "each key that is gone was destroyed by an erasure"
ONE = "(SELECT {column} FROM {table} WHERE {where} ORDER BY md5({column}::text || '{salt}') LIMIT 1)"


def some(column: str, table: str, where: str = "true") -> str:
    """Some row, another one with each salt."""
    return ONE.replace("{column}", column).replace("{table}", table).replace("{where}", where)


SEALED_NAME = some("stream_id", "events", "name = 'NameChanged'")
USER, ORGANIZATION = some("user_id", "account_list"), some("organization_id", "organization_list")
INVITATION = some("invitation_id", "invitation_list", "status = 'accepted'")
SESSION = some("session_id", "session_list")
ZERO = UUID(int=0)
KINDS: dict[str, tuple[str, str]] = {
    # whose a key is
    "a person's key is another's": (
        f"UPDATE subject_keys SET person_id = gen_random_uuid() WHERE subject_id = {USER}",
        OWNERS,
    ),
    "a person's key is nobody's": (f"UPDATE subject_keys SET person_id = NULL WHERE subject_id = {USER}", OWNERS),
    "an accepted invitation's key is another's": (
        f"UPDATE subject_keys SET person_id = gen_random_uuid() WHERE subject_id = {INVITATION}",
        OWNERS,
    ),
    "an accepted invitation's key is nobody's": (
        f"UPDATE subject_keys SET person_id = NULL WHERE subject_id = {INVITATION}",
        OWNERS,
    ),
    "an organization's key is somebody's": (
        "UPDATE subject_keys SET person_id = gen_random_uuid() WHERE subject_id IN"
        " (SELECT organization_id FROM organization_list WHERE personal_organization IS NULL)",
        OWNERS,
    ),
    "a personal organization's key is nobody's": (
        "UPDATE subject_keys SET person_id = NULL WHERE subject_id IN"
        " (SELECT organization_id FROM organization_list WHERE personal_organization IS NOT NULL)",
        OWNERS,
    ),
    "a key got lost": (f"UPDATE subject_keys SET wrapped = NULL WHERE subject_id = {USER}", GONE),
    "an organization's key got lost": (
        f"UPDATE subject_keys SET wrapped = NULL WHERE subject_id = {ORGANIZATION}",
        GONE,
    ),
    # constraints and indexes
    "an address may be taken twice": ("ALTER TABLE account_list DROP CONSTRAINT email_taken", TABLES),
    "two invitations may be pending": ("ALTER TABLE invitation_list DROP CONSTRAINT one_pending", TABLES),
    "one may be a member twice": ("ALTER TABLE member_list DROP CONSTRAINT already_member", TABLES),
    "a slug may be taken twice": ("ALTER TABLE organization_list DROP CONSTRAINT slug_taken", TABLES),
    "events have no key": ("ALTER TABLE events DROP CONSTRAINT stream_moved_on", TABLES),
    "the log has no order": ("ALTER TABLE log DROP CONSTRAINT log_pkey", TABLES),
    "a column may be empty": ("ALTER TABLE commands ALTER COLUMN body DROP NOT NULL", TABLES),
    "an index is gone": ("DROP INDEX journal_of_a_person", TABLES),
    "a default is another": ("ALTER TABLE account_list ALTER COLUMN session_epoch SET DEFAULT 7", TABLES),
    "a table is forgotten at a crash": ("ALTER TABLE subject_keys SET UNLOGGED", TABLES),
    "rows are refused that are not": ("CREATE UNIQUE INDEX only_one ON account_list (user_id, version)", ADDED),
    "rows are hidden": ("ALTER TABLE events ENABLE ROW LEVEL SECURITY", TABLES),
    "numbers are drawn in steps": ("ALTER SEQUENCE queue_arrival_seq INCREMENT BY 7", TABLES),
    "rows come from another table": ("CREATE TABLE public.more () INHERITS (attempts)", ADDED),
    "a column is added": ("ALTER TABLE events ADD COLUMN note text", ADDED),
    # rights
    "the application may rewrite": ("GRANT UPDATE, DELETE ON events TO daybook", RIGHTS),
    "the application may rewrite a column": ("GRANT UPDATE (body) ON commands TO daybook", RIGHTS),
    "everybody may read": ("GRANT SELECT ON credentials TO PUBLIC", RIGHTS),
    "the application owns a table": ("ALTER TABLE events OWNER TO daybook", RIGHTS),
    "everybody may make tables": ("GRANT CREATE ON SCHEMA daybook TO PUBLIC", RIGHTS),
    "a procedure is there": ("CREATE PROCEDURE quietly() LANGUAGE sql AS 'DELETE FROM queue'", ADDED),
    "an aggregate is there": ("CREATE AGGREGATE quietly(integer) (SFUNC = int4pl, STYPE = integer)", ADDED),
    "an operator is there": ("CREATE OPERATOR === (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = uuid_eq)", ADDED),
    "the application may not write": ("REVOKE INSERT ON log FROM daybook", LACKING),
    # what keeps the log append-only
    "the trigger lets all through": (
        "CREATE OR REPLACE FUNCTION refuse_to_rewrite() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RETURN coalesce(NEW, OLD); END $$",
        TABLES,
    ),
    "the trigger is off": ("ALTER TABLE events DISABLE TRIGGER append_only", "the log is append-only"),
    "the trigger is gone": ("DROP TRIGGER append_only ON log", "the log is append-only"),
    "another trigger is there": (
        "CREATE TRIGGER quietly BEFORE INSERT ON journal FOR EACH ROW EXECUTE FUNCTION refuse_to_rewrite()",
        ADDED,
    ),
    "a rule drops what is written": ("CREATE RULE quietly AS ON INSERT TO attempts DO INSTEAD NOTHING", ADDED),
    # what happened is something else
    "a name was changed, not a picture": (
        f"UPDATE events SET name = 'ImageChanged' WHERE name = 'NameChanged' AND stream_id = {SEALED_NAME}",
        READABLE,
    ),
    "sealed and commitment are gone": (
        "UPDATE events SET sealed = NULL,"
        "       body = convert_to((convert_from(body, 'UTF8')::jsonb - 'commitment')::text, 'UTF8')"
        f" WHERE name = 'NameChanged' AND stream_id = {SEALED_NAME}",
        COMMITMENT,
    ),
    "an event of nobody knows what": (
        f"UPDATE events SET name = 'PhoneNumberAdded' WHERE stream_id = {SESSION} AND version = 1",
        "each event has a name that is known",
    ),
    "an event is gone": (
        f"DELETE FROM events WHERE stream_id = {USER} AND version = 1",
        "each entry of the log has its event",
    ),
    "a command is gone": (
        f"DELETE FROM commands WHERE command_id = {some('command_id', 'events')}",
        "each event has its command",
    ),
    "a command nobody gave": (
        "INSERT INTO commands"
        " SELECT gen_random_uuid(), at, actor_kind, actor_id, session_id, acting_for, NULL, body, NULL"
        " FROM commands LIMIT 1",
        "each command has an event",
    ),
    "a box was opened up": (
        "UPDATE events SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)"
        f" WHERE stream_id = {USER} AND version = 1",
        READABLE,
    ),
    "somebody else did it": (
        f"UPDATE commands SET actor_id = gen_random_uuid() WHERE command_id = {some('command_id', 'commands')}",
        COMMITMENT,
    ),
    "somebody else did it, and the record agrees": (
        f"UPDATE commands SET actor_id = '{ZERO}',"
        f" body = convert_to(replace(convert_from(body, 'UTF8'), actor_id::text, '{ZERO}'), 'UTF8')"
        f" WHERE command_id = {some('command_id', 'commands', 'sealed IS NOT NULL AND actor_id IS NOT NULL')}",
        READABLE,
    ),
    "an invitation offered more": (
        "UPDATE events SET body = convert_to(replace(convert_from(body, 'UTF8'), 'admin', 'owner'), 'UTF8')"
        " WHERE name = 'InvitationSent'",
        READABLE,
    ),
    "an event belongs to another's act": (
        "UPDATE events SET command_id ="
        f" (SELECT command_id FROM events WHERE name = 'NameChanged' AND stream_id <> {USER} LIMIT 1)"
        f" WHERE stream_id = {USER} AND version = 1",
        READABLE,
    ),
    # order
    "a gap in the log": (
        f"DELETE FROM log WHERE position = {some('position', 'log', 'position < (SELECT max(position) FROM log)')}",
        "positions of the log are contiguous",
    ),
    "a time that goes back": (
        "UPDATE log SET recorded_at = recorded_at - interval '1 day' WHERE position ="
        f" {some('position', 'log', 'position > 0')}",
        "times of the log never go back",
    ),
    "a time that lies ahead": (
        "UPDATE log SET recorded_at = now() + interval '1 day' WHERE position = (SELECT max(position) FROM log)",
        "no time of the log lies ahead",
    ),
    "arrivals begin anew": ("ALTER TABLE queue ALTER COLUMN arrival RESTART WITH 1", "arrivals are counted on"),
    "what is in the log waits once more": (
        f"INSERT INTO queue (stream_id, version) VALUES ({SESSION}, 1)",
        "no event waits that is in the log or not there",
    ),
    "a delivery is of no event": (
        "INSERT INTO deliveries (kind, stream_id, version) VALUES ('invitation', gen_random_uuid(), 1)",
        "each delivery is of an event in the log",
    ),
    "a follower is ahead": ("UPDATE followers SET position = position + 100", "no follower is ahead of the log"),
    # passwords and migrations
    "two have one password": (
        "UPDATE credentials SET hash = (SELECT min(hash) FROM credentials)",
        "no two people have one password hash",
    ),
    "a password of another version": (
        f"UPDATE credentials SET password_version = 9 WHERE user_id = {USER}",
        "each password hash is of its account's version",
    ),
    "a migration was never applied": (
        "DELETE FROM migrations WHERE number = 3",
        "the migrations that were applied are those of this release",
    ),
    "a data key is gone": ("DELETE FROM data_keys", "each key of a subject is wrapped by a known data key"),
}
OF_THE_SERVER: dict[str, str] = {
    "another may write": "CREATE ROLE another; GRANT INSERT ON events TO another",
    "another may change a column": "CREATE ROLE another; GRANT UPDATE (hash) ON credentials TO another",
    "the application is its own owner": "GRANT postgres TO daybook",
    "the application may write everything": "GRANT pg_write_all_data TO daybook",
    "no trigger fires": "ALTER DATABASE {database} SET session_replication_role = replica",
    "no trigger fires for the application": "ALTER ROLE daybook SET session_replication_role = replica",
}
"""What stands outside the database, and so is never committed here."""
_numbers = count(1)


@pytest.fixture(scope="module")
def lives(module_database: Database) -> Iterator[Lives]:
    """Some people, their sessions, an organization, an invitation that was accepted; then nobody is connected."""
    with context_over(module_database) as context:
        lives = Lives(context, Random(7))
        for _ in range(4):
            lives.somebody_signs_up()
        people = module_database.rows(
            "SELECT s.session_id, s.user_id, a.email FROM session_list s JOIN account_list a USING (user_id)"
        )
        for number, (session_id, user_id, _) in enumerate(people):
            command = lives_command(lives, user_id, session_id)
            update_user(context, command, name=f"Another {number}", image=None)
        (session_id, user_id, _), (other_session, other, email), *_ = people
        organization_id, _ = found_organization(
            context, lives_command(lives, user_id, session_id), name="Acme", slug="acme", logo=None, metadata=None,
            turning=False,
        )  # fmt: skip
        update_organization(
            context,
            lives_command(lives, user_id, session_id),
            organization_id=organization_id,
            changes={"name": "Works"},
        )
        invitation_id = invite(
            context, lives_command(lives, user_id, session_id), organization_id=organization_id, email=email,
            role="admin", resend=False,
        )  # fmt: skip
        accept(context, lives_command(lives, other, other_session), link=context.keyring.invitation_link(invitation_id))
        caught_up(module_database)
        yield lives


def lives_command(lives: Lives, user_id: Any, session_id: Any) -> PersonBySession:
    return PersonBySession(user_id=user_id, session_id=session_id, at=lives.now, where_from=lives.somewhere())


def found(database: Database, lives: Lives) -> set[str]:
    """The rules that are broken, and the tables whose rows differ."""
    mapper = SealingMapper(lives.context.keyring)
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        result = verify(connection, mapper, lambda *_: None)
    with psycopg.connect(database.owner_url, **connection_arguments("tests")) as owner:
        result.findings += structure(owner, "daybook")
    return {one.rule for one in result.findings} | {one.table for one in result.tables if one.differing}


def test_what_nobody_touched_is_whole(module_database: Database, lives: Lives) -> None:
    assert found(module_database, lives) == set()


def test_an_operator_may_add_an_index(module_database: Database, lives: Lives) -> None:
    module_database.rows("CREATE INDEX of_my_own ON account_list (created_at)")
    assert found(module_database, lives) == set()
    module_database.rows("DROP INDEX of_my_own")


def test_there_are_more_than_twenty_five_kinds() -> None:
    assert len(KINDS) > 25


@pytest.mark.parametrize("salt", range(PER_KIND))
@pytest.mark.parametrize("kind", KINDS)
def test_a_corruption_is_found(module_database: Database, lives: Lives, kind: str, salt: int) -> None:
    sql, rule = KINDS[kind]
    with module_database.copied(f"corrupted_{next(_numbers)}") as database:
        database.rows("SET session_replication_role = replica")
        database.rows(sql.replace("{salt}", str(salt)).encode())  # type: ignore[arg-type]  # made of the words above
        assert rule in found(database, lives)


def rights_after(database: Database, statements: str) -> set[str]:
    """The rules that are broken once these are done, which they then never were."""
    with (
        psycopg.connect(database.owner_url, **connection_arguments("tests")) as owner,
        owner.transaction(force_rollback=True),
    ):
        for statement in statements.format(database=database.name).split("; "):
            owner.execute(statement.encode())
        return {one.rule for one in structure(owner, "daybook")}


@pytest.mark.parametrize("kind", OF_THE_SERVER)
def test_a_way_around_the_rights_is_found(module_database: Database, lives: Lives, kind: str) -> None:
    assert rights_after(module_database, OF_THE_SERVER[kind]) == {RIGHTS}


def test_the_owner_may_let_others_read(module_database: Database, lives: Lives) -> None:
    reading = "CREATE ROLE another; GRANT USAGE ON SCHEMA daybook TO another; GRANT SELECT ON account_list TO another"
    assert rights_after(module_database, reading) == set()
