"""Having a link sent that proves an address, as often as its mailbox may get one."""

from __future__ import annotations

from contextlib import suppress

from api.edge.caller import Client
from domain.commands.mailed_link import request_verification
from domain.mailed_link import Purpose
from domain.refusals import Conflict, SubjectGone


def have_verification_sent(client: Client, address: str, *, callback_url: str) -> None:
    """Have the link sent to who has this canonical address, if it is not proved; if it may have one more message."""
    services, request = client.services, client.request
    if not services.mail_brake.admits(Purpose.EMAIL_VERIFICATION, address):
        return
    # what only an account that there is may meet says nothing to who asks
    with suppress(Conflict, SubjectGone):
        request_verification(
            services.context, email=address, callback_url=callback_url, now=request.now, where_from=request.where_from
        )
