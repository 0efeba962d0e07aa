"""What people and organizations show of themselves: an address they give, or a picture that is kept for them."""

from __future__ import annotations

from typing import NamedTuple

from domain.pictures import Picture, link_in
from domain.refusals import PictureNotKept
from domain.store import Subject
from domain.store.pictures import find_picture, kept_picture, no_picture
from domain.store.rows import Write

from .context import Context

Wanted = Picture | str | None
"""What somebody wants to show: a picture, an address, or nothing."""


class ToShow(NamedTuple):
    """Where what its owner shows is found, as events say it, and what is kept beside them if that is another.

    `before` is what was shown until now. It is None if that was a picture which got lost and is here again: events say
    nothing of what is kept, so what only they are asked would never be made whole.
    """

    url: str | None
    writes: list[Write]
    before: str | None


def shown(context: Context, owner: Subject, wanted: Wanted, *, before: str | None = None) -> ToShow:
    """What is to be shown instead of what was `before`.

    The address of a picture that is kept for this owner is as good as the picture, however it is spelled. Any other of
    that form would lead nowhere, at once or on the day somebody else changes theirs: only what is shown anyway stays.
    Raises PictureNotKept, SubjectGone, StoreUnavailable.
    """
    owner_id = owner.subject_id
    if isinstance(wanted, Picture):
        key = context.store.key_of(owner)
        link = context.keyring.picture_link(owner_id, wanted.content)
        url, write = f"{context.pictures_at}{link}", kept_picture(owner_id, key, link=link, content=wanted.content)
        lost = url == before and not _keeps(context, owner, link)
        return ToShow(url, [write], None if lost else before)
    if not wanted:
        return ToShow(None, [no_picture(owner_id)], before)
    link_given = link_in(wanted)
    if link_given is None or wanted == before:
        return ToShow(wanted, [no_picture(owner_id)], before)
    if not _keeps(context, owner, link_given):
        raise PictureNotKept
    return ToShow(f"{context.pictures_at}{link_given}", [], before)


def _keeps(context: Context, owner: Subject, link: str) -> bool:
    """Whether this picture is there for its owner, and whole."""
    return find_picture(context.store.statements, context.keyring, link, of=owner.subject_id) is not None
