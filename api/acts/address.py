"""Changing the address of an account (wire.md §9, A3)."""

from __future__ import annotations

from anyio import to_thread

from api.edge.caller import CurrentBySession
from api.edge.even_time import evened
from domain.commands.email import request_email_change


async def request_change(current: CurrentBySession, *, email: str, callback_url: str) -> None:
    """Have a link sent to another address. What comes of it, and how long it takes, tells nobody whose that is.

    Raises as `domain.commands.email.request_email_change`, and TooManyAttempts.
    """

    def request() -> None:
        with current.services.mail_brake.sending(current.user_id) as admit:
            request_email_change(
                current.services.context, current.principal, email=email, callback_url=callback_url, admit=admit
            )

    async with evened():
        await to_thread.run_sync(request)
