"""Deadlines of requests: who has no time left is refused, and the server is not blamed for it."""

from __future__ import annotations

from contextvars import copy_context

import pytest

from domain.store import Store, deadlines
from domain.store.conflicts import StoreUnavailable
from tests.domain.store.entries import a_session


def test_a_request_out_of_time_neither_blames_the_server_nor_keeps_others_from_writing(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def comes_late(statement: str) -> None:
        deadlines.begin()
        store.statements.rows(statement)

    def writes_late() -> None:
        deadlines.begin()
        with store.pool.writing() as connection:
            connection.execute("SELECT pg_sleep(5)")

    monkeypatch.setattr(deadlines, "REQUEST", 0.2)
    with pytest.raises(StoreUnavailable):
        copy_context().run(comes_late, "SELECT pg_sleep(5)")
    with pytest.raises(deadlines.OutOfTime):
        copy_context().run(writes_late)
    assert [record for record in caplog.records if record.name == "daybook.unavailable"] == []
    assert a_session(store)


def test_a_server_that_had_its_time_is_one_that_does_not_answer(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines.BoundedConnection, "patience", 2.0)

    def waits() -> None:
        deadlines.begin()
        with store.pool.writing() as connection:
            connection.execute("SELECT pg_sleep(5)")

    with pytest.raises(deadlines.DeadlinePassed) as passed:
        copy_context().run(waits)
    assert not isinstance(passed.value, deadlines.OutOfTime)
