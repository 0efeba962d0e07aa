"""The program `daybook`: its commands, and how each of them says that it will not go on."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import sys
import time
from typing import Annotated

import psycopg
import typer
from rich.console import Console

from api.settings import Settings
from api.version import VERSION
from domain.clock import now
from domain.store.conflicts import StoreUnavailable
from domain.store.migrate import printed_grants

from . import erasure, history, mail, organizations, people, sessions
from .configured import configured
from .database import APPLICATION_ROLE, Database, DatabaseBusy, Prepared, database, prepare
from .outages import Lasting
from .rebuild import rebuild
from .refusal import WontStart, first_line
from .secret_file import secret_of
from .verify import verify

app = typer.Typer(no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


def _tell_version(wanted: bool) -> None:
    if wanted:
        print(f"daybook {VERSION}")
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[
        bool, typer.Option("--version", help="Say which release this is.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    """User accounts whose every change is an event."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on (DAYBOOK_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on (DAYBOOK_PORT).")] = None,
    workers: Annotated[int | None, typer.Option(help="How many server processes (DAYBOOK_WORKERS).")] = None,
    data_dir: Annotated[str | None, typer.Option(help="Where data is kept (DAYBOOK_DATA_DIR).")] = None,
    show: Annotated[bool, typer.Option("--open", help="Show /docs in a browser once it is ready.")] = False,
    as_json: Json = False,
) -> None:
    """Run everything: the database if none is given, migrations, and the workers, until Ctrl-C or SIGTERM."""
    given = {"HOST": host, "PORT": port, "WORKERS": workers, "DATA_DIR": data_dir}
    # workers read their settings from the environment, so what is said here is said there
    os.environ.update({f"DAYBOOK_{name}": str(value) for name, value in given.items() if value is not None})
    # here, since no other command needs what serving needs
    from .serve import serve as serve_until_signalled

    serve_until_signalled(configured(), show=show, as_json=as_json)


@app.command()
def migrate(
    print_grants: Annotated[bool, typer.Option(help="Only print the rights of the application's role.")] = False,
    role: Annotated[str, typer.Option(help="The application's role, for --print-grants.")] = APPLICATION_ROLE,
    as_json: Json = False,
) -> None:
    """Bring the database up to this release, as the role that owns its tables (DAYBOOK_OWNER_DATABASE_URL)."""
    if print_grants:
        text = printed_grants(role)
        print(json.dumps({"sql": text}) if as_json else text, end="\n" if as_json else "")
        return
    known = configured()
    if known.database_url is None:
        secret_of(known)
    with database(known) as found:
        prepared = _prepared(found, known)
    if as_json:
        print(json.dumps({"applied": prepared.applied, "new": prepared.new}))
        return
    if prepared.new:
        print("There was no Daybook in this database: a new log begins.")
    print("\n".join(f"applied {name}" for name in prepared.applied) or "nothing to apply")


def _prepared(found: Database, settings: Settings) -> Prepared:
    """Once others let go of what is changed, and however long that takes; who they are is said once a minute."""
    waiting = Lasting()
    while True:
        try:
            return prepare(found, settings, founding=True)
        except DatabaseBusy as busy:
            if waiting.goes_on(time.monotonic(), now()):
                _on_standard_error(f"{busy} Waiting for them.")


app.command()(history.replay)
app.command()(history.tail)
app.command()(rebuild)
app.command()(verify)
app.command()(erasure.erase)
people.app.command("close")(erasure.erase)
app.add_typer(people.app, name="user")
app.add_typer(sessions.app, name="session")
app.add_typer(organizations.app, name="organization")
app.add_typer(mail.app, name="mail")
app.add_typer(erasure.app, name="erasures")


def main() -> None:
    """The `daybook` program: one clear sentence and exit code 1 if it cannot start, or if its database goes away."""
    # ends as Ctrl-C does: a database that a command started is stopped
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    # what the driver's pool says of a database that goes away, this says in one sentence
    logging.getLogger("psycopg").addHandler(logging.NullHandler())
    if isinstance(sys.stdout, io.TextIOWrapper):
        # people are called what they are called, whatever the terminal can show
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        _require_text(sys.argv)
        app(prog_name="daybook")
    except WontStart as reason:
        told = str(reason)
    except psycopg.OperationalError as error:
        told = f"The database stopped answering: {first_line(error)}."
    except psycopg.Error as error:
        # never its text, which quotes what it was given
        told = f"The database refused ({type(error).__name__})."
    except StoreUnavailable:
        told = "The database stopped answering."
    else:
        return
    _on_standard_error(told)
    raise SystemExit(1)


def _require_text(arguments: list[str]) -> None:
    """Raises WontStart for what is no text in any encoding of ours: it could be stored nowhere."""
    for place, argument in enumerate(arguments):
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise WontStart(f"Argument {place} is not UTF-8.") from None


def _on_standard_error(told: str) -> None:
    Console(stderr=True, highlight=False).print(told, style="red", markup=False, soft_wrap=True)
