"""How many messages of a kind went out lately about one account: asked before another is made.

Counted are those that are written down as sent, so that one that is tried again is not counted twice, and none that was
never sent. Several nodes that send at the same moment may each send one more.
"""

from __future__ import annotations

from uuid import UUID

from domain.store.connections import Statements

from .due import NEW_DEVICE, PASSWORD_CHANGED

_LATELY = "d.state = 'sent' AND d.ended_at > statement_timestamp() - interval '1 hour'"
_NEW_DEVICES = f"""
SELECT count(*) FROM (
    SELECT FROM session_list s JOIN deliveries d ON d.kind = '{NEW_DEVICE}' AND d.stream_id = s.session_id
     WHERE s.user_id = $1 AND {_LATELY} LIMIT $2) AS sent
"""
_PASSWORDS = f"""
SELECT count(*) FROM (
    SELECT FROM deliveries d WHERE d.kind = '{PASSWORD_CHANGED}' AND d.stream_id = $1 AND {_LATELY} LIMIT $2) AS sent
"""


def new_devices_told(read: Statements, user_id: UUID, *, at_most: int) -> int:
    """Of how many new devices of this account somebody was told within the hour, as far as that. Raises
    StoreUnavailable.
    """
    [[told]] = read.rows(_NEW_DEVICES, user_id, at_most)
    return int(told)


def passwords_told(read: Statements, user_id: UUID, *, at_most: int) -> int:
    """Of how many changes of its password, as far as that. Raises StoreUnavailable."""
    [[told]] = read.rows(_PASSWORDS, user_id, at_most)
    return int(told)
