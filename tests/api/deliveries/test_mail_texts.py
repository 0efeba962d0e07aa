"""What mails say: every kind, with names that people chose, and with templates that operators wrote."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from datetime import datetime
from html.parser import HTMLParser
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.deliveries import mail_values
from api.deliveries.inert import as_address, as_ip_address, as_link, as_name, as_text
from api.deliveries.mail import Mail
from api.deliveries.mail_texts import MailTexts
from api.deliveries.mail_values import EXAMPLES, Invitation, MailValues, PasswordReset
from api.setting_values import Mailbox
from tests.people import NOON

OURS = MailTexts()
SENDER = Mailbox("Accounts", "no-reply@accounts.example.com")
LINK = "https://accounts.example.com/page?token=0123456789abcdef0123456789abcdef"
EVERY = [pytest.param(values, id=values.kind) for examples in EXAMPLES.values() for values in examples]

_HOSTS = ["evil.example", "EVIL.EXAMPLE", "www.evil.example", "login.evil.example", "evil.xn--p1ai",
          "evil.рф", "evil.网络", "bücher.example", "evil。example", "evil\uff0eexample", "evil\uff61com",
          "evil\u2024com", "192.0.2.1",
          "xn--80ak6aa92e.com"]  # fmt: skip
_AROUND = ["{}", "{}/login", "https://{}", "http://{}/a?b=c#d", "//{}", "Acme.{}", "bo@{}", "ftp://u:p@{}:8080/",
           "HTTPS://{}", "({})", "<a href='https://{}'>here</a>"]  # fmt: skip
HOSTILE = [
    *(around.format(host) for host, around in zip(_HOSTS * 2, _AROUND * 3, strict=False)),
    *(around.format("evil.example") for around in _AROUND),
    "javascript:alert(1)",
    "mailto:bo@evil.example?subject=x",
    "tel:+15550100",
    "data:text/html,<script>alert(1)</script>",
    "localhost:8000/x",
    "https://localhost",
    r"\\evil\share",
    "https\uff1a//evil.example",
    "evil.\u200bexample",
    "evil\u00ad.example",
    "ev\u2060il.example",
    "\u202eelpmaxe.live\u202c",
    "\u2066evil.example\u2069",
    "\u200fevil.example",
    "<script>alert(1)</script>",
    '"><script src=//evil.example></script>',
    "<img src=x onerror=alert(1)>",
    "</p></body></html><h1>Locked</h1>",
    "<!-- ",
    "{{ 7 * 7 }}",
    "{% include 'invitation.txt' %}",
    "Acme\r\nBcc: cy@example.com",
    "Acme\n\n--=_\n\n<b>",
    "Acme\u2028Bcc: cy@example.com",
    "Acme\x00\x07",
    "Acme”. Pay at evil.example “",
    "&#60;script&#62;",
    "&lt;a href=//evil.example&gt;",
]
_LOOKS_LIKE_A_LINK = re.compile(
    r"(?:https?|ftp|javascript|data|mailto|tel|localhost):|\\\\\w|\bwww\."
    r"|\w[.\u3002\uff0e\uff61\u2024](?:[a-z]{2}|[^\W\d_a-z])|\d+\.\d+\.\d+\.\d+",
    re.IGNORECASE,
)
"""What programs look for, told apart from what is looked for in the code under test."""
_HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\u00ad\u2028\x00-\x09\x0b-\x1f]")


class Markup(HTMLParser):
    """The elements of a page, where its links lead, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements, self.links, self.text = list[str](), list[str](), ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        assert not any(name.startswith("on") for name, _ in attributes)
        self.links += [value or "" for name, value in attributes if name in ("href", "src", "action")]

    def handle_data(self, data: str) -> None:
        self.text += data


def written(values: MailValues, texts: MailTexts = OURS) -> Mail:
    return texts.written(values, name="kind.1", sender=SENDER, recipient="bo@example.com", at=NOON)


def with_text(values: MailValues, text: str) -> MailValues:
    """With it wherever a person may have a say, where an address stands too."""
    hints = get_type_hints(type(values), include_extras=True)
    ours = {field.name for field in fields(values) if "as_link" in str(hints[field.name])}
    texts = {field.name for field in fields(values) if isinstance(getattr(values, field.name), str)} - ours
    return replace(values, **dict.fromkeys(texts, text))


def without(text: str, *known: str) -> str:
    for one in known:
        text = text.replace(one, "")
    return text


def test_there_is_an_example_of_every_kind() -> None:
    kinds = {one for one in vars(mail_values).values() if isinstance(one, type) and issubclass(one, MailValues)}
    assert {type(examples[0]) for examples in EXAMPLES.values()} == kinds - {MailValues}


@pytest.mark.parametrize("values", EVERY)
def test_every_kind_says_in_html_what_it_says_in_text(values: MailValues) -> None:
    mail = written(values)
    page = Markup(mail.html)
    given = {getattr(values, name, None) for name in ("link", "undo_link", "page")} - {None}
    assert set(page.links) == given
    assert all(link in mail.text and link in page.text for link in given)
    assert {"script", "style", "img", "form", "iframe", "link"}.isdisjoint(page.elements)
    for one in re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC|“.+?”|\S+@\S+\w", mail.text):
        assert one in page.text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_people_chose_is_inert_in_every_kind(hostile: str) -> None:
    for examples in EXAMPLES.values():
        for values in examples:
            plain, mail = written(with_text(values, "Cy")), written(with_text(values, hostile))
            page = Markup(mail.html)
            assert page.elements == Markup(plain.html).elements
            assert page.links == Markup(plain.html).links
            for shown in (mail.subject, mail.text, page.text):
                # an address stands where an address is meant, and leads to nobody's page
                rest = without(shown, LINK, *re.findall(r"[\w.]+@[\w.]+", hostile, re.ASCII))
                assert not _LOOKS_LIKE_A_LINK.search(rest), _LOOKS_LIKE_A_LINK.search(rest)
                assert not _HIDDEN.search(shown)
            # as many lines as it has without: none of them is a name's
            assert mail.text.count("\n") == plain.text.count("\n")


def test_there_are_enough_hostile_names() -> None:
    assert len(set(HOSTILE)) >= 64


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_no_text_looks_like_a_link_or_ends_its_line(text: str) -> None:
    shown = as_name(text, otherwise="nobody")
    assert shown == "nobody" or (shown[0], shown[-1]) == ("“", "”")
    assert len(shown.splitlines()) == 1
    assert not _HIDDEN.search(shown)
    assert not re.search(r"[a-z]://|\w\.[a-z]{2}", shown, re.IGNORECASE | re.ASCII)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("evil.example/login", "evil[.]example/login"),
        ("https://evil.example", "https[:]//evil[.]example"),
        ("J.R. Smith & Sons, Inc.", "J.R. Smith & Sons, Inc."),
        ("St. Mary", "St. Mary"),
        ("Version 2.0 at 12:30", "Version 2.0 at 12:30"),
        ("Acme: Tools", "Acme: Tools"),
        ("And so on...", "And so on..."),
    ],
)
def test_only_what_looks_like_a_link_is_changed_and_can_be_seen(name: str, shown: str) -> None:
    assert as_text(name) == shown


def test_addresses_stay_as_they_are_and_what_is_none_does_not() -> None:
    assert as_address("ada@example.com") == "ada@example.com"
    assert as_address("see evil.example") == "see evil[.]example"
    assert as_ip_address("192.0.2.7") == "192.0.2.7"
    assert as_ip_address("2001:db8::1") == "2001:db8::1"
    assert as_ip_address("evil.example") == "evil[.]example"


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "evil.example", "https://x.io/\n", 'https://x.io/"><b>', "https://x.io/a b", ""]
)
def test_what_is_no_url_of_ours_becomes_no_link(link: str) -> None:
    with pytest.raises(ValueError, match="no link"):
        as_link(link)
    with pytest.raises(ValueError, match="no link"):
        written(PasswordReset(link=link, expires_at=NOON))


def test_an_organization_of_which_nothing_is_to_be_seen_is_called_something() -> None:
    invitation: Any = EXAMPLES["invitation"][0]
    assert isinstance(invitation, Invitation)
    for name in ("\u200b", "", None):
        assert written(replace(invitation, organization=name)).subject == "Invitation to an organization"


def test_a_reset_says_in_plain_english_that_it_was_asked_for() -> None:
    mail = written(PasswordReset(link=LINK, expires_at=NOON))
    assert mail.text.startswith("We were asked for a new password for your account at Accounts.\n")
    assert "you we hope" not in mail.text + mail.html


def test_moments_are_told_in_utc() -> None:
    values = PasswordReset(link=LINK, expires_at=datetime.fromisoformat("2026-03-14T13:00:30+00:00"))
    assert "until 2026-03-14 13:00 UTC" in written(values).text
