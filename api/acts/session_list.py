"""The devices a person is signed in on, as the moment has it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from api.edge.batching.session_lists import SessionListKey, SessionView
from api.edge.caller import CurrentBySession


class ShownSession(NamedTuple):
    """A session of somebody who looks at their list; `current` is the one they look through."""

    view: SessionView
    active_at: datetime
    current: bool


async def sessions_of(current: CurrentBySession, *, limit: int | None, offset: int) -> list[ShownSession]:
    """All of a person's live sessions, or a page of them: this one, then those last used. Raises StoreUnavailable."""
    services, session, now = current.services, current.session, current.request.now
    lifetimes, held = services.context.lifetimes, services.last_active_buffer.held()
    key = SessionListKey(session.user_id, session.session_id, now, lifetimes.started_after(now), limit, offset)
    rows = await services.session_lists.sessions_of(key)
    used = {view.row.session_id: max(at, held.pending(view.row.session_id) or at) for view, at in rows}
    used[session.session_id] = now
    shown = [
        ShownSession(view, used[view.row.session_id], view.row.session_id == session.session_id) for view, _ in rows
    ]
    # what is not written down yet may have another order
    shown.sort(key=lambda one: (one.current, one.active_at), reverse=True)
    return shown
