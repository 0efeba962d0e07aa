"""Deleting one's own account, and what that means for the organizations one belongs to (wire.md §9, A8)."""

from __future__ import annotations

from enum import Enum
from functools import cache, partial
from typing import NamedTuple

from api.edge.authentication import clear_cookies, forget_device
from api.edge.caller import CurrentBySession
from api.edge.limiting.of_a_person import counters_of
from domain.commands.deletion_request import request_deletion
from domain.commands.erasure import delete_account
from domain.commands.queries import the_organization
from domain.mailed_link import Purpose


class Fate(Enum):
    """What becomes of an organization when one of its members deletes their account."""

    CLOSED = "closed"
    LEFT = "left"
    IN_THE_WAY = "in the way"


class Outcome(NamedTuple):
    """An organization, and what becomes of it."""

    name: str
    fate: Fate


def outcomes(current: CurrentBySession) -> list[Outcome]:
    """What becomes of each organization somebody belongs to; the account stays while one is in the way."""
    context = current.services.context
    found = []
    for one in context.lookups.belongings(current.user_id, reading=context.store.statements):
        if not one.open or one.membership_id is None:
            continue
        fate = Fate.LEFT
        if one.goes:
            fate = Fate.CLOSED
        else:
            [organization] = context.store.find(the_organization(one.organization_id))
            if organization is not None and organization.state.owners == {current.user_id}:
                fate = Fate.IN_THE_WAY
        found.append(Outcome(one.name or "", fate))
    return found


def have_link_sent(current: CurrentBySession, *, password: str | None, callback_url: str) -> bool:
    """Have a link sent by which the account is deleted; whether to an address it had before (decision 48).

    Raises as `domain.commands.deletion_request.request_deletion`.
    """
    services = current.services
    return request_deletion(
        services.context,
        current.principal,
        password=password,
        callback_url=callback_url,
        # counted once, however often it is decided
        admitted=cache(lambda address: services.mail_brake.admits(Purpose.ACCOUNT_DELETION, address)),
    )


def delete(current: CurrentBySession, *, password: str | None, link: str | None = None) -> None:
    """Delete the account of who asks; their cookies are taken away, also that of a known device.

    Raises as `domain.commands.erasure.delete_account`.
    """
    services = current.services
    delete_account(
        services.context,
        current.principal,
        password=password,
        link=link,
        counters=partial(counters_of, services.context.keyring),
    )
    clear_cookies(services, current.request)
    forget_device(services, current.request, current.user_id)
