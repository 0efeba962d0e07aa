"""The journal as somebody may read it: their own, or that of an organization they own or administrate."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple
from uuid import UUID

from api.edge.caller import CurrentBySession, CurrentPrincipal
from api.edge.problems import Problem
from domain.roles import Role
from projections.lists.member_list import live_role, role_when_closed
from projections.trails.activity import OwnSelection, Page, Selection, last_about_role, of_a_person, of_an_organization
from projections.trails.cursor import Cursor
from projections.trails.language import ENGLISH, Language
from projections.trails.names import Reader
from projections.trails.narrator import Narrator, RenderedEntry

FORBIDDEN = "YOU_ARE_NOT_ALLOWED_TO_READ_THE_ACTIVITY_OF_THIS_ORGANIZATION"
NOT_A_MEMBER = "YOU_ARE_NOT_A_MEMBER_OF_THIS_ORGANIZATION"
_READERS = {Role.OWNER, Role.ADMIN}


class Entries(NamedTuple):
    """A page of entries in words, newest first, and the cursor of the next page; None at the end."""

    entries: Sequence[RenderedEntry]
    next_cursor: str | None


def own_activity(
    current: CurrentBySession, only: OwnSelection, *, cursor: str, limit: int, language: Language = ENGLISH
) -> Entries:
    """What somebody did and what was done to their account. Raises BadCursor."""
    context = current.services.context
    page = of_a_person(
        context.store.statements,
        context.keyring,
        current.user_id,
        before=Cursor.of(cursor),
        limit=limit,
        only=only,
    )
    return _rendered(current, page, Reader(user_id=current.user_id), language)


def organization_activity(
    current: CurrentPrincipal, selection: Selection, *, cursor: str, limit: int, language: Language = ENGLISH
) -> Entries:
    """What happened in an organization. Raises BadCursor."""
    read = current.services.context.store.statements
    page = of_an_organization(read, selection, before=Cursor.of(cursor), limit=limit)
    return _rendered(current, page, Reader(organization_id=selection.organization_id), language)


def require_readable(current: CurrentPrincipal, organization_id: UUID) -> None:
    """Somebody may read the trail of an organization, by committed state (wire.md §10: as members are listed).

    Of a closed one, those who owned it last may still read what became of it. Raises Problem.
    """
    read = current.services.context.store.statements
    if not current.reaches(organization_id):
        raise Problem.of_code(NOT_A_MEMBER)
    role = live_role(read, organization_id, current.user_id)
    if role is None:
        last = role_when_closed(read, organization_id, current.user_id)
        if Role.OWNER not in _roles(last or ""):
            raise Problem.of_code(NOT_A_MEMBER)
    elif _READERS.isdisjoint(_roles(role)):
        raise Problem.of_code(FORBIDDEN)


def _roles(text: str) -> list[str]:
    """As they are stored, also those that a later release knows."""
    return [part.strip() for part in text.split(",")]


def role_given(
    current: CurrentBySession, organization_id: UUID, *, language: Language = ENGLISH
) -> Sequence[RenderedEntry]:
    """How somebody came by what they are in an organization, and by whose offer; empty where that is not told yet."""
    page = last_about_role(current.services.context.store.statements, current.user_id, organization_id)
    return _rendered(current, page, Reader(user_id=current.user_id), language).entries


def _rendered(current: CurrentPrincipal, page: Page, reader: Reader, language: Language) -> Entries:
    services = current.services
    locate = partial(services.places, language=language.code)
    narrator = Narrator(services.context.store, locate, page.entries, reader=reader, language=language)
    return Entries(narrator.rendered(), page.next_cursor)
