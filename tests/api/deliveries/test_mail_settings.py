"""What an operator says about mail: whom it is from, which page its links open, and what is none of either."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from api.settings import Settings


@pytest.mark.parametrize(
    ("given", "sender", "page"),
    [
        ({}, "no-reply@localhost", "http://localhost:8000/"),
        ({"base_url": "https://accounts.example.com:8443"}, "no-reply@accounts.example.com",
         "https://accounts.example.com:8443/"),
        ({"mail_from": "Accounts <a@x.io>", "invitation_page": "https://app.x.io/#/join?a=b"}, "Accounts <a@x.io>",
         "https://app.x.io/#/join?a=b"),
    ],
)  # fmt: skip
def test_what_is_not_said_follows_from_how_the_service_is_reached(
    given: dict[str, str], sender: str, page: str
) -> None:
    settings = Settings.model_validate(given)
    assert (settings.mail_sender, settings.page_of_invitations) == (sender, page)


@pytest.mark.parametrize(
    "sender",
    [
        "Accounts",
        "Accounts <>",
        "a@x.io, b@x.io",
        "a@x.io\r\nBcc: b@x.io",
        "A\x00 <a@x.io>",
        "a@localhost",
        "Ä <ä@x.io>",
    ],
)
def test_what_is_no_sender_is_refused(sender: str) -> None:
    with pytest.raises(ValidationError, match="must be one address"):
        Settings(mail_from=sender)


@pytest.mark.parametrize(
    "page",
    ["/join", "app.x.io/join", "ftp://x.io/", "javascript:alert(1)", "https://", "https://u:p@x.io/",
     "https://x.io/a b", "https://x.io/\n", "https://x.io/jöin"],
)  # fmt: skip
def test_what_is_no_page_is_refused(page: str) -> None:
    with pytest.raises(ValidationError, match="must be a URL"):
        Settings(invitation_page=page)
