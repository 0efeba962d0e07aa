"""Who has their former address again by an ordinary change, while they could have undone the change, owes nothing to
whoever had the account meanwhile (decision 48).
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain.commands.email import request_email_change, verify_email
from domain.commands.password_reset import reset_password
from domain.mailed_link import UNDO_LIFETIME, Purpose
from domain.refusals import LinkNotFound
from tests.domain.commands.going import ADAS, THEIRS, Town
from tests.lived_by_mail import mailed

THIEFS, FURTHER = "thief@example.net", "thief.further@example.net"
OPEN = """
SELECT a.email IS NOT NULL, l.ended_at IS NULL FROM mailed_link_list l LEFT JOIN account_list a USING (email_hash)
 WHERE l.purpose = 'email_change_undo' ORDER BY l.sent_at, l.mailed_link_id
"""


def changes(town: Town, user_id: UUID, email: str) -> str | None:
    """The link that undoes it, None if nobody is offered that."""
    request_email_change(town.context, town.by(user_id), email=email, callback_url="")
    verify_email(
        town.context, link=mailed(town.context, user_id, Purpose.EMAIL_CHANGE), now=town.now, where_from=THEIRS
    )
    if (True,) not in [(is_open,) for _, is_open in town.database.rows(OPEN)]:
        return None
    return mailed(town.context, user_id, Purpose.EMAIL_CHANGE_UNDO)


def undoes(town: Town, link: str | None) -> None:
    assert link is not None
    town.now += timedelta(minutes=1)
    reset_password(town.context, link=link, password="battery staple 2", now=town.now, where_from=THEIRS)


def test_the_thief_cannot_undo_that_the_owner_has_their_address_again(town: Town) -> None:
    ada = town.signs_up(ADAS, "Ada")
    to_ada = changes(town, ada, THIEFS)
    assert changes(town, ada, ADAS) is None
    # nor can anybody by the link that is not needed any more
    with pytest.raises(LinkNotFound):
        undoes(town, to_ada)


def test_all_that_was_offered_since_is_withdrawn(town: Town) -> None:
    ada = town.signs_up(ADAS, "Ada")
    changes(town, ada, THIEFS)
    to_thief = changes(town, ada, FURTHER)
    changes(town, ada, ADAS)
    with pytest.raises(LinkNotFound):
        undoes(town, to_thief)
    assert [is_open for _, is_open in town.database.rows(OPEN)] == [False, False]


def test_a_change_to_an_address_that_was_given_up_long_ago_is_one_like_any_other(town: Town) -> None:
    ada = town.signs_up(ADAS, "Ada")
    to_ada = changes(town, ada, THIEFS)
    town.now += UNDO_LIFETIME
    town.signs_in(THIEFS)
    to_thief = changes(town, ada, ADAS)
    assert to_thief != to_ada
    undoes(town, to_thief)
