"""The database of the command line: an embedded one or the operator's, migrated and fit to be served from."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from api.settings import SHORTEST_SECRET, Settings
from domain.chance import new_token
from domain.events.keys import Keyring, WrongSecret
from domain.store.connections import Values, connection_arguments
from domain.store.migrate import NotMigrated, migrate, require_migrated
from domain.store.requirements import UnfitDatabase, open_keyring, require_durable

from .embedded import DatabaseWontStart, EmbeddedPostgres

APPLICATION_ROLE = "daybook"
OWNER_ROLE = "postgres"


class WontStart(Exception):
    """Why nothing was started, in one sentence for the operator."""


@dataclass
class Database:
    """A database that answers: how the application reaches it, and how its owner does."""

    application_url: str
    owner_url: str | None
    embedded: EmbeddedPostgres | None = None

    def keep_running(self, wanted: Callable[[], bool]) -> bool:
        """Start the embedded server again if it died, for as long as it is `wanted`; whether it had died.

        Raises DatabaseWontStart.
        """
        if self.embedded is None or self.embedded.running():
            return False
        self.embedded.start(wanted=wanted)
        return True

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
        owner_url = embedded.conninfo(OWNER_ROLE)
        with connected(owner_url) as connection:
            _create_application_role(connection)
        yield Database(embedded.conninfo(APPLICATION_ROLE), owner_url, embedded)
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
        beside = None if settings.database_url is not None else _beside(EmbeddedPostgres(settings.data_dir), patience)
    except DatabaseWontStart as error:
        raise WontStart(str(error)) from error
    if beside is not None:
        yield beside
        return
    with database(settings) as found:
        _refuse_unmigrated(found)
        yield found


@contextmanager
def connected(url: str) -> Iterator[Connection[Values]]:
    """A connection for setting up. Raises WontStart if the server does not let us in."""
    try:
        connection = psycopg.connect(url, **connection_arguments("daybook-setup"))
    except psycopg.ProgrammingError:
        # its message quotes the setting, and with it a password
        raise WontStart("DAYBOOK_DATABASE_URL or DAYBOOK_OWNER_DATABASE_URL is not a PostgreSQL address.") from None
    except psycopg.Error as error:
        raise WontStart(f"The database does not answer: {first_line(error)}.") from error
    with connection:
        # a migration may take longer than any statement of the service, and another node may be at it
        connection.execute("SET statement_timeout = 0")
        connection.execute("SET lock_timeout = 0")
        yield connection


def prepare(found: Database) -> list[str]:
    """Refuse a database that may lose data, and migrate it; the names of what was applied. Raises WontStart."""
    try:
        # a role may have settings of its own, so the one that serves is asked too
        with connected(found.application_url) as connection:
            require_durable(connection)
        with connected(found.owner_url or found.application_url) as connection:
            require_durable(connection)
            try:
                return migrate(connection, application_role=found.application_role)
            except psycopg.errors.InsufficientPrivilege:
                require_migrated(connection)
                return []
    except UnfitDatabase as error:
        raise WontStart(str(error)) from error
    except NotMigrated as error:
        raise WontStart(
            f"The database lacks migrations ({error}) and this role may not apply them:"
            " run `daybook migrate` with DAYBOOK_OWNER_DATABASE_URL."
        ) from error


def require_secret(found: Database, secret: str) -> None:
    """The secret must be the one this database was set up with. Raises WontStart."""
    _opened(found, secret)


def keyring_of(found: Database, settings: Settings) -> Keyring:
    """The data keys of a database there already is, opened with its secret, which is never made here.

    Raises WontStart if there is no secret, or if it is another than this database was set up with.
    """
    return _opened(found, _known_secret(settings).get_secret_value())


def secret_of(settings: Settings) -> SecretStr:
    """The secret that was set or, for the embedded database, one that is generated once and kept beside it.

    Raises WontStart.
    """
    if settings.secret is None and settings.database_url is None:
        _keep_a_secret(_secret_file(settings))
    return _known_secret(settings)


def first_line(error: psycopg.Error) -> str:
    """What the database or the driver said, without the full stop."""
    return (str(error).strip().splitlines() or ["no reason given"])[0].rstrip(".")


def _beside(embedded: EmbeddedPostgres, patience: float) -> Database | None:
    """The database of the Daybook that runs on the folder, once it is fit to be asked; None if none runs there."""
    deadline = time.monotonic() + patience
    while embedded.taken():
        try:
            return _attached(embedded)
        except WontStart:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)
    if not embedded.created():
        raise WontStart(f"There is no Daybook in {embedded.folder} yet: run scripts/serve first.")
    return None


def _attached(embedded: EmbeddedPostgres) -> Database:
    # without its word we might meet a stranger's server: anybody can put a folder in the place of the socket's
    if not embedded.ready():
        raise WontStart(f"A Daybook is running on the data folder {embedded.folder}, but its database is not ready.")
    found = Database(embedded.conninfo(APPLICATION_ROLE), embedded.conninfo(OWNER_ROLE))
    _refuse_unmigrated(found)
    return found


def _refuse_unmigrated(found: Database) -> None:
    try:
        with connected(found.application_url) as connection:
            require_migrated(connection)
    except NotMigrated as error:
        raise WontStart(
            f"The database lacks migrations ({error}): start `daybook serve` of this release or run `daybook migrate`."
        ) from error
    except psycopg.OperationalError as error:
        raise WontStart(f"The database does not answer: {first_line(error)}.") from error


def _opened(found: Database, secret: str) -> Keyring:
    with connected(found.application_url) as connection:
        try:
            return open_keyring(connection, secret)
        except WrongSecret:
            raise WontStart("DAYBOOK_SECRET is not the one this database was set up with.") from None


def _known_secret(settings: Settings) -> SecretStr:
    if settings.secret is not None:
        return settings.secret
    if settings.database_url is not None:
        raise WontStart("DAYBOOK_SECRET must be set (32 characters or more) when DAYBOOK_DATABASE_URL is.")
    file = _secret_file(settings)
    with _usable(file.parent):
        if not file.exists():
            raise WontStart(f"The secret is missing: set DAYBOOK_SECRET as for `daybook serve`, or put {file} back.")
        kept = file.read_text()
    if len(kept) < SHORTEST_SECRET:
        raise WontStart(f"The secret in {file} is incomplete: put back the one this data was made with.")
    return SecretStr(kept)


def _secret_file(settings: Settings) -> Path:
    return settings.data_dir / "secret"


def _keep_a_secret(file: Path) -> None:
    with _usable(file.parent):
        if not file.exists():
            _keep_secret(file, new_token() + new_token())


@contextmanager
def _usable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WontStart(f"The data folder {folder} cannot be used: {error.strerror}.") from error


def _keep_secret(file: Path, secret: str) -> None:
    """Whole or not at all: a crash must not leave a shorter one behind, under which data would then be sealed."""
    unfinished = file.with_suffix(".new")
    with open(os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as kept:
        kept.write(secret)
        kept.flush()
        os.fsync(kept.fileno())
    unfinished.rename(file)
    folder = os.open(file.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _create_application_role(connection: Connection[Values]) -> None:
    if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (APPLICATION_ROLE,)).fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(APPLICATION_ROLE)))
