"""The journal in German: every event and every refused attempt, told to whom it concerns and to others."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from api.pages.wording import wording
from domain.membership import MemberRemoved, MemberRoleChanged
from domain.organization import OrganizationRenamed
from domain.session import EndReason, OrganizationChosen, SessionEnded
from domain.user import NameChanged, PasswordChanged
from projections.trails.names import FORMER, INVITED, SOMEBODY, YOU, Names
from projections.trails.narrator import UNKNOWN_DEVICE
from projections.trails.sentences import _REFUSED, COMMANDS, refusal, sentence
from tests.projections.trails.life import AWAY, Life
from tests.projections.trails.test_key_sentences import TOLD as OF_KEYS
from tests.projections.trails.test_organization_sentences import TOLD as OF_ORGANIZATIONS
from tests.projections.trails.test_sentences import TOLD as OF_PEOPLE

GERMAN = wording("de").journal
CHROME = "Chrome 130 unter macOS (Deutschland)"
TO_ADA = Names(
    actor=YOU, person=YOU, same=True, organization="„Acme“", device=CHROME, key="„deploy“", invited="„cy@example.com“",
    before="„Ada“", address_before="„ada@example.com“", language=GERMAN,
)  # fmt: skip
OF_ADA = replace(TO_ADA, actor="„Ada“", person="„Ada“")
BO_TO_ADA = replace(TO_ADA, actor="„Bo“", same=False)
BO_OF_ADA = replace(OF_ADA, actor="„Bo“", same=False)
ADA_TO_ADA_OF_BO = replace(TO_ADA, person="„Bo“", same=False)
READERS = (TO_ADA, OF_ADA, BO_TO_ADA, BO_OF_ADA, ADA_TO_ADA_OF_BO)
UNKNOWN = Names(
    actor=SOMEBODY, person=SOMEBODY, same=False, organization=FORMER, device=UNKNOWN_DEVICE, language=GERMAN
)

EVENTS = {
    **{name: told.event for name, told in OF_PEOPLE.items()},
    **{name: event for name, (event, *_) in OF_ORGANIZATIONS.items()},
    **{name: event for name, (event, *_) in OF_KEYS.items()},
}
ENGLISH = {
    *("a", "and", "address", "account", "another", "by", "device", "from", "is", "left", "of", "on", "one", "owner"),
    *("removed", "role", "session", "sessions", "signed", "somebody", "the", "their", "to", "with", "you", "your"),
}


def words(text: str) -> set[str]:
    """What is said, without the names in it."""
    return set(re.findall(r"[^\W\d_]+", re.sub(r"„[^“]*“", "", text).lower()))


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_is_told_in_german_to_everybody(name: str) -> None:
    for names in (*READERS, UNKNOWN):
        text = sentence(EVENTS[name], names)
        assert text.endswith(".")
        assert not set("{}|%") & set(text), text
        assert not words(text) & ENGLISH, text
        assert "  " not in text


@pytest.mark.parametrize("command", [*COMMANDS, "unheard of"])
@pytest.mark.parametrize("code", [*_REFUSED, "MEMBER_NOT_FOUND"])
def test_every_refused_attempt_is_told_in_german(command: str, code: str) -> None:
    text = refusal(command, code, place=CHROME, times=3, language=GERMAN)
    assert text.count(f", 3-mal, von {CHROME} aus") == 1
    assert not set("{}|%") & set(text), text
    assert not words(text) & ENGLISH, text


def told(name: str, names: Names) -> str:
    return sentence(EVENTS[name], names)


def test_who_did_it_themselves_is_addressed() -> None:
    assert [
        told(name, TO_ADA) for name in ("SignedUp", "SessionStarted", "PasswordChanged", "NameChanged", "MemberLeft")
    ] == [
        "Sie haben Ihr Konto eröffnet.",
        f"Sie haben sich mit {CHROME} angemeldet.",
        "Sie haben Ihr Passwort geändert.",
        "Sie haben Ihren Namen geändert: Aus „Ada“ wurde „Ada King“.",
        "Sie haben „Acme“ verlassen.",
    ]
    assert sentence(OrganizationChosen(organization_id=None), TO_ADA) == (
        f"Sie haben mit {CHROME} die Auswahl der Organisation aufgehoben."
    )


def test_others_are_told_who_did_it() -> None:
    names = ("SignedUp", "SessionStarted", "PasswordChanged", "EmailChanged", "MemberJoined", "SessionEnded expired")
    assert [told(name, OF_ADA) for name in names] == [
        "„Ada“ hat ein Konto eröffnet.",
        f"„Ada“ hat sich mit {CHROME} angemeldet.",
        "„Ada“ hat das eigene Passwort geändert.",
        "„Ada“ hat die eigene Adresse geändert: Aus „ada@example.com“ wurde „ada@example.org“.",
        "„Ada“ ist „Acme“ als Verwalter und Mitglied beigetreten.",
        f"Die Sitzung von „Ada“ mit {CHROME} ist abgelaufen.",
    ]


def test_what_one_does_to_another_says_whose_it_is() -> None:
    changed, role, ended = (
        PasswordChanged(password_version=2),
        MemberRoleChanged(before="member", role="admin"),
        EndReason,
    )
    assert sentence(changed, BO_TO_ADA) == "„Bo“ hat Ihr Passwort geändert."
    assert sentence(changed, BO_OF_ADA) == "„Bo“ hat das Passwort von „Ada“ geändert."
    assert sentence(changed, ADA_TO_ADA_OF_BO) == "Sie haben das Passwort von „Bo“ geändert."
    assert sentence(role, BO_TO_ADA) == "„Bo“ hat Ihre Rolle in „Acme“ von Mitglied zu Verwalter geändert."
    assert sentence(MemberRemoved(), BO_TO_ADA) == "„Bo“ hat Sie aus „Acme“ entfernt."
    assert sentence(MemberRemoved(), BO_OF_ADA) == "„Bo“ hat „Ada“ aus „Acme“ entfernt."
    assert sentence(SessionEnded(reason=ended.REVOKED), ADA_TO_ADA_OF_BO) == (
        f"Sie haben die Sitzung von „Bo“ mit {CHROME} beendet."
    )


def test_what_stands_in_for_a_name_is_in_the_case_of_its_sentence() -> None:
    assert sentence(PasswordChanged(password_version=2), UNKNOWN) == (
        "eine gelöschte Person hat das Passwort von einer gelöschten Person geändert."
    )
    assert told("MemberLeft", UNKNOWN) == "eine gelöschte Person hat eine frühere Organisation verlassen."
    assert (
        told("LogoChanged", UNKNOWN) == "eine gelöschte Person hat das Logo von einer früheren Organisation geändert."
    )
    assert (
        told("InvitationSent", replace(TO_ADA, invited=INVITED))
        == "Sie haben jemanden als Mitglied zu „Acme“ eingeladen."
    )
    assert told("SessionStarted", replace(TO_ADA, device=UNKNOWN_DEVICE)) == (
        "Sie haben sich mit einem unbekannten Gerät angemeldet."
    )
    assert sentence(NameChanged(name=None), replace(UNKNOWN, actor=YOU, person=YOU, same=True)) == (
        "Sie haben Ihren Namen geändert: Aus einem anderen Namen wurde ein anderer Name."
    )
    assert sentence(OrganizationRenamed(name="\u2800"), UNKNOWN) == (
        "eine gelöschte Person hat einen anderen Namen in etwas anderes umbenannt."
    )


def test_a_name_that_looks_like_our_words_stays_a_name() -> None:
    text = sentence(
        PasswordChanged(password_version=2), replace(OF_ADA, actor="„somebody“", person="„You“", same=False)
    )
    assert text == "„somebody“ hat das Passwort von „You“ geändert."


def test_a_whole_life_is_told_in_the_language_of_who_reads_it(life: Life) -> None:
    session_id = life.opens("Ada")
    life.signs_out(session_id)
    life.signs_in("Ada", AWAY)
    newest, ended, opened = life.told("Ada", language=GERMAN)
    assert [newest.text, ended.text, opened.text] == [
        "Sie haben sich mit Firefox 132 unter Linux (Vereinigtes Königreich) angemeldet.",
        "Sie haben sich von Chrome 130 unter macOS (Deutschland) abgemeldet.",
        "Sie haben Ihr Konto eröffnet. Sie haben sich mit Chrome 130 unter macOS (Deutschland) angemeldet.",
    ]
    assert (newest.actor, newest.device, newest.location) == (
        "Sie", "Firefox 132 unter Linux", "Vereinigtes Königreich"
    )  # fmt: skip
    *_, first = life.told_to_admins(language=GERMAN)
    assert (first.text, first.actor) == ("„Ada“ hat „Ada's Organization“ gegründet.", "Ada")
