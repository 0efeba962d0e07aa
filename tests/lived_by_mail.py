"""What was lived through by mail: passwords that were forgotten, addresses verified, changed and given back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from domain.commands.context import Context, EmailVerification
from domain.commands.deletion_request import request_deletion
from domain.commands.email import request_email_change, verify_email
from domain.commands.erasure import delete_account
from domain.commands.mailed_link import note_sign_up, request_password_reset, request_verification
from domain.commands.operator import unlock
from domain.commands.password_reset import reset_password
from domain.commands.principal import Operator, PersonBySession
from domain.commands.session import sign_in
from domain.commands.user import sign_up
from domain.commands.verified_account import verified_account
from domain.mailed_link import Purpose
from tests.lived import Lives
from tests.people import PASSWORD


def mailed(context: Context, user_id: UUID, purpose: Purpose) -> str:
    """The link of this purpose that went out last: what stands in the mail."""
    [mailed_link_id, version] = context.store.statements.rows(
        "SELECT mailed_link_id, version FROM mailed_link_list WHERE user_id = $1 AND purpose = $2"
        " AND ended_at IS NULL ORDER BY sent_at DESC, mailed_link_id DESC LIMIT 1",
        user_id,
        purpose,
    )[0]
    place = mailed_link_id, version
    return context.keyring.mailed_link(*place, context.store.recorded([place])[place].command.command_id)


def an_account_is_lost_and_found(lives: Lives) -> UUID:
    """Somebody opens an account, verifies the address, forgets the password twice, has the address changed for them
    twice by a thief, and gets it back; somebody else tries to open an account with it, and an operator unlocks it.
    """
    context, number = lives.context, lives.chances.randrange(10**12)
    email, where = f"lost.{number}@example.com", lives.somewhere()
    asked = replace(context, rules=replace(context.rules, email_verification=EmailVerification.ASKED))

    def later() -> None:
        lives.now += timedelta(minutes=1)

    user_id = sign_up(
        asked, email=email, name="Lost", image=None, password=PASSWORD, remembered=True, now=lives.now, where_from=where
    ).person.user_id
    later()
    request_verification(context, email=email, callback_url="/", now=lives.now, where_from=where)
    later()
    verify_email(context, link=mailed(context, user_id, Purpose.EMAIL_VERIFICATION), now=lives.now, where_from=where)
    for _ in range(2):
        later()
        request_password_reset(context, email=email, callback_url="/new", now=lives.now, where_from=where)
        later()
        reset_password(
            context,
            link=mailed(context, user_id, Purpose.PASSWORD_RESET),
            password=PASSWORD,
            now=lives.now,
            where_from=where,
        )
    later()
    note_sign_up(context, email=email, now=lives.now, where_from=where)
    first_offer = ""
    for step in ("thief", "once.more"):
        session_id = _signed_in(lives, email if step == "thief" else f"thief.{number}@example.net")
        principal = PersonBySession(user_id=user_id, session_id=session_id, at=lives.now, where_from=where)
        request_email_change(context, principal, email=f"{step}.{number}@example.net", callback_url="")
        later()
        verify_email(context, link=mailed(context, user_id, Purpose.EMAIL_CHANGE), now=lives.now, where_from=where)
        first_offer = first_offer or mailed(context, user_id, Purpose.EMAIL_CHANGE_UNDO)
    later()
    reset_password(context, link=first_offer, password=PASSWORD, now=lives.now, where_from=where)
    session_id = _signed_in(lives, email)
    principal = PersonBySession(user_id=user_id, session_id=session_id, at=lives.now, where_from=where)
    request_deletion(context, principal, password=None, callback_url="/")
    unlock(context, Operator(at=lives.now), user_id=user_id)
    lives.people[email], lives.passwords[user_id] = user_id, PASSWORD
    _an_address_is_contested(lives)
    _who_has_another_address_goes(lives)
    return user_id


def _an_address_is_contested(lives: Lives) -> None:
    """Somebody opens an account with an address that is another person's, who wants one too, and has it in the end."""
    asked = replace(lives.context, rules=replace(lives.context.rules, email_verification=EmailVerification.ASKED))
    email, where = f"contested.{lives.chances.randrange(10**12)}@example.com", lives.somewhere()
    user_id = sign_up(
        asked, email=email, name="Squatter", image=None, password=PASSWORD, remembered=True, now=lives.now,
        where_from=where,
    ).person.user_id  # fmt: skip
    lives.now += timedelta(minutes=1)
    note_sign_up(asked, email=email, now=lives.now, where_from=where)
    request_verification(asked, email=email, callback_url="/", now=lives.now, where_from=where)
    lives.now += timedelta(minutes=1)
    link = mailed(asked, user_id, Purpose.PASSWORD_RESET)
    reset_password(asked, link=link, password=PASSWORD, now=lives.now, where_from=where)
    lives.people[email], lives.passwords[user_id] = user_id, PASSWORD


def _who_has_another_address_goes(lives: Lives) -> None:
    """Somebody changes their address and deletes their account while that can still be undone."""
    context, where = lives.context, lives.somewhere()
    email, number = f"going.{lives.chances.randrange(10**12)}@example.com", lives.chances.randrange(10**12)
    user_id = sign_up(
        context, email=email, name="Going", image=None, password=PASSWORD, remembered=True, now=lives.now,
        where_from=where,
    ).person.user_id  # fmt: skip
    principal = PersonBySession(user_id=user_id, session_id=_signed_in(lives, email), at=lives.now, where_from=where)
    request_email_change(context, principal, email=f"gone.{number}@example.net", callback_url="")
    verify_email(context, link=mailed(context, user_id, Purpose.EMAIL_CHANGE), now=lives.now, where_from=where)
    request_deletion(context, principal, password=None, callback_url="/")
    delete_account(context, principal, password=None, link=mailed(context, user_id, Purpose.ACCOUNT_DELETION))


def _signed_in(lives: Lives, email: str) -> UUID:
    lives.now += timedelta(minutes=1)
    account = verified_account(lives.context, email=email, password=PASSWORD, now=lives.now)
    sign_in(lives.context, account, remembered=True, now=lives.now, where_from=lives.somewhere())
    [[session_id]] = lives.context.store.statements.rows(
        "SELECT session_id FROM session_list WHERE user_id = $1 ORDER BY created_at DESC, session_id DESC LIMIT 1",
        account.account.person.user_id,
    )
    assert isinstance(session_id, UUID)
    return session_id
