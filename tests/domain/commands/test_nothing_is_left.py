"""After an erasure no word of the person stands anywhere, and of each column that could hold one it is said why."""

from __future__ import annotations

from api.cli.embedded import EmbeddedPostgres
from projections.lists import (
    account_list,
    api_key_list,
    invitation_list,
    mailed_link_list,
    organization_list,
    session_list,
)
from projections.lists.of_a_person import EMPTIED
from tests.api.dumps import dump, found
from tests.databases import Database
from tests.domain.commands.going import ADAS, HER_WORDS, Town
from tests.keeping import caught_up

NO_TEXT = ("uuid", "integer", "bigint", "boolean", "timestamp with time zone")
"""Types that hold nothing that was typed, and nothing of where somebody came from."""
EMPTY = "is empty once the person is erased"
GONE = "the row is gone"
OF_OURS = "one of our own words, or a number"
HASH = "a keyed hash, or one of random bits: nobody tells from it what it was made of"
SEALED = "sealed under a key that is destroyed"
PUBLIC = "ids, times, numbers, words of ours and commitments; what was typed is sealed beside it"
COLUMNS = {
    "account_list.email": EMPTY,
    "account_list.email_hash": HASH,
    "account_list.email_slot": EMPTY,
    "account_list.image": EMPTY,
    "account_list.language": EMPTY,
    "account_list.name": EMPTY,
    "api_key_list.end_reason": OF_OURS,
    "api_key_list.key_hash": HASH,
    "api_key_list.metadata": EMPTY,
    "api_key_list.name": EMPTY,
    "api_key_list.prefix": EMPTY,
    "api_key_list.scopes": OF_OURS,
    "api_key_list.start": EMPTY,
    "api_key_list.used_ip_address": EMPTY,
    "api_key_list.used_user_agent": EMPTY,
    "attempts.code": GONE,
    "attempts.command": GONE,
    "attempts.family": GONE,
    "attempts.key": GONE,
    "attempts.sealed": GONE,
    "commands.actor_kind": OF_OURS,
    "commands.body": PUBLIC,
    "commands.sealed": SEALED,
    "credentials.hash": GONE,
    "credentials.id": GONE,
    "credentials.kind": GONE,
    "data_keys.wrapped": "of no person",
    "deliveries.kind": OF_OURS,
    "deliveries.reason": OF_OURS,
    "deliveries.state": OF_OURS,
    "drift.difference": "names of columns",
    "drift.key": "an id",
    "drift.table_name": OF_OURS,
    "erased_addresses.email_hash": HASH,
    "erasures_before.certificate": "ids, times and numbers",
    "erasures.certificate": "ids, times and numbers",
    "erasures.touched": "names of tables, and numbers",
    "events.body": PUBLIC,
    "events.name": OF_OURS,
    "events.sealed": SEALED,
    "farewells.sealed": "sealed under the data key until the last message is sent, for three days at most",
    "followers.name": OF_OURS,
    "invitation_list.email": EMPTY,
    "invitation_list.email_hash": HASH,
    "invitation_list.link_hash": HASH,
    "invitation_list.pending_slot": EMPTY,
    "invitation_list.role": OF_OURS,
    "invitation_list.status": OF_OURS,
    "journal.actor_kind": OF_OURS,
    "journal.event": OF_OURS,
    "mailed_link_list.callback_url": EMPTY,
    "mailed_link_list.email_hash": HASH,
    "mailed_link_list.link_hash": HASH,
    "mailed_link_list.purpose": OF_OURS,
    "mailed_link_list.slot": OF_OURS,
    "member_list.role": OF_OURS,
    "migrations.name": OF_OURS,
    "migrations.step": OF_OURS,
    "organization_list.logo": EMPTY,
    "organization_list.metadata": EMPTY,
    "organization_list.name": EMPTY,
    "organization_list.slug": EMPTY,
    "organization_list.slug_slot": HASH,
    "pictures.link": EMPTY,
    "pictures.sealed": EMPTY,
    "rate_limits.key": "a keyed hash; those of the account and its address are gone, others last for hours",
    "session_list.end_reason": OF_OURS,
    "session_list.ip_address": EMPTY,
    "session_list.moved_ip_address": EMPTY,
    "session_list.moved_user_agent": EMPTY,
    "session_list.token_hash": HASH,
    "session_list.user_agent": EMPTY,
    "session_list.way": OF_OURS,
    "set_aside.error": "the kind of an error, never its text",
    "set_aside.follower": OF_OURS,
    "subject_keys.wrapped": EMPTY,
}
"""Every column that could hold something of a person, and what becomes of it."""


def test_of_each_column_that_could_hold_something_it_is_said_what_becomes_of_it(database: Database) -> None:
    columns = database.rows(
        "SELECT table_name || '.' || column_name FROM information_schema.columns"
        " WHERE table_schema LIKE 'daybook%%' AND data_type <> ALL(%s)",
        list(NO_TEXT),
    )
    assert {column for [column] in columns} == set(COLUMNS)


def test_each_column_of_a_list_that_is_emptied_is_named_beside_its_list() -> None:
    by_erasure = {f"{one.table.name}.{column}" for one in EMPTIED for column in one.columns}
    by_event = {
        f"{module.TABLE.name}.{column}"
        for module in (account_list, organization_list, invitation_list, session_list, mailed_link_list, api_key_list)
        for column in module.PERSONAL
    }
    slots = {"account_list.email_slot", "invitation_list.pending_slot"}
    emptied = {
        column for column, what in COLUMNS.items() if what == EMPTY and column.partition(".")[0].endswith("_list")
    }
    assert by_erasure | by_event | slots == emptied


def test_no_word_of_an_erased_person_stands_in_a_dump(town: Town, cluster: EmbeddedPostgres) -> None:
    ada, _, _ = town.ada_lives()
    caught_up(town.database)
    words = [spelled for word in HER_WORDS for spelled in (word, word.lower(), word.upper())]
    assert {ADAS, "Countess Ada", "203.0.113.77"} <= set(found(words, dump(town.database, cluster)))
    town.goes(ada)
    caught_up(town.database)
    left = dump(town.database, cluster)
    assert found(words, left) == []
    # the dump is whole, and what is of others stands there
    assert found(["bo@example.com", "someone@example.org"], left) == ["bo@example.com", "someone@example.org"]
