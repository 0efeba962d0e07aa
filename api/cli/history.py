"""The command line's windows on the history: `daybook replay`, `daybook tail`."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import psycopg
import typer
from msgspec import DecodeError
from rich.console import Console
from rich.text import Text

from api.edge.wire_time import to_wire
from domain.clock import now
from domain.events.catalogue import UnknownEvent
from domain.events.codec import Encoded, commitment_in, personal_fields
from domain.store import Store
from domain.store.connections import connection_arguments, open_pool
from domain.store.log import BEFORE_THE_FIRST, LogEntry, entries_after, head, position_at
from domain.store.sequencer import CHANNEL
from projections import INLINE
from projections.trails.replay import JournalBehind, NoStory, Step, fields_of, story

from .configured import configured
from .database import keyring_of, reached
from .refusal import WontStart

_LATEST = 10
"""Entries that `tail` begins with."""
_FULL_BATCH = 1_000
_LOOK_EVERY = 0.25
"""Seconds between looks without a notification: a LISTEN connection can die without a word."""
_AWAY = 0.5
_ROWS_SHOWN = 20
"""Of one section of a state, to people; JSON has them all."""
_SEALED = "(sealed)"
"""What stands for the personal part of an event."""

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def replay(
    user: Annotated[UUID | None, typer.Option(help="The person whose story it is.")] = None,
    organization: Annotated[UUID | None, typer.Option(help="The organization whose story it is.")] = None,
    session: Annotated[UUID | None, typer.Option(help="The session whose story it is.")] = None,
    until: Annotated[str | None, typer.Option(metavar="MOMENT", help="Up to a moment: ISO 8601, with a zone.")] = None,
    position: Annotated[int | None, typer.Option(min=0, help="Up to a position of the log.")] = None,
    as_json: Json = False,
) -> None:
    """Tell what happened to a person, an organization or a session, step by step, with what was true after each."""
    if sum(one is not None for one in (user, organization, session)) != 1:
        raise WontStart("Whose story? Give one of --user, --organization and --session.")
    if until is not None and position is not None:
        raise WontStart("Give --until or --position, not both.")
    moment = None if until is None else _moment(until)
    with _opened_store() as store:
        last = _last_position(store, moment, position)
        console = Console(highlight=False)
        try:
            for step in story(store, user_id=user, organization_id=organization, session_id=session, position=last):
                if as_json:
                    print(json.dumps(_step(step)))
                else:
                    console.print(_block(step), soft_wrap=True)
        except (NoStory, JournalBehind) as reason:
            raise WontStart(str(reason)) from reason


def tail(
    start: Annotated[
        int | None, typer.Option("--from", min=0, max=2**62, help="Begin at this position of the log.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the log as it grows, until Ctrl-C or SIGTERM: what is public of each event, nothing of persons."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    console = Console(highlight=False)
    try:
        with reached(configured()) as found:
            # a database that only this command runs is nobody's to write to
            for entry in _log(found.application_url, start, growing=found.embedded is None):
                if as_json:
                    print(json.dumps(_entry(entry) | {"fields": _plain(_public(entry))}), flush=True)
                else:
                    console.print(_line(entry), soft_wrap=True)
        print("No Daybook runs on this data folder, so the log does not grow.", file=sys.stderr)
    except KeyboardInterrupt:
        return


@contextmanager
def _opened_store() -> Iterator[Store]:
    settings = configured()
    with reached(settings) as found:
        keyring = keyring_of(found, settings)
        with open_pool(found.application_url, size=1, name="daybook-replay") as pool:
            yield Store(pool, keyring, INLINE)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise WontStart(f"--until {text!r} is not a moment as ISO 8601 writes it, like 2026-03-14T12:00Z.") from None
    if moment.tzinfo is None:
        raise WontStart(f"--until {text!r} does not say in which zone: add Z, or an offset like +01:00.")
    if moment > now():
        raise WontStart(f"--until {text!r} is yet to come.")
    return moment


def _last_position(store: Store, moment: datetime | None, position: int | None) -> int:
    with store.pool.connection() as connection:
        newest = head(connection)
    if position is not None and position > newest:
        raise WontStart(f"The log has not come to position {position}: its head is {newest}.")
    last = newest if position is None else position
    if moment is not None:
        last = position_at(store.statements, moment)
    if last == BEFORE_THE_FIRST:
        raise WontStart("Nothing was in the log then." if moment is not None else "There is nothing in the log yet.")
    return last


def _log(conninfo: str, start: int | None, *, growing: bool) -> Iterator[LogEntry]:
    """The entries from a position on, or the latest and all that follow; waits while the database is away."""
    position = None if start is None else start - 1
    while True:
        try:
            with psycopg.connect(conninfo, **connection_arguments("daybook-tail", conninfo)) as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                if position is None:
                    position = max(head(connection) - _LATEST, BEFORE_THE_FIRST)
                while True:
                    entries = entries_after(connection, position, _FULL_BATCH)
                    for entry in entries:
                        yield entry
                        position = entry.position
                    if len(entries) < _FULL_BATCH:
                        if not growing:
                            return
                        list(connection.notifies(timeout=_LOOK_EVERY, stop_after=1))
        except (psycopg.OperationalError, psycopg.errors.FeatureNotSupported):
            # the second is what a statement ends with that was prepared before a migration
            if not growing:
                raise
            time.sleep(_AWAY)


def _public(entry: LogEntry) -> dict[str, Any] | None:
    """The fields of an event without its personal ones; None if this release cannot read it."""
    try:
        event = entry.event()
        sealed = commitment_in(Encoded(entry.body, None)) is not None
    except (UnknownEvent, DecodeError):
        return None
    return fields_of(event) | dict.fromkeys(personal_fields(type(event)), _SEALED if sealed else None)


def _entry(entry: LogEntry) -> dict[str, Any]:
    return {
        "position": entry.position,
        "recorded_at": to_wire(entry.recorded_at),
        "at": to_wire(entry.at),
        "event": entry.name,
        "stream_id": entry.stream_id.hex,
        "version": entry.version,
        "actor": {"kind": entry.actor_kind, "id": _plain(entry.actor_id)},
        "session_id": _plain(entry.session_id),
    }


def _step(step: Step) -> dict[str, Any]:
    come_from = {"ip_address": step.ip_address, "user_agent": step.user_agent}
    return _entry(step.entry) | come_from | {"fields": _plain(step.fields), "state": _plain(step.state)}


def _plain(value: Any) -> Any:
    """As JSON has it: ids of 32 hex digits, moments as on the wire."""
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return to_wire(value)
    if isinstance(value, dict):
        return {_plain(key): _plain(one) for key, one in value.items()}
    return value


def _line(entry: LogEntry) -> Text:
    text = Text()
    text.append(f"{entry.position:>6}", "bold").append(f"  {to_wire(entry.recorded_at)}  ", "dim")
    text.append(f"{_word(entry.name):<27}", "cyan").append(f"  {entry.stream_id.hex} v{entry.version}  ", "dim")
    return text.append(f"{_actor(entry)}  ").append(_words(_public(entry)))


def _block(step: Step) -> Text:
    entry = step.entry
    text = Text()
    text.append(f"{entry.position} ", "bold").append(_word(entry.name), "cyan")
    text.append(f"  {entry.stream_id.hex} v{entry.version}, recorded {to_wire(entry.recorded_at)}\n", "dim")
    text.append(f"  {to_wire(entry.at)} by {_actor(entry)}")
    if entry.session_id is not None:
        text.append(f" through session {entry.session_id.hex}")
    come_from = [_word(one) for one in (step.ip_address, step.user_agent) if one]
    if come_from:
        text.append(f" from {' with '.join(come_from)}")
    text.append(f"\n  {_words(step.fields)}\n")
    for name, section in step.state.items():
        _append_section(text, name, section, entry.stream_id)
    return text


def _append_section(text: Text, name: str, section: dict[Any, Any] | None, stream_id: UUID) -> None:
    """A line for each row, the one of this stream marked; what a row does not name is null."""
    by_id = section is not None and all(isinstance(key, UUID) for key in section)
    rows = list((section or {}).values()) if by_id else [section]
    for number, row in enumerate(rows):
        changed = row is not None and next(iter(row.values())) == stream_id
        if changed or number >= len(rows) - _ROWS_SHOWN:
            said = None if row is None else {key: value for key, value in row.items() if value is not None}
            text.append(f"  {'>' if changed else ' '} {name:<13} {_words(said)}\n", "" if changed else "dim")
    if len(rows) > _ROWS_SHOWN:
        text.append(f"    {name:<13} {len(rows)} in all\n", "dim")


def _actor(entry: LogEntry) -> str:
    return _word(entry.actor_kind) if entry.actor_id is None else f"{_word(entry.actor_kind)} {entry.actor_id.hex}"


def _words(values: dict[str, Any] | None) -> str:
    return "-" if values is None else " ".join(f"{_word(name)}={_word(value)}" for name, value in values.items())


def _word(value: Any) -> str:
    """Safe to show: a name may hold what a terminal takes for a command, or what turns the direction of writing."""
    plain = _plain(value)
    if isinstance(plain, str) and plain and plain.isprintable() and not set(plain) & set(' "\\'):
        return plain
    text = json.dumps(plain, ensure_ascii=False)
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
