"""What the trails tell of somebody who was erased: that there was one, and what they did, on every side."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from domain.commands.erasure import erase_person
from domain.commands.principal import Operator
from domain.store import Store
from projections.trails.activity import Selection, of_a_person, of_an_organization
from projections.trails.cursor import Cursor
from projections.trails.names import Reader
from projections.trails.narrator import Narrator
from projections.trails.replay import ERASED, story
from tests.api.dumps import found
from tests.databases import Database
from tests.domain.commands.going import ADAS, BOS, HER_WORDS, Town
from tests.keeping import caught_up
from tests.lived import context_over


@pytest.fixture
def town(database: Database) -> Iterator[Town]:
    with context_over(database) as context:
        yield Town(context, database)


def trail(town: Town, organization_id: UUID) -> list[str]:
    """What the organization is told, newest first."""
    caught_up(town.database)
    store: Store = town.context.store
    selection = Selection(organization_id=organization_id)
    page = of_an_organization(store.statements, selection, before=Cursor.of(""), limit=100)
    entries = Narrator(store, lambda _: "", page.entries, reader=Reader(organization_id=organization_id)).rendered()
    assert not {"ada", "Ada"} & {word for one in entries for word in (one.actor, one.person, one.actor_email)}
    return [one.text for one in entries]


def journal(town: Town, user_id: UUID) -> list[str]:
    """What a person is told, newest first."""
    caught_up(town.database)
    store: Store = town.context.store
    page = of_a_person(store.statements, town.context.keyring, user_id, before=Cursor.of(""), limit=100)
    return [one.text for one in Narrator(store, lambda _: "", page.entries, reader=Reader(user_id=user_id)).rendered()]


def test_an_organization_is_told_what_a_removed_person_did_and_that_they_left(town: Town) -> None:
    ada, bo = town.signs_up(ADAS, "Ada"), town.signs_up(BOS, "Bo")
    acme = town.founds(bo, "Acme", "acme")
    town.takes_in(bo, acme, ada, "admin")
    town.invites(ada, acme, "cy@example.com")
    town.goes(ada)
    assert trail(town, acme) == [
        "A removed person left “Acme”. A removed person took the invitation of “cy@example.com” to “Acme” back.",
        "A removed person invited “cy@example.com” to “Acme” as member.",
        "A removed person joined “Acme” as admin.",
        "“Bo” invited somebody to “Acme” as admin.",
        "“Bo” founded “Acme”.",
    ]
    assert "You invited somebody to “Acme” as admin." in journal(town, bo)


def test_of_who_was_only_invited_no_name_is_told(town: Town) -> None:
    ada, bo = town.signs_up(ADAS, "Ada"), town.signs_up(BOS, "Bo")
    acme = town.founds(bo, "Acme", "acme")
    town.invites(bo, acme, ADAS)
    town.goes(ada)
    assert trail(town, acme)[0] == "An invitation to “Acme” is over: the account of who was invited was deleted."


def test_what_an_operator_did_is_told_as_such(town: Town) -> None:
    ada, bo = town.signs_up(ADAS, "Ada"), town.signs_up(BOS, "Bo")
    acme = town.founds(bo, "Acme", "acme")
    town.takes_in(bo, acme, ada)
    erase_person(town.context, Operator(at=town.now), user_id=ada)
    assert trail(town, acme)[0] == "A removed person left “Acme”."


def test_an_organization_that_was_called_after_somebody_is_not_in_any_trail_any_more(town: Town) -> None:
    ada, bo = town.signs_up(ADAS, "Ada"), town.signs_up(BOS, "Bo")
    hers = town.personal(ada)
    town.takes_in(ada, hers, bo, "owner")
    assert journal(town, bo)[0] == "You joined “Ada's Organization” as owner."
    town.goes(ada)
    told = trail(town, hers)
    assert told[0] == "A removed person left “Organization”. A removed person renamed another name to “Organization”."
    assert journal(town, bo)[0] == "You joined “Organization” as owner."
    assert not [one for one in (*told, *journal(town, bo)) if "Ada" in one]


def test_replay_marks_what_was_erased_and_tells_the_end(town: Town) -> None:
    ada, _, _ = town.ada_lives()
    town.goes(ada)
    caught_up(town.database)
    steps = list(story(town.context.store, user_id=ada, position=head(town)))
    assert steps[0].fields is not None
    assert steps[0].fields["email"] == steps[0].fields["name"] == ERASED
    [last] = [one for one in steps if one.entry.name == "PersonErased"]
    assert (last.fields, last.state["account"]["email"]) == ({"epoch": 1}, None)
    assert found(HER_WORDS, repr([(one.fields, one.state) for one in steps]).encode()) == []


def head(town: Town) -> int:
    position: int = town.database.value("SELECT max(position) FROM log")
    return position
