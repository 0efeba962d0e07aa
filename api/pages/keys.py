"""Account → Keys: secrets by which programs act as somebody. One is shown when it is made, and never again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from api.edge.caller import CurrentBySession
from api.edge.ids_given import id_in
from api.edge.query import ExactQuery
from domain.commands import api_key as commands
from domain.commands.api_key import KeyChanges, KeyWanted, MadeKey
from domain.key_refusals import KeyNotFound
from domain.refusals import Refusal
from domain.scopes import GRANTABLE, READ, Scopes, scopes_in
from domain.store.connections import Statements
from projections.lists.api_key_list import ApiKeyRow, KeyPage, key_of, keys_of, scopes_of
from projections.lists.organization_list import OrganizationRow, organizations_of

from .page_caller import PageCaller, see_other
from .page_route import CurrentPageCaller, Pages
from .wording import marked as _

pages = Pages()

PATH = "/account/keys"
_PRESET = "90"
_A_PAGE = 15
LIFETIMES: Mapping[str, str] = {
    "30": _("30 days"),
    _PRESET: _("90 days"),
    "365": _("One year"),
    "": _("It does not end by itself"),
}
"""Days for which a key may be made, and how that is called. None is chosen on purpose only."""
SCOPES: Mapping[str, str] = {
    "read": _("Look at my organizations"),
    "organization:update": _("Change an organization"),
    "member:update": _("Change what members may"),
    "member:delete": _("Remove members"),
    "invitation:create": _("Invite people as members"),
    "invitation:cancel": _("Take invitations back"),
}
_UNUSED_FOR = timedelta(days=90)
_OLD_STAYS = timedelta(days=1)
"""How long a key that was made anew is good still: programs are to be given the new one."""


def field_of(scope: str) -> str:
    """What the box for a scope is called."""
    return f"may_{scope.replace(':', '_')}"


class KeyForm(BaseModel):
    """A key to be made: its `days`, all that its owner may or `chosen` scopes, each a field of its own."""

    model_config = ConfigDict(extra="allow")

    name: str = ""
    days: str = _PRESET
    extent: str = "chosen"
    organization: str = ""

    @property
    def scopes(self) -> Scopes | None:
        """Those that were chosen, None for all. Raises UnknownScope if none was."""
        if self.extent == "all":
            return None
        return scopes_in(scope for scope in GRANTABLE if self.chose(scope))

    def chose(self, scope: str) -> bool:
        """Whether a scope was ticked."""
        return (self.model_extra or {}).get(field_of(scope)) == "on"


_NEW = KeyForm.model_validate({field_of(READ): "on"})


class KeysQuery(ExactQuery):
    """Which page of them, and what was done before."""

    page: str = ""
    done: str = ""


class OfKey(BaseModel):
    """Which key."""

    key: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as its owner sees it; `may` and `only` say what it is for, empty if for everything."""

    handle: str
    name: str
    start: str
    may: list[str]
    only: str
    made_at: datetime
    ends_at: datetime | None
    used_at: datetime | None
    where: str
    over: bool
    enabled: bool
    unused: bool


@pages.show(PATH)
def keys_page(caller: CurrentPageCaller, query: Annotated[KeysQuery, Query()]) -> Response:
    page = int(query.page) if query.page.isascii() and query.page.isdecimal() and len(query.page) < 6 else 1
    return _page(caller.saying(query.done), caller.require_person(), _NEW, page=max(1, page))


@pages.act(PATH, "make_api_key")
def make(caller: CurrentPageCaller, form: KeyForm) -> Response:
    current = caller.require_person()
    # a key outlasts the session of whoever sits at somebody's browser for a minute
    current.require_fresh()
    days = form.days if form.days in LIFETIMES else _PRESET
    lifetime = timedelta(days=int(days)) if days else None
    try:
        wanted = KeyWanted(
            name=form.name.strip(),
            lifetime=lifetime,
            scopes=form.scopes,
            organization_id=id_in(form.organization),
        )
        made = commands.make_key(caller.services.context, current.principal, wanted)
    except Refusal as refused:
        return _page(caller, current, form, caller.problems_of(refused))
    return _shown_once(caller, current, made)


@pages.act(f"{PATH}/rotate", "rotate_api_key")
def rotate(caller: CurrentPageCaller, form: OfKey) -> Response:
    current = caller.require_person()
    current.require_fresh()
    try:
        made = commands.rotate_key(caller.services.context, current.principal, _handle(form), old_good_for=_OLD_STAYS)
    except Refusal as refused:
        return _page(caller, current, _NEW, caller.problems_of(refused))
    return _shown_once(caller, current, made, anew=True)


@pages.act(f"{PATH}/end", "delete_api_key")
def end(caller: CurrentPageCaller, form: OfKey) -> Response:
    return _done(
        caller,
        lambda current: commands.delete_key(caller.services.context, current.principal, _handle(form)),
        "key-ended",
    )


@pages.act(f"{PATH}/disable", "change_api_key")
def disable(caller: CurrentPageCaller, form: OfKey) -> Response:
    return _done(
        caller,
        lambda current: commands.change_key(
            caller.services.context, current.principal, _handle(form), KeyChanges(enabled=False)
        ),
        "key-disabled",
    )


@pages.act(f"{PATH}/enable", "change_api_key")
def enable(caller: CurrentPageCaller, form: OfKey) -> Response:
    return _done(
        caller,
        lambda current: commands.change_key(
            caller.services.context, current.principal, _handle(form), KeyChanges(enabled=True)
        ),
        "key-enabled",
    )


@pages.act(f"{PATH}/end-all", "revoke_api_keys")
def end_all(caller: CurrentPageCaller) -> Response:
    return _done(caller, lambda current: commands.revoke_keys(caller.services.context, current.principal), "keys-ended")


def _done(caller: PageCaller, act: Callable[[CurrentBySession], object], done: str) -> Response:
    current = caller.require_person()
    try:
        act(current)
    except Refusal as refused:
        return _page(caller, current, _NEW, caller.problems_of(refused))
    return see_other(PATH, done=done)


def _handle(form: OfKey) -> UUID:
    api_key_id = id_in(form.key)
    if api_key_id is None:
        raise KeyNotFound
    return api_key_id


def _shown_once(caller: PageCaller, current: CurrentBySession, made: MadeKey, *, anew: bool = False) -> Response:
    row = key_of(caller.services.context.store.statements, current.user_id, made.api_key_id)
    if row is None:
        raise KeyNotFound
    return caller.page("key_made.html", secret=made.secret, name=row.name or "", anew=anew)


def _page(
    caller: PageCaller,
    current: CurrentBySession,
    form: KeyForm,
    problems: dict[str, str] | None = None,
    *,
    page: int = 1,
) -> Response:
    read = caller.services.context.store.statements
    organizations = organizations_of(read, current.user_id)
    found = _some(read, current.user_id, page)
    last = max(1, -(-found.total // _A_PAGE))
    if page > last:
        page, found = last, _some(read, current.user_id, last)
    return caller.page(
        "keys.html",
        status=400 if problems else 200,
        keys=[_told(caller, row, organizations) for row in found.keys],
        page=page,
        last=last,
        form=form,
        problems=problems or {},
        lifetimes=_lifetimes(caller),
        scopes=[(field_of(scope), text, form.chose(scope)) for scope, text in SCOPES.items()],
        organizations=organizations,
    )


def _some(read: Statements, user_id: UUID, page: int) -> KeyPage:
    """A page of somebody's keys, newest first."""
    offset = (page - 1) * _A_PAGE
    return keys_of(read, user_id, sort_by="createdAt", descending=True, limit=_A_PAGE, offset=offset)


def _lifetimes(caller: PageCaller) -> dict[str, str]:
    """Those that the settings allow."""
    rules = caller.services.context.rules
    found = {
        days: text
        for days, text in LIFETIMES.items()
        if (rules.key_shortest <= timedelta(days=int(days)) <= rules.key_longest if days else not rules.key_lifetime)
    }
    return found or {"": caller.text(_AS_SET)}


def _told(caller: PageCaller, row: ApiKeyRow, organizations: list[OrganizationRow]) -> Key:
    now, services = caller.request.now, caller.services
    pending = services.last_active_buffer.held().pending(row.api_key_id)
    used = max((at for at in (row.used_at, pending) if at is not None), default=None)
    journal = caller.wording.journal
    names = {one.organization_id: one.name or "" for one in organizations}
    only = "" if row.organization_id is None else names.get(row.organization_id, caller.text(_GONE))
    return Key(
        handle=row.api_key_id.hex,
        name=row.name or caller.text(_NAMELESS),
        start=row.start or "",
        may=[SCOPES[scope] for scope in scopes_of(row.scopes) or () if scope in SCOPES],
        only=only,
        made_at=row.created_at,
        ends_at=row.expires_at,
        used_at=used,
        where=journal.where(journal.device(row.used_user_agent), services.places(row.used_ip_address, journal.code)),
        over=row.expires_at is not None and now >= row.expires_at,
        enabled=row.enabled,
        unused=now - (used or row.created_at) >= _UNUSED_FOR,
    )


_AS_SET = _("As long as keys are good here")
_NAMELESS = _("A key without a name")
_GONE = _("An organization you do not belong to any more")
