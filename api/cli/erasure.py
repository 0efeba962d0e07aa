"""The command line about people who shall be forgotten: `daybook erase`, and the register of those who are."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console

from api.edge.limiting.of_a_person import counters_of
from domain import erasure_certificate
from domain.clock import now
from domain.commands.context import Context
from domain.commands.erasure import addresses_hashed, erase_person, foreseen
from domain.commands.principal import Operator
from domain.email_address import canonical
from domain.erasure_certificate import Certified, NoCertificate
from domain.passwords import Passwords
from domain.refusals import LastOwner, SubjectGone
from domain.store import Store
from domain.store.conflicts import retry_on_conflict
from domain.store.connections import connect, open_pool
from domain.store.erasures import Erasure, erasure_of, erasures
from domain.store.sequencer import sequence
from projections import INLINE
from projections.lookups import ListLookups

from . import reapplying
from .configured import configured
from .database import keyring_of, reached
from .refusal import WontStart

app = typer.Typer(help="Who was erased: certified, and again after a restore.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Closing = Annotated[
    bool,
    typer.Option("--close-organizations", help="Also close what others belong to, where nobody else owns it."),
]
_ONLY_OWNER = (
    "They are the only owner of an organization that others belong to: have it made over to one of them, or give"
    " --close-organizations."
)
_PATIENCE, _LOOK_AGAIN = 20.0, 0.05
"""Seconds: until the log is taken to stand still, and between two looks at it."""


def erase(
    email: Annotated[str | None, typer.Option(help="Whose account has this address.")] = None,
    user: Annotated[str | None, typer.Option(help="Whose account has this id.")] = None,
    closing: Closing = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    as_json: Json = False,
) -> None:
    """Delete somebody's account for good, with all that was personal of it. Says first what that will take."""
    if (email is None) == (user is None):
        raise WontStart("Whom? Give --email or --user, one of them.")
    with commands() as context:
        user_id = _account_of(context, email) if email is not None else _id_in(user or "")
        try:
            effects = retry_on_conflict(foreseen)(context, user_id, closing=closing).effects
            if not yes:
                _ask(user_id, effects)
            counted = partial(counters_of, context.keyring)
            erase_person(context, Operator(at=now()), user_id=user_id, counters=counted, closing=closing)
        except SubjectGone:
            raise WontStart("There is no such account.") from None
        except LastOwner:
            raise WontStart(_ONLY_OWNER) from None
        certificate = certificate_of(context, user_id)
    if certificate is None:
        raise WontStart(
            f"Erased {user_id.hex}. The log does not have it yet: the certificate is in `daybook erasures export` once"
            " it has."
        )
    if as_json:
        print(json.dumps({"effects": dict(effects), "certificate": json.loads(certificate)}))
        return
    _console().print(f"Erased {user_id.hex}. Certificate:")
    print(certificate)


@app.command()
def export() -> None:
    """Print who was erased, one line of JSON each: the certificate, and what it takes to erase them once more.

    Ids, times, numbers and keyed hashes. To be kept apart from the backups, for `daybook erasures reapply`.
    """
    with commands() as context:
        found = _in_the_log(context, lambda: erasures(context.store.statements))
        if found is None:
            raise WontStart("The log does not have all of them yet: nothing was printed, call again in a moment.")
        for one in found:
            hashes = sorted(hashed.hex() for hashed in addresses_hashed(context, one.user_id))
            print(json.dumps({"certificate": json.loads(_certificate(context, one)), "addresses": hashes}))


@app.command()
def reapply(
    file: Annotated[Path, typer.Argument(help="What `daybook erasures export` printed.")],
    closing: Closing = False,
    as_json: Json = False,
) -> None:
    """Erase again, in a database restored from an older backup, who is there again. Twice is as once."""
    lines = _lines_of(file)
    with commands() as context:
        try:
            told = reapplying.reapply(context, lines, closing=closing)
        except NoCertificate:
            raise WontStart(f"{file} holds a line that this Daybook has not certified: nothing was done.") from None
    if as_json:
        print(json.dumps(dict(told)))
    else:
        _console().print(f"{told['erased']} erased again, {told['absent']} are not there (any more).")
        _console().print(f"{told['invitations']} invitations to addresses of theirs forgotten.")
    if told["refused"]:
        raise WontStart(f"{told['refused']} left. {_ONLY_OWNER}")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A certificate, or what `daybook erasures export` printed.")],
    key: Annotated[str | None, typer.Option("--public-key", help="Check by this key, without a database.")] = None,
) -> None:
    """Check certificates: each was signed by this Daybook and is as it was."""
    lines = _lines_of(file)
    if key is None:
        with commands() as context:
            key = erasure_certificate.public_key(context.keyring)
    for number, line in enumerate(lines, 1):
        try:
            said = erasure_certificate.check(json.dumps(line.get("certificate", line)), key)
        except NoCertificate:
            raise WontStart(f"Line {number} of {file} is no certificate of this Daybook, or was changed.") from None
        _console().print(f"{said.user_id.hex} was erased at {said.erased_at:%Y-%m-%d %H:%M:%S} UTC.")


@app.command("key")
def print_key() -> None:
    """Print the public key by which certificates can be checked without a database."""
    with commands() as context:
        print(erasure_certificate.public_key(context.keyring))


@contextmanager
def commands() -> Iterator[Context]:
    """What commands work with, over the database of the settings."""
    settings = configured()
    with reached(settings) as found:
        keyring = keyring_of(found, settings)
        passwords = Passwords(settings.argon2, threads=1, waiting=0)
        with open_pool(found.application_url, size=2, name="daybook-erasure") as pool:
            store = Store(pool, keyring, INLINE)
            try:
                yield Context(
                    store=store,
                    lookups=ListLookups(store.statements),
                    keyring=keyring,
                    passwords=passwords,
                    lifetimes=settings.lifetimes,
                )
            finally:
                passwords.close()


def certificate_of(context: Context, user_id: UUID) -> str | None:
    """That of somebody who was erased; None if the log still does not have it after a while."""

    def theirs() -> list[Erasure]:
        erasure = erasure_of(context.store.statements, user_id)
        assert erasure is not None, "they were erased a moment ago"
        return [erasure]

    found = _in_the_log(context, theirs)
    return None if found is None else _certificate(context, found[0])


def _certificate(context: Context, erasure: Erasure) -> str:
    if erasure.certificate is not None:
        return erasure.certificate
    assert erasure.position is not None, "of what is in the log"
    certified = Certified(
        user_id=erasure.user_id,
        erased_at=erasure.erased_at,
        position=erasure.position,
        touched=erasure.rows_touched,
    )
    return erasure_certificate.issue(context.keyring, certified)


def _in_the_log(context: Context, found: Callable[[], list[Erasure]]) -> list[Erasure] | None:
    """What is found, once all of it has its place in the log; None if it still has none after a while.

    What was committed is moved there. While another node is at it, nothing can be moved from here.
    """
    conninfo, until = context.store.pool.conninfo, time.monotonic() + _PATIENCE
    assert isinstance(conninfo, str), "our pools are made with one"
    with connect(conninfo, "daybook-erasure-log") as connection:
        while True:
            while sequence(connection):
                pass
            those = found()
            if all(one.position is not None for one in those):
                return those
            if time.monotonic() > until:
                return None
            time.sleep(_LOOK_AGAIN)


def _account_of(context: Context, email: str) -> UUID:
    address = canonical(email)
    account = None if address is None else context.lookups.account_by_email(context.keyring.email_hash(address))
    if account is None:
        raise WontStart("No account has this address.")
    return account.person.user_id


def _id_in(text: str) -> UUID:
    try:
        return UUID(hex=text)
    except ValueError:
        raise WontStart(f"{text!r} is no id of an account.") from None


def _ask(user_id: UUID, effects: Mapping[str, int]) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    console.print(f"The account {user_id.hex} will be deleted, and what was personal of it, for good:")
    for what, told in _EFFECTS.items():
        console.print(f"  {told}: {effects.get(what, 0)}")
    if not sys.stdin.isatty():
        raise WontStart("Nothing was done: give --yes.")
    if typer.prompt("Type yes to do it", err=True).strip().lower() != "yes":
        raise WontStart("Nothing was done.")


_EFFECTS = {
    "sessions": "sessions, all that there ever were",
    "memberships": "organizations they leave",
    "organizations": "organizations that close",
    "invitations to the person": "invitations to their addresses, forgotten",
    "invitations from the person": "invitations of theirs, taken back",
}


def _lines_of(file: Path) -> list[dict[str, Any]]:
    try:
        lines = [json.loads(line) for line in file.read_text().splitlines() if line.strip()]
    except (OSError, ValueError):
        raise WontStart(f"{file} cannot be read as lines of JSON.") from None
    if not all(isinstance(line, dict) for line in lines):
        raise WontStart(f"{file} cannot be read as lines of JSON objects.")
    return lines


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True, markup=False)
