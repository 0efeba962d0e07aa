"""The command line about people who shall be forgotten: `daybook erase`, and the register of those who are."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Collection, Mapping
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
from domain.erasure_certificate import Certified, NoCertificate
from domain.refusals import LastOwner, SubjectGone
from domain.store.conflicts import retry_on_conflict
from domain.store.connections import connect
from domain.store.erasures import Erasure, addresses_kept, certified_before, erasure_of, erasures
from domain.store.sequencer import sequence

from . import reapplying
from .operating import Email, Json, User, operating, plainly
from .refusal import WontStart

app = typer.Typer(help="Who was erased: certified, and again after a restore.", no_args_is_help=True)

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
    email: Email = None,
    user: User = None,
    closing: Closing = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    as_json: Json = False,
) -> None:
    """Delete somebody's account for good, with all that was personal of it. Says first what that will take."""
    with operating() as at_work:
        context = at_work.context
        user_id = at_work.person(email, user)
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
    plainly().print(f"Erased {user_id.hex}. Certificate:")
    print(certificate)


@app.command()
def export() -> None:
    """Print who was erased, one line of JSON each: the certificate, and what it takes to erase them once more.

    Ids, times, numbers and keyed hashes. To be kept apart from the backups, for `daybook erasures reapply`. With whom
    that was told of, also where the backup did not know them.
    """
    with operating() as at_work:
        context = at_work.context
        found = _in_the_log(context, lambda: erasures(context.store.statements))
        if found is None:
            raise WontStart("The log does not have all of them yet: nothing was printed, call again in a moment.")
        read = context.store.statements
        kept, here = addresses_kept(read), {one.user_id for one in found}
        for one in found:
            hashes = {*addresses_hashed(context, one.user_id), *kept.get(one.user_id, ())}
            print(_exported(_certificate(context, one), hashes))
        for user_id, certificate in certified_before(read).items():
            if user_id not in here:
                print(_exported(certificate, kept.get(user_id, ())))


@app.command()
def reapply(
    file: Annotated[Path, typer.Argument(help="What `daybook erasures export` printed.")],
    closing: Closing = False,
    as_json: Json = False,
) -> None:
    """Erase again, in a database restored from an older backup, who is there again. Twice is as once."""
    lines = _lines_of(file)
    with operating() as at_work:
        context = at_work.context
        try:
            told = reapplying.reapply(context, lines, closing=closing)
        except NoCertificate:
            raise WontStart(f"{file} holds a line that this Daybook has not certified: nothing was done.") from None
    if as_json:
        print(json.dumps(dict(told)))
    else:
        plainly().print(f"{told['erased']} erased again, {told['absent']} are not there (any more).")
        plainly().print(f"{told['invitations']} invitations to addresses of theirs forgotten.")
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
        with operating() as at_work:
            key = erasure_certificate.public_key(at_work.context.keyring)
    for number, line in enumerate(lines, 1):
        try:
            said = erasure_certificate.check(json.dumps(line.get("certificate", line)), key)
        except NoCertificate:
            raise WontStart(f"Line {number} of {file} is no certificate of this Daybook, or was changed.") from None
        plainly().print(f"{said.user_id.hex} was erased at {said.erased_at:%Y-%m-%d %H:%M:%S} UTC.")


@app.command("key")
def print_key() -> None:
    """Print the public key by which certificates can be checked without a database."""
    with operating() as at_work:
        print(erasure_certificate.public_key(at_work.context.keyring))


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


def _exported(certificate: str, email_hashes: Collection[bytes]) -> str:
    hashes = sorted(hashed.hex() for hashed in email_hashes)
    return json.dumps({"certificate": json.loads(certificate), "addresses": hashes})


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
    "API keys": "API keys, all that there ever were",
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
