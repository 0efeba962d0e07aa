"""An address that somebody asked to change to may be another person's: only who asked has it, sealed (decision 48)."""

from __future__ import annotations

from api.cli.embedded import EmbeddedPostgres
from domain.commands.email import request_email_change
from tests.api.dumps import dump, found
from tests.domain.commands.going import ADAS, Town
from tests.keeping import caught_up


def test_an_erased_persons_address_that_another_wanted_is_in_no_dump(town: Town, cluster: EmbeddedPostgres) -> None:
    ada, bo, _ = town.ada_lives()
    request_email_change(town.context, town.by(bo), email=ADAS, callback_url="")
    town.goes(ada)
    caught_up(town.database)
    assert found([ADAS, ADAS.upper()], dump(town.database, cluster)) == []
