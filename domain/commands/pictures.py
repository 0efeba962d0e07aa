"""What people and organizations show of themselves: an address they give, or a picture that is kept for them."""

from __future__ import annotations

from domain.pictures import Picture
from domain.store import Subject
from domain.store.pictures import kept_picture
from domain.store.rows import Write

from .context import Context

Wanted = Picture | str | None
"""What somebody wants to show: a picture, an address, or nothing."""


def shown(context: Context, owner: Subject, wanted: Wanted) -> tuple[str | None, list[Write]]:
    """Where what its owner shows is found, as events say it, and what is kept beside them, if it is a picture.

    Raises SubjectGone, StoreUnavailable.
    """
    if not isinstance(wanted, Picture):
        return wanted, []
    owner_id, key = owner.subject_id, context.store.key_of(owner)
    link = context.keyring.picture_link(owner_id, wanted.content)
    return f"{context.pictures_at}{link}", [kept_picture(owner_id, key, link=link, content=wanted.content)]
