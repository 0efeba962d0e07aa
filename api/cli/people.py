"""The command line about people: `daybook user create`, `show`, `list`, `reset-password`, `change-email`, `unlock`."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from api.edge.limiting.counters import Counters
from api.edge.limiting.wrong_passwords import forget_wrong_passwords
from api.edge.wire_time import to_wire
from domain.commands.context import EmailVerification
from domain.commands.operator import change_email as change_email_of
from domain.commands.operator import set_password
from domain.commands.operator import unlock as unlock_account
from domain.commands.user import create_user
from domain.email_address import LONGEST
from domain.ids import new_token
from domain.refusals import AccountNotFound, EmailTaken, MalformedEmail, NoPassword, SameEmail
from projections.lists.all_accounts import ListedAccount, OwnMembership, account, accounts, memberships, undoable

from .operating import After, Email, Json, Limit, Operating, User, id_in, operating, plainly, typed
from .refusal import WontStart

app = typer.Typer(help="People who have an account.", no_args_is_help=True)

_LONGEST_NAME = 200
_NO_ADDRESS = f"This is no address that is accepted (at most {LONGEST} characters)."

FromInput = Annotated[
    bool, typer.Option("--stdin", help="Take the password from the first line of standard input instead of a new one.")
]


@app.command()
def create(
    email: Annotated[str, typer.Option(help="The address the person signs in with.")],
    name: Annotated[str, typer.Option(help="What the person is called.")] = "",
    from_input: FromInput = False,
    as_json: Json = False,
) -> None:
    """Open an account for somebody, also where only invited people may, and print a password for it, once."""
    if len(name) > _LONGEST_NAME:
        raise WontStart(f"A name has {_LONGEST_NAME} characters at most.")
    password = _given_password() if from_input else new_token()
    with operating() as at_work:
        try:
            user_id = create_user(at_work.context, email=email, name=name, password=password, now=at_work.at)
        except EmailTaken:
            raise WontStart(at_work.taken(email)) from None
        except MalformedEmail:
            raise WontStart(_NO_ADDRESS) from None
        verify_first = at_work.settings.rules.email_verification is EmailVerification.REQUIRED
    shown = {} if from_input else {"password": password}
    if as_json:
        print(json.dumps({"id": user_id.hex, **shown, **({"verifyFirst": True} if verify_first else {})}))
        return
    console = plainly()
    console.print(f"Opened the account {user_id.hex}.")
    if shown:
        console.print(f"Password, shown this once: {password}")
        console.print("Whoever signs in with it should change it.")
    if verify_first:
        console.print(
            "The address must be verified first: who signs in is refused, and has the link for that sent there."
        )


@app.command()
def show(email: Email = None, user: User = None, as_json: Json = False) -> None:
    """Show one account, also one that was closed (by its id), and where the person belongs."""
    with operating() as at_work:
        found = _found(at_work, email, user)
        belongs = memberships(at_work.read, found.user_id)
    if as_json:
        print(json.dumps({**_plain(found), "organizations": [_membership(one) for one in belongs]}))
        return
    console = plainly()
    for label, value in _told(found):
        console.print(f"{label:<17} {value}")
    for one in belongs:
        console.print(f"{'organization':<17} {one.organization_id.hex}  {one.role}  {typed(one.name)}")


@app.command("list")
def list_accounts(limit: Limit = 100, after: After = None, as_json: Json = False) -> None:
    """List the accounts there are, closed ones too, a page at a time."""
    behind = None if after is None else id_in(after, "person")
    with operating() as at_work:
        found = accounts(
            at_work.read, limit=limit + 1, after=behind, now=at_work.at, started_after=at_work.started_after
        )
    shown, more = found[:limit], len(found) > limit
    if as_json:
        print(json.dumps({"users": [_plain(one) for one in shown], "more": more}))
        return
    console = plainly()
    for one in shown:
        console.print(
            f"{one.user_id.hex}  {to_wire(one.created_at)}  {_state(one)}  {one.sessions} live sessions "
            f" {typed(one.email)}  {typed(one.name)}"
        )
    if more:
        console.print(f"And more: --after {shown[-1].user_id.hex}")
    if not shown:
        console.print("No accounts.")


@app.command("reset-password")
def reset_password(
    email: Email = None, user: User = None, from_input: FromInput = False, as_json: Json = False
) -> None:
    """Give somebody another password, printed once, and end all of their sessions."""
    password = _given_password() if from_input else new_token()
    with operating() as at_work:
        user_id = at_work.person(email, user)
        try:
            set_password(at_work.context, at_work.operator, user_id=user_id, password=password)
        except NoPassword:
            raise WontStart("This account has no password to replace.") from None
        until = undoable(at_work.read, user_id, now=at_work.at)
    shown = {} if from_input else {"password": password}
    if as_json:
        print(json.dumps({"id": user_id.hex, **shown, **({"undoableUntil": to_wire(until)} if until else {})}))
        return
    console = plainly()
    console.print(f"The account {user_id.hex} has another password, and all of its sessions were ended.")
    if shown:
        console.print(f"Password, shown this once: {password}")
        console.print("Whoever signs in with it should change it.")
    if until is not None:
        console.print(
            f"A change of address can still be undone until {to_wire(until)}; see `daybook user change-email`."
        )


@app.command("change-email")
def change_email(
    new: Annotated[str, typer.Argument(metavar="NEW_ADDRESS", help="The address the account has from now on.")],
    email: Email = None,
    user: User = None,
    as_json: Json = False,
) -> None:
    """Give an account another address at once, end its sessions and every link of it, also those that undo a change."""
    with operating() as at_work:
        user_id = at_work.person(email, user)
        try:
            withdrawn = change_email_of(at_work.context, at_work.operator, user_id=user_id, email=new)
        except EmailTaken:
            raise WontStart(at_work.taken(new)) from None
        except SameEmail:
            raise WontStart("The account has this address already.") from None
        except MalformedEmail:
            raise WontStart(_NO_ADDRESS) from None
    if as_json:
        print(json.dumps({"id": user_id.hex, "withdrawn": withdrawn}))
        return
    console = plainly()
    console.print(f"The account {user_id.hex} has another address, and all of its sessions were ended.")
    console.print(f"Links that were sent for it and open nothing any more: {withdrawn}.")
    console.print("Its password is as it was: if somebody else may know it, see `daybook user reset-password`.")


@app.command()
def unlock(email: Email = None, user: User = None, as_json: Json = False) -> None:
    """Forget the wrong passwords that were given for an account, so that its owner need not wait an hour."""
    with operating() as at_work:
        user_id = at_work.person(email, user)
        # told first: what was forgotten without being told would be no one's deed
        unlock_account(at_work.context, at_work.operator, user_id=user_id)
        known = at_work.context.lookups.account(user_id)
        if known is None or known.person.email is None:
            raise AccountNotFound
        counted = forget_wrong_passwords(
            Counters(at_work.read), at_work.context.keyring, address=known.person.email, user_id=user_id
        )
    if as_json:
        print(json.dumps({"id": user_id.hex, "counted": counted}))
        return
    had = "The wrong passwords given for it count no more." if counted else "No wrong passwords had counted."
    plainly().print(f"The account {user_id.hex} is unlocked. {had}")


def _given_password() -> str:
    """Of one line, so that none stands in the list of processes. Raises WontStart."""
    try:
        line = sys.stdin.readline()
    except UnicodeDecodeError:
        raise WontStart("The password on standard input is not UTF-8.") from None
    if not line:
        raise WontStart("There was no password on standard input.")
    return line.rstrip("\r\n")


def _found(at_work: Operating, email: str | None, user: str | None) -> ListedAccount:
    user_id = at_work.person(email, user)
    found = account(at_work.read, user_id, now=at_work.at, started_after=at_work.started_after)
    if found is None:
        raise WontStart("There is no account with this id.")
    return found


def _state(one: ListedAccount) -> str:
    if one.ended_at is not None:
        return "closed"
    return "verified" if one.email_verified else "unverified"


def _told(one: ListedAccount) -> list[tuple[str, str]]:
    lines = [
        ("id", one.user_id.hex),
        ("address", f"{typed(one.email)} ({'verified' if one.email_verified else 'not verified'})"),
        ("name", typed(one.name)),
        ("created", to_wire(one.created_at)),
        ("password changed", "never" if one.password_changed_at is None else to_wire(one.password_changed_at)),
        ("live sessions", str(one.sessions)),
    ]
    return lines if one.ended_at is None else [*lines, ("closed", to_wire(one.ended_at))]


def _plain(one: ListedAccount) -> dict[str, Any]:
    return {
        "id": one.user_id.hex,
        "email": one.email,
        "emailVerified": one.email_verified,
        "name": one.name,
        "createdAt": to_wire(one.created_at),
        "passwordChangedAt": None if one.password_changed_at is None else to_wire(one.password_changed_at),
        "closedAt": None if one.ended_at is None else to_wire(one.ended_at),
        "sessions": one.sessions,
    }


def _membership(one: OwnMembership) -> dict[str, Any]:
    return {"id": one.organization_id.hex, "name": one.name, "role": one.role}
