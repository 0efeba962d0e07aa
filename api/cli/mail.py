"""The command line about mail: what it says (`daybook mail preview`), and what could not be sent (`list`, `retry`)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console

from api.deliveries.mail_texts import MailTexts
from api.deliveries.mail_values import EXAMPLES
from api.deliveries.template_files import TemplateUnusable
from api.edge.wire_time import to_wire
from domain.clock import now
from domain.store.connections import Statements, open_pool
from projections.deliveries import ended
from projections.deliveries.due import named
from projections.deliveries.ended import GivenUp

from .configured import configured
from .database import reached
from .refusal import WontStart

app = typer.Typer(help="What mail says, and what was tried in vain and given up.", no_args_is_help=True)

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
def list_given_up(
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many at most, longest ago first.")] = 1_000,
    as_json: Json = False,
) -> None:
    """List what was given up: which message, how often it was tried, since when, and why it failed the last time."""
    with _statements() as statements:
        # one more than is shown, to know whether there are more
        found = ended.given_up(statements, limit=limit + 1)
    shown, more = found[:limit], len(found) > limit
    if as_json:
        print(json.dumps({"givenUp": [_plain(one) for one in shown], "more": more}))
        return
    console = Console(highlight=False, soft_wrap=True, markup=False)
    for one in shown:
        console.print(f"{one.name}  {one.attempts} attempts since {to_wire(one.first_due_at)}: {one.reason}")
    if more:
        console.print(f"And more: these are the {limit} longest ago; --limit shows as many as you say.")
    if not shown:
        console.print("Nothing was given up.")


@app.command()
def retry(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="As `list` says them.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Everything that was given up.")] = False,
    as_json: Json = False,
) -> None:
    """Have messages tried again that were given up, as if they had just become due."""
    if every == bool(names):
        raise WontStart("Name messages or give --all, not both." if every else "Which message? NAME, or --all.")
    wanted = [_named(name) for name in dict.fromkeys(names or [])]
    with _statements() as statements:
        retried = ended.retry_all(statements) if every else sum(ended.retry(statements, *one) for one in wanted)
    if as_json:
        print(json.dumps({"retried": retried}))
    else:
        print(f"{retried} to be tried again")
    if retried < len(wanted):
        raise WontStart(f"{len(wanted) - retried} of these had not been given up.")


@contextmanager
def _statements() -> Iterator[Statements]:
    with reached(configured()) as found, open_pool(found.application_url, size=1, name="daybook-mail") as pool:
        yield Statements(pool)


def _named(name: str) -> Any:
    try:
        return named(name)
    except ValueError:
        raise WontStart(f"{name!r} is no message's name, like invitation.018f….1: see `daybook mail list`.") from None


def _plain(one: GivenUp) -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind,
        "streamId": one.stream_id.hex,
        "version": one.version,
        "attempts": one.attempts,
        "firstDueAt": to_wire(one.first_due_at),
        "givenUpAt": to_wire(one.ended_at),
        "reason": one.reason,
    }
