"""Random histories of people who rename themselves, come, go and are erased: the trail tells who they were then.

The model keeps its own ledger: of every act who did it to whom and what all of them were called at that moment, in
words of its own. What a reader is told must be that, each act once; names of today stand beside those of then only for
who may see them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random  # noqa: TID251  seeded: the same chances in every run
from uuid import UUID

import pytest

from domain.commands.context import Context
from domain.commands.invitation import cancel, invite
from domain.commands.membership import change_role, leave, remove_member, transfer_ownership
from domain.commands.organization import close_organization, found_organization, update_organization
from domain.commands.principal import PersonBySession
from domain.commands.received_invitation import accept, reject
from domain.commands.user import sign_up, update_user
from domain.roles import Role
from domain.store.envelope import WhereFrom
from projections.places import Places
from projections.trails.activity import Selection, of_a_person, of_an_organization
from projections.trails.cursor import Cursor
from projections.trails.names import Reader
from projections.trails.narrator import Narrator
from tests.databases import Database
from tests.keeping import caught_up
from tests.lived import context_over
from tests.people import NOON, PASSWORD

HISTORIES = int(os.environ.get("TRAIL_HISTORIES", "15"))
STEPS = 14
HERE = WhereFrom("", "")
NOBODY = Places()
SPITEFUL = "Ann removed Bob. Evil"
_numbers = count(1)


@dataclass(eq=False)
class Someone:
    """A person as the model knows them."""

    user_id: UUID
    session_id: UUID
    email: str
    name: str
    erased: bool = False


@dataclass(repr=False)
class Act:
    """What was done, told by whom; who and what it names with what they were called then."""

    words: str
    names: dict[str, tuple[Someone | None, str]]
    """What stands in the words, by the word: whose name it was (None: the organization's), and which."""
    actor: Someone | None
    concerns: tuple[Someone, ...] = ()
    of_organization: bool = True


@dataclass(repr=False)
class History:
    """One organization from its founding on, and the people around it."""

    context: Context
    database: Database
    chances: Random
    now: datetime
    people: list[Someone]
    before: list[History] = field(default_factory=list)
    """Earlier ones: who belongs together there sees one another still."""
    organization_id: UUID = field(init=False)
    name: str = field(init=False)
    closed: bool = False
    members: dict[Someone, tuple[UUID, str]] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)

    def by(self, someone: Someone) -> PersonBySession:
        self.now += timedelta(seconds=1)
        return PersonBySession(user_id=someone.user_id, session_id=someone.session_id, at=self.now, where_from=HERE)

    def tell(self, words: str, *, actor: Someone, person: Someone | None = None, **more: object) -> None:
        names: dict[str, tuple[Someone | None, str]] = {"ACTOR": (actor, actor.name), "ORG": (None, self.name)}
        if person is not None:
            names["PERSON"] = (person, person.name)
        self.acts.append(Act(words, names, actor, () if person is None else (person,), **more))  # type: ignore[arg-type]

    def found(self) -> None:
        owner = self.chances.choice(self.living())
        self.name = f"Firma {next(_numbers)}"
        self.organization_id, membership_id = found_organization(
            self.context, self.by(owner), name=self.name, slug=f"slug-{next(_numbers)}", logo=None, metadata=None,
            turning=self.chances.random() < 0.5,
        )  # fmt: skip
        self.members[owner] = (membership_id, "owner")
        self.tell("ACTOR founded ORG.", actor=owner, person=owner)

    def living(self) -> list[Someone]:
        return [one for one in self.people if not one.erased]

    def owners(self) -> list[Someone]:
        return [one for one, (_, role) in self.members.items() if role == "owner" and not one.erased]

    def step(self) -> None:
        kinds: list[Callable[[], None]] = [
            self.renames_themselves, self.renames_themselves, self.renames_it, self.invites, self.invites,
            self.is_removed, self.leaves, self.changes_role, self.hands_over, self.is_erased, self.closes,
        ]  # fmt: skip
        if not self.closed and self.owners():
            self.chances.choice(kinds)()
        elif self.living():
            self.renames_themselves()

    def renames_themselves(self) -> None:
        someone = self.chances.choice(self.living())
        new = self.chances.choice([f"Neuer Name {next(_numbers)}", SPITEFUL, *(one.name for one in self.people)])
        if new == someone.name:
            return
        update_user(self.context, self.by(someone), name=new, image=None)
        words = f"ACTOR changed PERSON's name from “{someone.name}” to “{new}”."
        someone.name = new
        self.acts.append(Act(words, {}, someone, (someone,), of_organization=False))

    def renames_it(self) -> None:
        owner, new = self.chances.choice(self.owners()), f"Vertraulich {next(_numbers)}"
        update_organization(self.context, self.by(owner), organization_id=self.organization_id, changes={"name": new})
        before, self.name = self.name, new
        self.tell(f"ACTOR renamed “{before}” to “{new}”.", actor=owner)

    def invites(self) -> None:
        outside = [one for one in self.living() if one not in self.members]
        if not outside:
            return
        owner, someone = self.chances.choice(self.owners()), self.chances.choice(outside)
        role = self.chances.choice(["member", "admin", "owner"])
        invitation_id = invite(
            self.context, self.by(owner), organization_id=self.organization_id, email=someone.email, role=role,
            resend=False,
        )  # fmt: skip
        link = self.context.keyring.invitation_link(invitation_id)
        words = f"ACTOR invited “{someone.email}” to ORG as {role}."
        self.acts.append(Act(words, {"ACTOR": (owner, owner.name), "ORG": (None, self.name)}, owner, (someone,)))
        answer = self.chances.choice(["accept", "accept", "reject", "cancel"])
        if answer == "accept":
            entry = accept(self.context, self.by(someone), link=link)
            self.members[someone] = (entry.membership_id, role)
            self.tell(f"PERSON joined ORG as {role}.", actor=someone, person=someone)
        elif answer == "reject":
            reject(self.context, self.by(someone), link=link)
            act = Act("OUTSIDER rejected the invitation to ORG.", {"ORG": (None, self.name)}, someone, (someone,))
            self.acts.append(act)
        else:
            cancel(self.context, self.by(owner), link=link)
            words = f"ACTOR took the invitation of “{someone.email}” to ORG back."
            self.acts.append(Act(words, {"ACTOR": (owner, owner.name), "ORG": (None, self.name)}, owner, (someone,)))

    def is_removed(self) -> None:
        owner = self.chances.choice(self.owners())
        others = [one for one in self.members if one is not owner]
        if not others:
            return
        someone = self.chances.choice(others)
        membership_id, _ = self.members[someone]
        remove_member(self.context, self.by(owner), organization_id=self.organization_id, membership_id=membership_id)
        del self.members[someone]
        self.tell("ACTOR removed PERSON from ORG.", actor=owner, person=someone)

    def leaves(self) -> None:
        going = [one for one in self.members if not one.erased and self.owners() != [one]]
        if not going:
            return
        someone = self.chances.choice(going)
        leave(self.context, self.by(someone), organization_id=self.organization_id)
        del self.members[someone]
        self.tell("PERSON left ORG.", actor=someone, person=someone)

    def changes_role(self) -> None:
        owner = self.chances.choice(self.owners())
        others = [one for one in self.members if one is not owner]
        if not others:
            return
        someone = self.chances.choice(others)
        membership_id, before = self.members[someone]
        role = self.chances.choice([one for one in ("owner", "admin", "member") if one != before])
        change_role(
            self.context, self.by(owner), organization_id=self.organization_id, membership_id=membership_id,
            roles=(Role(role),),
        )  # fmt: skip
        self.members[someone] = (membership_id, role)
        self.tell(f"ACTOR changed PERSON's role in ORG from {before} to {role}.", actor=owner, person=someone)

    def hands_over(self) -> None:
        owner = self.chances.choice(self.owners())
        others = [one for one, (_, role) in self.members.items() if one is not owner and role != "owner"]
        if not others:
            return
        someone = self.chances.choice(others)
        membership_id, before = self.members[someone]
        transfer_ownership(
            self.context, self.by(owner), organization_id=self.organization_id, membership_id=membership_id
        )
        self.members[someone] = (membership_id, "owner")
        self.members[owner] = (self.members[owner][0], "admin")
        self.tell(
            f"ACTOR changed PERSON's role in ORG from {before} to owner."
            "| ACTOR changed their role in ORG from owner to admin.",
            actor=owner,
            person=someone,
        )

    def is_erased(self) -> None:
        """What an erasure does: the keys of a person are destroyed, and their columns emptied."""
        someone = self.chances.choice(self.living())
        if self.owners() == [someone] or self.chances.random() < 0.5:
            return
        self.database.rows(
            "UPDATE subject_keys SET wrapped = NULL WHERE %s IN (subject_id, person_id)", someone.user_id
        )
        self.database.rows(
            "UPDATE account_list SET name = NULL, email = NULL, image = NULL WHERE user_id = %s", someone.user_id
        )
        self.database.rows(
            "UPDATE invitation_list SET email = NULL WHERE email_hash = %s",
            self.context.keyring.email_hash(someone.email),
        )
        self.database.rows(
            "UPDATE subject_keys SET wrapped = NULL WHERE subject_id IN"
            " (SELECT invitation_id FROM invitation_list WHERE email IS NULL)"
        )
        someone.erased = True

    def closes(self) -> None:
        if self.chances.random() < 0.7:
            return
        owner = self.chances.choice(self.owners())
        close_organization(self.context, self.by(owner), organization_id=self.organization_id)
        self.closed = True
        self.acts.append(
            Act(
                "ACTOR closed ORG.", {"ACTOR": (owner, owner.name), "ORG": (None, self.name)}, owner,
                tuple(self.members),
            )
        )  # fmt: skip

    def in_words(self, act: Act, reader: Someone | None) -> str:
        """What a reader is told: a person, or (None) whoever reads the organization's trail."""
        words = act.words
        parts = words.split("|")
        if reader is not None and act.actor is not reader and len(parts) > 1:
            # of what another did, only what it did to the reader
            words = parts[0]
        if act.actor is not None and words.startswith("OUTSIDER"):
            address = "somebody" if act.actor.erased else f"“{act.actor.email}”"
            words = words.replace("OUTSIDER", "You" if reader is act.actor else address)
        for one in self.people:
            if one.erased:
                words = words.replace(f"invited “{one.email}”", "invited somebody")
                words = words.replace(f"invitation of “{one.email}”", "invitation of somebody")
        own = reader is not None and act.actor is reader
        if own:
            words = words.replace("their role", "your role")
        if reader is not None and act.concerns[:1] == (reader,):
            words = words.replace("PERSON's", "your").replace("removed PERSON", "removed you").replace("PERSON", "You")
        for word, (someone, then) in act.names.items():
            shown = "You" if someone is not None and someone is reader else self.shown(someone, then, reader)
            words = words.replace(word, shown)
        words = words.replace("ACTOR", "You")
        return " ".join(part[:1].upper() + part[1:] for part in words.split("| "))

    def shown(self, someone: Someone | None, then: str, reader: Someone | None) -> str:
        if someone is None:
            may_see, now = reader is None or reader in self.members, self.name
        elif someone.erased:
            return "a removed person"
        else:
            in_it = someone in self.members and not self.closed
            may_see, now = in_it if reader is None else self.fellows(someone, reader), someone.name
        return f"“{then}” (now “{now}”)" if may_see and now != then else f"“{then}”"

    def fellows(self, one: Someone, other: Someone) -> bool:
        """Whether both belong to an organization that is open."""
        return any({one, other} <= set(here.members) and not here.closed for here in (self, *self.before))

    def told_to(self, reader: Someone) -> list[str]:
        """What a person is told of this history, newest first."""
        theirs = [act for act in self.acts if act.actor is reader or reader in act.concerns]
        return [self.in_words(act, reader) for act in reversed(theirs)]

    def told_to_admins(self) -> list[str]:
        return [self.in_words(act, None) for act in reversed(self.acts) if act.of_organization]


@pytest.fixture
def context(database: Database) -> Iterator[Context]:
    with context_over(database) as context:
        yield context


def newcomer(context: Context, database: Database, now: datetime) -> Someone:
    number = next(_numbers)
    email, name = f"person{number}@example.com", f"Person {number}"
    signed_up = sign_up(
        context, email=email, name=name, image=None, password=PASSWORD, remembered=True, now=now, where_from=HERE
    )
    user_id = signed_up.person.user_id
    session_id = database.value("SELECT session_id FROM session_list WHERE user_id = %s", user_id)
    return Someone(user_id, session_id, email, name)


def read_by(context: Context, reader: Someone, acts: int) -> list[str]:
    page = of_a_person(context.store.statements, context.keyring, reader.user_id, before=Cursor.of(""), limit=acts)
    entries = Narrator(context.store, NOBODY, page.entries, reader=Reader(user_id=reader.user_id)).rendered()
    return [one.text for one in entries]


def read_by_admins(context: Context, organization_id: UUID) -> list[str]:
    page = of_an_organization(
        context.store.statements, Selection(organization_id=organization_id), before=Cursor.of(""), limit=1_000
    )
    reader = Reader(organization_id=organization_id)
    return [one.text for one in Narrator(context.store, NOBODY, page.entries, reader=reader).rendered()]


def test_every_sentence_names_who_it_was_then_and_each_act_once(context: Context, database: Database) -> None:
    chances, now = Random(20), NOON
    people: list[Someone] = []
    before: list[History] = []
    erasures = seen = 0
    for number in range(HISTORIES):
        people = [one for one in people if not one.erased]
        while len(people) < 4:
            people.append(newcomer(context, database, now))
        history = History(context, database, chances, now, people, before)
        history.found()
        for _ in range(STEPS):
            history.step()
        now = min(history.now, NOON + timedelta(days=1))
        caught_up(database)
        assert read_by_admins(context, history.organization_id) == history.told_to_admins(), number
        for reader in history.living():
            told = history.told_to(reader)
            assert read_by(context, reader, max(1, len(told)))[: len(told)] == told, (number, reader)
        before = [*before, history]
        erasures += sum(one.erased for one in people)
        seen += len(history.acts)
    assert seen > 5 * HISTORIES
    assert erasures or HISTORIES < 10
