"""The running product as tests in browsers find it: its pages, its mail, its clock, and people who have an account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import quote

from domain.ids import new_id
from tests.api.browser import Answer, Browser
from tests.api.conftest import HandClock, settings_for
from tests.api.routes.mailbox import Postman, serving
from tests.browser.devices import LAPTOP
from tests.databases import Database
from tests.keeping import caught_up

_numbers = count(1)


class Account(Browser):
    """Somebody with an account, who does over the API what a story takes for granted."""

    def __init__(self, url: str, name: str, email: str, *, device: str = LAPTOP, address: str = "") -> None:
        super().__init__(url)
        self.name, self.email, self.device, self.address = name, email, device, address

    def post(self, path: str, fields: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """As any browser, with the name of the device, and from its address if it has one."""
        behind = {"X-Forwarded-For": self.address} if self.address else {}
        return super().post(path, fields, {"User-Agent": self.device, **behind, **(headers or {})})

    def founds(self, name: str) -> str:
        """An organization, and is turned to it; its id."""
        slug = f"{quote(name.lower().split()[0])[:40]}-{new_id().hex[-8:]}"
        made = self.post("/organization/create", {"name": name, "slug": slug})
        assert made.status == 200, made.content
        return str(made.json()["id"])

    def turns_to(self, organization_id: str) -> None:
        """On this device, to an organization they are in."""
        turned = self.post("/organization/set-active", {"organizationId": organization_id})
        assert turned.status == 200, turned.content

    def invites(self, email: str, role: str = "member") -> str:
        """Into the organization they are turned to; the id in the link."""
        made = self.post("/organization/invite-member", {"email": email, "role": role})
        assert made.status == 200, made.content
        return str(made.json()["id"])

    def takes_in(self, other: Account, role: str = "member") -> None:
        """Invite somebody with an account, who accepts."""
        joined = other.post("/organization/accept-invitation", {"invitationId": self.invites(other.email, role)})
        assert joined.status == 200, joined.content

    def another_device(self, device: str = LAPTOP, *, address: str = "") -> Account:
        """A further one, signed in, at the address of this one or another."""
        other = Account(self.url, self.name, self.email, device=device, address=address or self.address)
        assert other.sign_in(self.email).status == 200
        return other


class Product:
    """One service. All that happens in it happens at what its clock says; where it takes a proxy's word, people come
    from its `address`.
    """

    def __init__(self, url: str, postman: Postman, clock: HandClock) -> None:
        self.url, self.postman, self.clock = url, postman, clock
        self.address = ""

    def new_email(self, name: str) -> str:
        """An address without an account."""
        return f"{name.lower()}.{next(_numbers)}@example.com"

    def has(self, name: str, *, called: str = "") -> Account:
        """Somebody opens an account."""
        account = Account(self.url, called or name, self.new_email(name), address=self.address)
        answer = account.sign_up(account.email, name=account.name)
        assert answer.status == 200, answer.content
        return account

    def is_caught_up(self) -> None:
        """The journal says all that has happened."""
        caught_up(self.postman.database)


@contextmanager
def product(database: Database, mail_folder: Path, **settings: object) -> Iterator[Product]:
    """The service over a database, with its mail in a folder, at noon."""
    clock = HandClock()
    postman = Postman(database, settings_for(database, mail_folder=mail_folder, **settings), clock)
    with serving(postman) as url:
        yield Product(url, postman, clock)
