"""Bringing the log and its followers to the head, as the background process does while a server runs."""

from __future__ import annotations

import psycopg

from domain.store.connections import connection_arguments
from domain.store.sequencer import sequence
from projections import FOLLOWERS
from projections.maintenance.follow import begin, follow
from tests.databases import Database


def caught_up(database: Database) -> None:
    """Every committed event is in the log, and every follower has taken it in or set it aside."""
    with psycopg.connect(database.application_url, **connection_arguments("tests")) as connection:
        for follower in FOLLOWERS:
            begin(connection, follower)
        while sequence(connection):
            pass
        for follower in FOLLOWERS:
            while follow(connection, follower):
                pass
