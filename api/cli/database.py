"""The database of the command line: an embedded one or the operator's, migrated and fit to be served from."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict

from api.settings import Settings
from domain.events.keys import Keyring, WrongSecret
from domain.ids import random_bytes
from domain.store.connections import Values, connection_arguments
from domain.store.migrate import MigrationWaits, NotMigrated, holds_log, migrate, newer_steps, require_migrated
from domain.store.requirements import (
    NoKeyYet,
    UnfitDatabase,
    make_first_key,
    needs_first_key,
    open_keyring,
    require_fitting,
)

from .embedded import DatabaseWontStart, EmbeddedPostgres
from .not_let_in import has_wrong_port, lasting_reason
from .refusal import WontStart, first_line
from .secret_file import known_secret, whose_secret

APPLICATION_ROLE = "daybook"
OWNER_ROLE = "postgres"


class DatabaseAway(WontStart):
    """The database does not answer; it may yet."""


class DatabaseBusy(DatabaseAway):
    """Others hold what a migration changes; they will not for ever."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What was done before serving: the migrations that were `applied`, and whether the log is `new`.

    `newer` are those that a newer release has applied, and that this one works with.
    """

    applied: tuple[str, ...]
    new: bool
    newer: tuple[str, ...] = ()


@dataclass
class Database:
    """A database that answers: how the application reaches it, and how its owner does."""

    application_url: str
    owner_url: str | None
    embedded: EmbeddedPostgres | None = None

    @property
    def application_role(self) -> str | None:
        """The role that serves, if it is another than the owner of the tables."""
        if self.owner_url is None:
            return None
        return str(conninfo_to_dict(self.application_url).get("user") or os.environ.get("PGUSER", ""))


@contextmanager
def database(settings: Settings) -> Iterator[Database]:
    """The database of these settings while it is used. Raises WontStart."""
    if settings.database_url is not None:
        yield Database(settings.database_url, settings.owner_database_url)
        return
    embedded = EmbeddedPostgres(settings.data_dir)
    try:
        embedded.start()
    except DatabaseWontStart as error:
        raise WontStart(str(error)) from error
    try:
        found = Database(embedded.conninfo(APPLICATION_ROLE), embedded.conninfo(OWNER_ROLE), embedded)
        with suppress(DatabaseAway):
            # on a starved machine it may need longer to answer: then it is for who prepares it
            _create_application_role(found)
        yield found
    finally:
        embedded.stop()


@contextmanager
def reached(settings: Settings, patience: float = 5.0) -> Iterator[Database]:
    """The migrated database of these settings, for a command that may run beside `daybook serve`. Raises WontStart.

    Where a Daybook runs on the data folder, its embedded database is used and left alone; while that is being started,
    it is waited for, `patience` seconds at most. Where none runs, the database is started for as long as it is used,
    but never created.
    """
    try:
        beside = None if settings.database_url is not None else _beside(settings, patience)
    except DatabaseWontStart as error:
        raise WontStart(str(error)) from error
    if beside is not None:
        yield beside
        return
    with database(settings) as found:
        _refuse_unmigrated(found, settings)
        yield found


@contextmanager
def connected(url: str) -> Iterator[Connection[Values]]:
    """A connection for setting up. Raises WontStart if the server does not let us in."""
    try:
        if has_wrong_port(url):
            raise WontStart("DAYBOOK_DATABASE_URL or DAYBOOK_OWNER_DATABASE_URL names a port that is none.")
        connection = psycopg.connect(url, **connection_arguments("daybook-setup", url))
    except psycopg.ProgrammingError:
        # its message quotes the setting, and with it a password
        raise WontStart("DAYBOOK_DATABASE_URL or DAYBOOK_OWNER_DATABASE_URL is not a PostgreSQL address.") from None
    except psycopg.Error as error:
        if reason := lasting_reason(error):
            raise WontStart(f"The database does not let us in: {reason}.") from error
        raise DatabaseAway(f"The database does not answer: {first_line(error)}.") from error
    with connection:
        # setting up may take longer than any statement of the service
        connection.execute("SET statement_timeout = 0")
        connection.execute("SET lock_timeout = 0")
        yield connection


def prepare(found: Database, settings: Settings, *, founding: bool) -> Prepared:
    """Refuse a database that may lose data or is not meant, migrate it, and see that its keys are this secret's.

    `founding` allows a new log in a database of one's own: a mistyped address must not become an empty service. One
    is migrated only then, or as the owner. Raises WontStart, DatabaseAway while nobody answers, DatabaseBusy.
    """
    if found.embedded is not None:
        _create_application_role(found)
    with _refused(settings), connected(found.application_url) as serving:
        # a role may have settings of its own, so the one that serves is asked too
        require_fitting(serving)
        if found.owner_url is None:
            return _prepared(found, settings, serving, serving, founding)
        with connected(found.owner_url) as owner:
            _require_same_database(serving, owner)
            require_fitting(owner)
            return _prepared(found, settings, serving, owner, founding)


def keyring_of(found: Database, settings: Settings) -> Keyring:
    """The data keys of a database there already is, opened with its secret, which is never made here.

    Raises WontStart if there is no secret, or if it is another than this database was set up with.
    """
    secret = known_secret(settings)
    with _refused(settings), connected(found.application_url) as connection:
        return open_keyring(connection, secret)


def _beside(settings: Settings, patience: float) -> Database | None:
    """The database of the Daybook that runs on the folder, once it is fit to be asked; None if none runs there."""
    embedded = EmbeddedPostgres(settings.data_dir)
    deadline = time.monotonic() + patience
    while embedded.taken():
        try:
            return _attached(embedded, settings)
        except WontStart:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)
    if not embedded.created():
        raise WontStart(f"There is no Daybook in {embedded.folder} yet: run scripts/serve first.")
    return None


def _attached(embedded: EmbeddedPostgres, settings: Settings) -> Database:
    # without its word we might meet a stranger's server: anybody can put a folder in the place of the socket's
    if not embedded.ready():
        raise WontStart(f"A Daybook is running on the data folder {embedded.folder}, but its database is not ready.")
    found = Database(embedded.conninfo(APPLICATION_ROLE), embedded.conninfo(OWNER_ROLE))
    _refuse_unmigrated(found, settings)
    return found


def _refuse_unmigrated(found: Database, settings: Settings) -> None:
    try:
        with _refused(settings), connected(found.application_url) as connection:
            require_migrated(connection)
            if found.owner_url is not None:
                with connected(found.owner_url) as owner:
                    _require_same_database(connection, owner)
    except NotMigrated as error:
        raise WontStart(
            f"The database lacks migrations ({error}): start `daybook serve` of this release or run `daybook migrate`."
        ) from error


@contextmanager
def _refused(settings: Settings) -> Iterator[None]:
    """What makes a database unfit, as the sentence that ends the command."""
    try:
        yield
    except UnfitDatabase as error:
        raise WontStart(str(error)) from error
    except MigrationWaits as waits:
        raise DatabaseBusy(f"Others hold what a migration changes: {str(waits) or 'they are gone already'}.") from None
    except WrongSecret:
        raise WontStart(f"{whose_secret(settings)} is not the one this database was set up with.") from None
    except psycopg.OperationalError as error:
        raise DatabaseAway(f"The database does not answer: {first_line(error)}.") from error


def _prepared(
    found: Database, settings: Settings, serving: Connection[Values], owner: Connection[Values], founding: bool
) -> Prepared:
    own, new = found.embedded is not None, not holds_log(owner)
    if new and not (own or founding):
        raise WontStart(
            f"There is no Daybook in the database {owner.info.dbname}: correct DAYBOOK_DATABASE_URL or, if a new log"
            " shall begin there, run `daybook migrate`."
        )
    # a command that only migrates need not know the secret of a log that has its key
    secret = known_secret(settings) if own or new or not founding or settings.secret is not None else None
    may = own or founding or found.owner_url is not None
    # while a migration waits for a lock, others wait for it
    owner.execute("SET lock_timeout = '5s'")
    applied = _migrated(owner, role=serving.info.user, may=may)
    try:
        if needs_first_key(owner):
            make_first_key(owner, secret or known_secret(settings))
    except psycopg.errors.InsufficientPrivilege:
        raise NoKeyYet from None
    if secret is not None:
        open_keyring(serving, secret)
    return Prepared(applied=tuple(applied), new=new, newer=tuple(newer_steps(owner)))


def _migrated(connection: Connection[Values], *, role: str, may: bool) -> list[str]:
    try:
        if not may:
            require_migrated(connection)
            return []
        try:
            return migrate(connection, application_role=role)
        except psycopg.errors.InsufficientPrivilege:
            require_migrated(connection)
            return []
    except NotMigrated as error:
        not_allowed = "this role may not apply them" if may else "only the owner's role applies them"
        raise WontStart(
            f"The database lacks migrations ({error}), and {not_allowed}:"
            " run `daybook migrate` with DAYBOOK_OWNER_DATABASE_URL."
        ) from error


def _require_same_database(serving: Connection[Values], owner: Connection[Values]) -> None:
    """A lock taken in one database is seen in that one only, by any role and through any pooler. Raises WontStart."""
    number = int.from_bytes(random_bytes(8), signed=True)
    serving.execute("SELECT pg_advisory_lock(%s)", (number,))
    try:
        if owner.execute("SELECT pg_try_advisory_lock(%s)", (number,)).fetchone() != (False,):
            raise WontStart(
                "DAYBOOK_OWNER_DATABASE_URL and DAYBOOK_DATABASE_URL lead to two databases"
                f" ({owner.info.dbname}, {serving.info.dbname}): nothing was changed in either."
            )
    finally:
        serving.execute("SELECT pg_advisory_unlock(%s)", (number,))


def _create_application_role(found: Database) -> None:
    with connected(found.owner_url or found.application_url) as owner:
        if owner.execute("SELECT FROM pg_roles WHERE rolname = %s", (APPLICATION_ROLE,)).fetchone() is None:
            owner.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(APPLICATION_ROLE)))
