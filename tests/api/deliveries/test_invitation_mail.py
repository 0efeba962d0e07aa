"""The message of an invitation: what it says, from what is so when it is sent, and when there is none any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from uuid import UUID

import pytest

from api.deliveries.invitation_mail import InvitationMails, link_on
from api.deliveries.mail import Mail
from api.deliveries.mail_texts import MailTexts
from api.deliveries.transport import Dropped
from api.setting_values import Mailbox
from domain.commands import invitation as invitations
from domain.commands import received_invitation
from domain.commands.membership import change_role, leave, remove_member
from domain.commands.organization import close_organization
from domain.ids import new_id
from domain.refusals import InvitationNotFound, InvitationsOff, InviterGone, SubjectGone
from domain.roles import Role
from projections.deliveries.queue import Delivery
from tests.api.conftest import HandClock
from tests.databases import Database
from tests.inviting import ADAS, BOS, CYS, Acme, acme_in
from tests.people import NOON

LINK = "0123456789abcdef0123456789abcdef"


def due(invitation_id: UUID, *, superseded: bool = False) -> Delivery:
    return Delivery("invitation", invitation_id, 1, 1, 0.0, new_id(), superseded)


def composed(acme: Acme, delivery: Delivery, *, page: str = "https://app.example.com/join") -> Mail | Dropped:
    mails = InvitationMails(
        statements=acme.context.store.statements,
        keyring=acme.context.keyring,
        clock=HandClock(),
        texts=MailTexts(),
        sender=Mailbox("", "no-reply@example.com"),
        page=page,
        allowed=acme.context.rules.invitations,
    )
    return mails.compose(delivery)


def test_it_says_who_invites_whom_into_what_as_what_and_until_when(acme: Acme) -> None:
    invitation_id = acme.invites(role="member,admin")
    mail = composed(acme, due(invitation_id))
    assert isinstance(mail, Mail)
    assert (mail.sender.address, mail.recipient, mail.at) == ("no-reply@example.com", BOS, NOON)
    assert mail.name == f"invitation.{invitation_id.hex}.1"
    assert mail.subject == "Invitation to “Analytical Engines”"
    assert mail.text == (
        "ada@example.com invites you to join “Analytical Engines” (role: member, admin).\n"
        "\n"
        "To accept or decline, until 2026-03-21 12:00 UTC:\n"
        "\n"
        f"https://app.example.com/join?invitationId={acme.context.keyring.mailed_invitation_link(invitation_id)}\n"
        "\n"
        "Only who has an account with the address bo@example.com, or opens one, can accept it.\n"
        "If you do not know who invites you, you need not do anything.\n"
    )


def test_its_link_is_the_one_that_accepts(acme: Acme) -> None:
    mail = composed(acme, due(acme.invites()))
    assert isinstance(mail, Mail)
    [line] = [line for line in mail.text.splitlines() if line.startswith("https://")]
    acme.joins(BOS, line.rpartition("=")[2])
    assert acme.database.value("SELECT status FROM invitation_list") == "accepted"


def test_it_tells_what_is_so_when_it_is_sent(acme: Acme) -> None:
    """Sent again a day later, it can be accepted a day longer."""
    invitation_id = acme.invites()
    acme.invites(resend=True, now=NOON + timedelta(days=1))
    mail = composed(acme, due(invitation_id))
    assert isinstance(mail, Mail)
    assert "until 2026-03-22 12:00 UTC" in mail.text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Acme\r\nBcc: cy@example.com", "“Acme Bcc: cy@example[.]com”"),
        ("Acme”. Pay at evil.example “", '“Acme". Pay at evil[.]example "”'),
        ("\u202eemcA", "“emcA”"),
        ("\u200b", "an organization"),
    ],
)
def test_what_somebody_called_their_organization_passes_for_nothing_else(
    database: Database, name: str, shown: str
) -> None:
    with acme_in(database, name) as acme:
        mail = composed(acme, due(acme.invites()))
    assert isinstance(mail, Mail)
    assert mail.subject == f"Invitation to {shown}"
    assert mail.text.splitlines()[0] == f"ada@example.com invites you to join {shown} (role: member)."
    assert b"\r\nBcc:" not in mail.content


def test_the_longest_names_and_addresses_there_can_be_make_a_mail_that_servers_take(database: Database) -> None:
    """RFC 5321 §4.5.3.1.6. 200 characters are the most a name may have, 254 an address (wire.md §5, A18)."""
    inviter = "a" * 242 + "@example.com"
    with acme_in(database, "😀" * 200) as acme:
        invitation_id = acme.invites(role="owner,admin,member")
        acme.database.rows("UPDATE account_list SET email = %s", inviter)
        mail = composed(acme, due(invitation_id))
    assert isinstance(mail, Mail)
    assert max(map(len, mail.content.split(b"\r\n"))) <= 998
    _, part, _ = message_from_bytes(mail.content).walk()
    text = part.get_payload(decode=True)
    assert isinstance(text, bytes)
    assert text.decode().startswith(f"{inviter} invites you to join “{'😀' * 200}” (role: ")


def accepts(acme: Acme, invitation_id: UUID) -> None:
    acme.joins(BOS, acme.link(invitation_id))


def cancels(acme: Acme, invitation_id: UUID) -> None:
    invitations.cancel(acme.context, acme.by(ADAS), link=acme.link(invitation_id))


def rejects(acme: Acme, invitation_id: UUID) -> None:
    acme.signs_up(BOS)
    received_invitation.reject(acme.context, acme.by(BOS), link=acme.link(invitation_id))


def runs_out_and_it_is_noted(acme: Acme, _: UUID) -> None:
    assert invitations.expire_run_out(acme.context.store, acme.context.lookups, now=NOON + timedelta(days=8)) == 1


def runs_out(acme: Acme, _: UUID) -> None:
    acme.database.rows("UPDATE invitation_list SET expires_at = %s WHERE status = 'pending'", NOON)


def closes(acme: Acme, _: UUID) -> None:
    close_organization(acme.context, acme.by(ADAS), organization_id=acme.organization_id)


def is_erased(acme: Acme, invitation_id: UUID) -> None:
    """As an erasure leaves it: no key, no address in the list."""
    acme.database.rows("UPDATE subject_keys SET wrapped = NULL WHERE subject_id = %s", invitation_id)
    acme.database.rows("UPDATE invitation_list SET email = NULL WHERE invitation_id = %s", invitation_id)


def cys_membership(acme: Acme) -> UUID:
    membership_id = acme.database.value(
        "SELECT membership_id FROM member_list JOIN account_list USING (user_id)"
        " WHERE email = %s AND organization_id = %s",
        CYS,
        acme.organization_id,
    )
    assert isinstance(membership_id, UUID)
    return membership_id


def inviter_is_removed(acme: Acme, _: UUID) -> None:
    remove_member(acme.context, acme.by(ADAS), organization_id=acme.organization_id, membership_id=cys_membership(acme))


def inviter_may_invite_no_more(acme: Acme, _: UUID) -> None:
    assert change_role(
        acme.context,
        acme.by(ADAS),
        organization_id=acme.organization_id,
        membership_id=cys_membership(acme),
        roles=(Role.MEMBER,),
    )


def inviter_leaves(acme: Acme, _: UUID) -> None:
    leave(acme.context, acme.by(CYS), organization_id=acme.organization_id)


def is_turned_off(acme: Acme, _: UUID) -> None:
    acme.context = replace(acme.context, rules=replace(acme.context.rules, invitations=False))


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (accepts, "accepted"),
        (cancels, "canceled"),
        (rejects, "rejected"),
        (runs_out_and_it_is_noted, "expired"),
        (runs_out, "expired"),
        (closes, "organization closed"),
        (is_erased, "erased"),
        (inviter_is_removed, "inviter gone"),
        (inviter_may_invite_no_more, "inviter gone"),
        (inviter_leaves, "inviter gone"),
        (is_turned_off, "invitations off"),
    ],
)
def test_nothing_is_sent_about_an_invitation_that_cannot_be_accepted(
    acme: Acme, happens: Callable[[Acme, UUID], None], reason: str
) -> None:
    """And it is the same to who has the link: each of these is refused when it is used."""
    acme.joins(CYS, acme.link(acme.invites(CYS, role="admin")))
    invitation_id = acme.invites(role="admin", by=CYS)
    link = acme.link(invitation_id)
    happens(acme, invitation_id)
    assert composed(acme, due(invitation_id)) == Dropped(reason)
    if happens not in (accepts, rejects):
        acme.signs_up(BOS)
    with pytest.raises((InvitationNotFound, InviterGone, InvitationsOff, SubjectGone)):
        received_invitation.accept(acme.context, acme.by(BOS), link=link)


def test_one_that_somebody_else_sent_again_is_theirs(acme: Acme) -> None:
    acme.joins(CYS, acme.link(acme.invites(CYS, role="admin")))
    invitation_id = acme.invites(role="admin", by=CYS)
    acme.invites(resend=True)
    inviter_leaves(acme, invitation_id)
    mail = composed(acme, due(invitation_id))
    assert isinstance(mail, Mail)
    assert mail.text.startswith("ada@example.com invites you")
    acme.joins(BOS, acme.link(invitation_id))


def test_of_one_that_was_sent_again_only_the_last_sending_is_sent(acme: Acme) -> None:
    assert composed(acme, due(acme.invites(), superseded=True)) == Dropped("superseded")


def test_an_invitation_that_is_not_there_is_dropped(acme: Acme) -> None:
    assert composed(acme, due(new_id())) == Dropped("erased")


def test_an_inviter_whose_address_is_gone_is_nobody_in_particular(acme: Acme) -> None:
    invitation_id = acme.invites()
    acme.database.rows("UPDATE account_list SET email = NULL")
    mail = composed(acme, due(invitation_id))
    assert isinstance(mail, Mail)
    assert mail.text.startswith("You are invited to join “Analytical Engines” (role: member).\n")


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("https://app.example.com", f"https://app.example.com/?invitationId={LINK}"),
        ("https://app.example.com/join", f"https://app.example.com/join?invitationId={LINK}"),
        ("https://app.example.com/join?lang=de", f"https://app.example.com/join?lang=de&invitationId={LINK}"),
        ("https://app.example.com/#/join", f"https://app.example.com/?invitationId={LINK}#/join"),
    ],
)
def test_the_link_is_the_page_with_the_invitation_in_its_query(page: str, link: str) -> None:
    assert link_on(page, LINK) == link
