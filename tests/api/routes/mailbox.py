"""The mail that people get: what is due is sent by the product's own sender into a folder, and read there."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from api.deliveries.channels import channels, transport
from api.deliveries.sender import Sender
from api.settings import Settings
from domain.clock import Clock
from domain.store import Store
from domain.store.connections import connection_arguments, open_pool
from domain.store.requirements import open_keyring
from projections import INLINE
from projections.deliveries.queue import Queue
from tests.api.browser import BASE
from tests.api.conftest import settings_for
from tests.databases import Database
from tests.keeping import caught_up
from tests.people import SECRET
from tests.server import application

_LINK = re.compile(r"https?://\S+")


@dataclass(frozen=True)
class Link:
    """Where a link in a mail leads: `path` is all of it behind the host, `token` its secret."""

    path: str
    token: str
    callback_url: str

    @property
    def route(self) -> str:
        """The route of the contract that does what the link is for, with the same token: a page asks before it does."""
        return self.path.replace("/confirm-address?", f"{BASE}/verify-email?")


def link_in(mail: EmailMessage, origin: str) -> Link:
    """The one link that leads to a page of `origin`; the same in the text and in the HTML."""
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    [link] = _LINK.findall(text.get_content())
    assert link.replace("&", "&amp;") in html.get_content()
    assert link.startswith(f"{origin}/")
    url = urlsplit(link)
    query = parse_qs(url.query, keep_blank_values=True)
    token = query["token"][0] if "token" in query else url.path.rpartition("/")[2]
    return Link(link.removeprefix(origin), token, query["callbackURL"][0])


@dataclass
class Postman:
    """Brings what is due. The mails of a person are in the order in which they went out."""

    database: Database
    settings: Settings
    clock: Clock

    def mails_to(self, email: str, kind: str = "*") -> list[EmailMessage]:
        """All that an address ever got, of one kind or of any; those that went out together are in no order."""
        return [mail for mail in self.all_mails(kind) if mail["To"] == email]

    def all_mails(self, kind: str = "*") -> list[EmailMessage]:
        """All that anybody ever got, of one kind or of any."""
        folder = self.settings.mail_folder
        assert folder is not None
        self._bring()
        files = sorted(folder.glob(f"{kind}.*.eml"), key=lambda file: file.stat().st_mtime_ns)
        found = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
        return [one for one in found if isinstance(one, EmailMessage)]

    def subjects_to(self, email: str) -> list[str]:
        """What those are called."""
        return [str(one["Subject"]) for one in self.mails_to(email)]

    def link_to(self, email: str, kind: str = "*") -> Link:
        """The link in the last mail that an address got; the same in its text and in its HTML."""
        return link_in(self.mails_to(email, kind)[-1], self.settings.origin)

    def _bring(self) -> None:
        caught_up(self.database)
        with psycopg.connect(self.database.application_url, **connection_arguments("tests")) as connection:
            keyring = open_keyring(connection, SECRET)
        with open_pool(self.database.application_url, size=1, name="postman") as pool, transport(self.settings) as way:
            store = Store(pool, keyring, INLINE)
            sender = Sender(Queue(store.statements), channels(self.settings, store, self.clock, way))
            while sender.send_due(threading.Event()):
                pass


def postman_of(database: Database, clock: Clock, folders: pytest.TempPathFactory, **settings: object) -> Postman:
    """Of an application whose mail lies in a folder of its own."""
    return Postman(database, settings_for(database, mail_folder=folders.mktemp("mail"), **settings), clock)


@contextmanager
def serving(postman: Postman) -> Iterator[str]:
    """That application; where it answers is what the links in its mail say."""
    with application(postman.settings, postman.clock) as url:
        postman.settings = postman.settings.model_copy(update={"port": int(url.rpartition(":")[2])})
        yield url
