"""A late answer to a replaced session must not hand its dead cookie out over its successor's (wire.md A22)."""

from __future__ import annotations

from domain.commands.context import Context
from tests.faults.at_once import Request, Sent, at_once, lines_to
from tests.faults.owners import joined, signed_in
from tests.server import Server

SETTINGS = {"SESSION_REFRESH_AFTER": 0}
ROUNDS = 40


def test_a_refusal_hands_no_cookie_out(server: Server, context: Context) -> None:
    ada, over, given = joined(server, "ada@example.com"), 0, 0
    with lines_to(server, 1) as by_worker:
        for number in range(ROUNDS):
            tab = signed_in(context, ada)
            new_password = f"battery staple {number}"
            fields = {"currentPassword": ada.password, "newPassword": new_password, "revokeOtherSessions": True}
            change = Request(method="POST", path="/change-password", token=tab.token, fields=fields)
            confirm = Request(
                method="POST", path="/verify-password", token=tab.token, fields={"password": ada.password}
            )
            changed, confirmed = at_once([Sent(by_worker[0][0], change), Sent(by_worker[1][0], confirm, 0.04)])
            assert changed.status == 200
            ada.password = new_password
            if confirmed.status == 401:
                over += 1
                given += confirmed.set_cookies != []
    assert over > 0
    assert given == 0
