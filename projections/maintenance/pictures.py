"""Whether each picture that is kept is shown, opens, and is the one under its link; and each that is shown is kept."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from cryptography.exceptions import InvalidTag
from psycopg import Connection

from domain.events.keys import Keyring
from domain.pictures import LINK, PATH
from domain.store.connections import Values
from domain.store.pictures import open_picture
from domain.store.streams import FIRST

from .finding import Finding, Violations

# The lists say what is shown; of a closed organization nothing is.
_KEPT = """
SELECT p.owner_id, p.sealed, k.wrapped, p.link,
       position('/' || p.link IN coalesce(a.image, o.logo, '')) > 0
  FROM pictures p
  LEFT JOIN subject_keys k ON k.subject_id = p.owner_id
  LEFT JOIN account_list a ON a.user_id = p.owner_id
  LEFT JOIN organization_list o ON o.organization_id = p.owner_id AND o.ended_at IS NULL
 WHERE p.link IS NOT NULL AND p.owner_id > %s ORDER BY p.owner_id LIMIT %s
"""
# By the path alone: a service may have had other hosts, and no command takes an address of this form that is dead.
_MISSING = r"""
SELECT count(*), min(shown.owner_id::text)
  FROM (SELECT user_id, image FROM account_list
         UNION ALL SELECT organization_id, logo FROM organization_list WHERE ended_at IS NULL) AS shown (owner_id, url)
 WHERE url ~ %s
   AND NOT EXISTS (SELECT FROM pictures p WHERE p.owner_id = shown.owner_id AND p.link = right(url, 32))
"""
_OURS = f"^(https?://[^/?#]+)?{PATH}{LINK}$"
_CHUNK = 50


def pictures(connection: Connection[Values], keyring: Keyring) -> Iterator[Finding]:
    """What is wrong with any of them."""
    unseen, broken = Violations("each picture is shown by its owner"), Violations("each picture is what was kept")
    after: UUID = FIRST
    while rows := connection.execute(_KEPT, (after, _CHUNK), binary=True).fetchall():
        for owner_id, sealed, wrapped, link, is_shown in rows:
            if not is_shown:
                unseen.add(owner_id)
            if not _opens(keyring, owner_id, sealed, wrapped, link):
                broken.add(owner_id)
        after = rows[-1][0]
    yield from unseen.findings()
    yield from broken.findings()
    [times, first] = connection.execute(_MISSING, (_OURS,)).fetchone() or (0, "")
    if times:
        yield Finding("each picture that is shown is there", times, first)


def _opens(keyring: Keyring, owner_id: UUID, sealed: bytes, wrapped: bytes | None, link: str) -> bool:
    """Whether it opens, and to the bytes that its link was made of; without its owner's key it should not be there."""
    if wrapped is None:
        return False
    try:
        content = open_picture(keyring, owner_id, sealed, wrapped, link=link)
    except InvalidTag:
        return False
    return keyring.picture_link(owner_id, content) == link
