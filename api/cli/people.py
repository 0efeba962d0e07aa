"""The command line about people: `daybook user create`."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console

from domain.clock import now
from domain.commands.context import Context
from domain.commands.user import create_user
from domain.email_address import LONGEST
from domain.ids import new_token
from domain.passwords import Passwords
from domain.refusals import EmailTaken, MalformedEmail
from domain.store import Store
from domain.store.connections import open_pool
from projections import INLINE
from projections.lookups import ListLookups

from .configured import configured
from .database import keyring_of, reached
from .refusal import WontStart

app = typer.Typer(help="People who have an account.", no_args_is_help=True)

_LONGEST_NAME = 200

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@app.command()
def create(
    email: Annotated[str, typer.Option(help="The address the person signs in with.")],
    name: Annotated[str, typer.Option(help="What the person is called.")] = "",
    as_json: Json = False,
) -> None:
    """Open an account for somebody, also where only invited people may, and print a password for it, once."""
    if len(name) > _LONGEST_NAME:
        raise WontStart(f"A name has {_LONGEST_NAME} characters at most.")
    password, settings = new_token(), configured()
    with reached(settings) as found:
        keyring = keyring_of(found, settings)
        passwords = Passwords(
            settings.argon2,
            threads=1,
            waiting=0,
            shortest=settings.password_minimum_length,
            strength=settings.strength,
        )
        with open_pool(found.application_url, size=1, name="daybook-user") as pool:
            store = Store(pool, keyring, INLINE)
            context = Context(
                store=store,
                lookups=ListLookups(store.statements),
                keyring=keyring,
                passwords=passwords,
                lifetimes=settings.lifetimes,
            )
            try:
                user_id = create_user(context, email=email, name=name, password=password, now=now())
            except EmailTaken:
                raise WontStart("This address has an account.") from None
            except MalformedEmail:
                raise WontStart(f"This is no address that is accepted (at most {LONGEST} characters).") from None
            finally:
                passwords.close()
    if as_json:
        print(json.dumps({"id": user_id.hex, "password": password}))
        return
    console = Console(highlight=False, soft_wrap=True, markup=False)
    console.print(f"Opened the account {user_id.hex}.")
    console.print(f"Password, shown this once: {password}")
    console.print("Whoever signs in with it should change it.")
