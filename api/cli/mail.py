"""The command line about mail: what it says (`daybook mail preview`), and what was not sent (`list`, `retry`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console

from api.deliveries.mail_texts import MailTexts
from api.deliveries.mail_values import EXAMPLES
from api.deliveries.template_files import TemplateUnusable
from api.edge.wire_time import to_wire
from domain.clock import now
from domain.store.connections import Statements, open_pool
from projections.deliveries import ended
from projections.deliveries import waiting as waits
from projections.deliveries.due import named
from projections.deliveries.ended import GivenUp
from projections.deliveries.waiting import Waiting

from .configured import configured
from .database import reached
from .refusal import WontStart

app = typer.Typer(help="What mail says, what of it waits, and what was given up.", no_args_is_help=True)

_READER = "bo@example.com"
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@app.command()
def preview(
    kind: Annotated[str, typer.Argument(metavar="KIND", help=f"One of {', '.join(EXAMPLES)}.")],
    as_html: Annotated[bool, typer.Option("--html", help="The HTML alone, for a file or a browser.")] = False,
    as_text: Annotated[bool, typer.Option("--text", help="The text alone.")] = False,
    as_json: Json = False,
) -> None:
    """Show what a mail says, with made-up names and the texts there are (DAYBOOK_MAIL_TEMPLATES); nothing is sent."""
    if kind not in EXAMPLES:
        raise WontStart(f"{kind!r} is no kind of mail; there are: {', '.join(EXAMPLES)}.")
    if as_html + as_text + as_json > 1:
        raise WontStart("One of --html, --text and --json.")
    settings = configured()
    try:
        texts = MailTexts(settings.mail_templates)
        texts.require_usable()
    except TemplateUnusable as error:
        raise WontStart(str(error)) from error
    sender = settings.mail_sender
    mail = texts.written(EXAMPLES[kind][0], name=f"{kind}.preview", sender=sender, recipient=_READER, at=now())
    if as_json:
        print(json.dumps({"kind": kind, "subject": mail.subject, "text": mail.text, "html": mail.html}))
    elif as_html:
        print(mail.html, end="")
    elif as_text:
        print(mail.text, end="")
    else:
        print(f"Subject: {mail.subject}\n\n{mail.text}", end="")


@app.command("list")
def list_not_sent(
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many at most.")] = 1_000,
    waiting: Annotated[bool, typer.Option("--waiting", help="Those that wait, next to be tried first.")] = False,
    as_json: Json = False,
) -> None:
    """List what was given up, longest ago first: which message, how often it was tried, since when, and why it failed
    the last time; or with --waiting what is still tried, and when next.
    """
    with _statements() as statements:
        # one more than is shown, to know whether there are more
        found: Sequence[GivenUp | Waiting] = (
            waits.waiting(statements, limit=limit + 1) if waiting else ended.given_up(statements, limit=limit + 1)
        )
    shown, more = found[:limit], len(found) > limit
    if as_json:
        print(json.dumps({"waiting" if waiting else "givenUp": [_plain(one) for one in shown], "more": more}))
        return
    console = Console(highlight=False, soft_wrap=True, markup=False)
    for one in shown:
        console.print(_in_a_line(one))
    if more:
        which = "to be tried next" if waiting else "longest ago"
        console.print(f"And more: these are the {limit} {which}; --limit shows as many as you say.")
    if not shown:
        console.print("Nothing waits." if waiting else "Nothing was given up.")


@app.command()
def retry(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="As `list` says them.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Everything that waits or was given up.")] = False,
    as_json: Json = False,
) -> None:
    """Have messages tried again that were given up, as if they had just become due, and those now that wait."""
    if every == bool(names):
        raise WontStart("Name messages or give --all, not both." if every else "Which message? NAME, or --all.")
    wanted = [_named(name) for name in dict.fromkeys(names or [])]
    with _statements() as statements:
        retried = _retry_all(statements) if every else sum(_retry(statements, *one) for one in wanted)
    if as_json:
        print(json.dumps({"retried": retried}))
    else:
        print(f"{retried} to be tried again")
    if retried < len(wanted):
        raise WontStart(f"{len(wanted) - retried} of these neither wait nor were given up.")


def _retry(statements: Statements, kind: str, stream_id: UUID, version: int) -> bool:
    message = (kind, stream_id, version)
    return waits.try_now(statements, *message) or ended.retry(statements, *message)


def _retry_all(statements: Statements) -> int:
    return waits.try_all_now(statements) + ended.retry_all(statements)


@contextmanager
def _statements() -> Iterator[Statements]:
    with reached(configured()) as found, open_pool(found.application_url, size=1, name="daybook-mail") as pool:
        yield Statements(pool)


def _named(name: str) -> Any:
    try:
        return named(name)
    except ValueError:
        raise WontStart(f"{name!r} is no message's name, like invitation.018f….1: see `daybook mail list`.") from None


def _in_a_line(one: GivenUp | Waiting) -> str:
    since = f"{one.name}  {one.attempts} attempts since {to_wire(one.first_due_at)}"
    next_at = f", next at {to_wire(one.due_at)}" if isinstance(one, Waiting) else ""
    return f"{since}{next_at}" + (f": {one.reason}" if one.reason else "")


def _plain(one: GivenUp | Waiting) -> dict[str, Any]:
    when = {"nextTryAt": to_wire(one.due_at)} if isinstance(one, Waiting) else {"givenUpAt": to_wire(one.ended_at)}
    return {
        "name": one.name,
        "kind": one.kind,
        "streamId": one.stream_id.hex,
        "version": one.version,
        "attempts": one.attempts,
        "firstDueAt": to_wire(one.first_due_at),
        **when,
        "reason": one.reason,
    }
