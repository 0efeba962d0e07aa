"""What people type and where they are reached stands nowhere in the append-only log, in no letter case or encoding."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from api.cli.embedded import EmbeddedPostgres
from tests.api.dumps import dump, found
from tests.databases import Database
from tests.keeping import caught_up
from tests.people import PASSWORD
from tests.pictures import data_url, png
from tests.server import served

BOOK = ("commands", "events", "queue", "log", "journal", "attempts")
ADA, BO, CY = ("zacharia.quux@mailbox.test", "bohumil.ypsilon@mailbox.test", "cyriaka.omega@mailbox.test")
BROWSER = "Quuxbrowser/7.7 (of Zacharia)"
PORTRAIT = png(size=400)
TYPED = {
    "a name": "Zacharia Quux",
    "another name of hers": "Zacharia Quux-Ypsilon",
    "a picture": "https://pictures.mailbox.test/zacharia.png",
    "an organization": "Zacharia Quux GmbH",
    "its slug": "zacharia-quux-gmbh",
    "its logo": "https://pictures.mailbox.test/gmbh.png",
    "a picture itself": data_url(PORTRAIT),
    "the bytes of the picture": PORTRAIT[40:-40].hex(),
    "its metadata": "kontakt-quux",
    "its next name": "Quux und Partner",
    "its next slug": "quux-und-partner",
    "its next logo": "https://pictures.mailbox.test/partner.png",
    "its next metadata": "kontakt-partner",
    "her own organization": "Zacharia Quux zuhause",
    "her own slug": "zacharia-zuhause",
}
PICTURES = ("a picture itself", "the bytes of the picture")
ADDRESSES = (ADA, BO, CY, "mailbox.test", BROWSER, "Quuxbrowser", "127.0.0.1")


class Seen(NamedTuple):
    """The whole dump, that of the log, and what the database wrote into its log meanwhile."""

    whole: bytes
    book: bytes
    log: bytes


@pytest.fixture(scope="module")
def seen(module_database: Database, cluster: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """A day of three people on a server whose database logs every statement, however fast."""
    module_database.rows(f"ALTER DATABASE {module_database.name} SET log_min_duration_statement = 0")
    before = cluster.log.stat().st_size
    settings = {"DATABASE_URL": module_database.application_url, "OWNER_DATABASE_URL": module_database.owner_url}
    with (
        served(tmp_path_factory.mktemp("day") / "log", settings) as server,
        server.client() as ada,
        server.client() as bo,
        server.client() as cy,
    ):
        _a_day(ada, bo, cy)
    caught_up(module_database)
    logged = cluster.log.read_bytes()[before:]
    return Seen(dump(module_database, cluster), dump(module_database, cluster, *BOOK), logged)


def _a_day(ada: httpx.Client, bo: httpx.Client, cy: httpx.Client) -> None:
    """Sign up, found, rename, describe, invite, refuse, remove; and be refused."""
    for client, email in ((ada, ADA), (bo, BO), (cy, CY)):
        client.headers["User-Agent"] = BROWSER
        _done(client, "sign-up/email", email=email, name=TYPED["a name"], password=PASSWORD)
    _done(ada, "update-user", name=TYPED["another name of hers"], image=TYPED["a picture"])
    acme = _done(
        ada,
        "organization/create",
        name=TYPED["an organization"],
        slug=TYPED["its slug"],
        logo=TYPED["its logo"],
        metadata={"contact": TYPED["its metadata"], "mail": ADA},
    )["id"]
    next_ = {"name": "its next name", "slug": "its next slug", "logo": "its next logo"}
    changed = {field: TYPED[what] for field, what in next_.items()}
    metadata = {"contact": TYPED["its next metadata"], "mail": BO}
    _done(ada, "organization/update", organizationId=acme, data={**changed, "metadata": metadata})
    [own] = [one["id"] for one in ada.get("/api/auth/organization/list").json() if one["id"] != acme]
    home = {"name": TYPED["her own organization"], "slug": TYPED["her own slug"]}
    _done(ada, "organization/update", organizationId=own, data=home)
    # first what is kept for an address that comes after it, then one that stays
    _done(bo, "update-user", image=TYPED["a picture itself"])
    _done(bo, "update-user", image=TYPED["a picture"])
    _done(ada, "organization/update", organizationId=own, data={"logo": TYPED["a picture itself"]})
    _done(ada, "update-user", image=TYPED["a picture itself"])
    invitations = [
        _done(ada, "organization/invite-member", organizationId=acme, email=email, role="admin")["id"]
        for email in (BO, CY)
    ]
    joined = _done(bo, "organization/accept-invitation", invitationId=invitations[0])["member"]["id"]
    _done(cy, "organization/reject-invitation", invitationId=invitations[1])
    _done(ada, "organization/remove-member", organizationId=acme, memberIdOrEmail=joined)
    for email, password in ((ADA, "not the one"), ("nobody.at.all@mailbox.test", PASSWORD)):
        answer = ada.post("/api/auth/sign-in/email", json={"email": email, "password": password})
        assert answer.status_code == 401
    refused = bo.post("/api/auth/organization/update", json={"organizationId": acme, "data": {"name": "Quux Raub"}})
    assert refused.status_code in (400, 403)


def _done(client: httpx.Client, path: str, **form: Any) -> Any:
    answer = client.post(f"/api/auth/{path}", json=form)
    assert answer.status_code == 200, (path, answer.status_code, answer.text)
    return answer.json()


def _found(texts: list[str], somewhere: bytes) -> list[str]:
    """Which stand there, whatever the case of their letters."""
    return sorted({*found(texts, somewhere), *(one for one in texts if found([one.lower()], somewhere.lower()))})


def test_the_search_finds_what_the_lists_show(seen: Seen) -> None:
    shown = [TYPED["its next name"], TYPED["its next slug"], TYPED["her own organization"], ADA, BROWSER]
    assert _found(shown, seen.whole) == sorted(shown)


def test_the_bytes_of_a_picture_stand_nowhere_at_all(seen: Seen) -> None:
    assert b"/api/auth/picture/" in seen.whole
    assert b"/api/auth/picture/" not in seen.book
    for form in (PORTRAIT[40:-40], b64encode(PORTRAIT)[60:-60]):
        assert form not in seen.whole
    assert _found([TYPED[what] for what in PICTURES], seen.whole) == []


def test_a_dump_of_the_book_holds_nothing_that_was_typed_and_no_address(seen: Seen) -> None:
    for happened in (
        b"OrganizationRenamed",
        b"SlugChanged",
        b"MetadataChanged",
        b"InvitationRejected",
        b"MemberRemoved",
    ):
        assert happened in seen.book
    assert b"INVALID_EMAIL_OR_PASSWORD" in seen.book
    assert _found([*TYPED.values(), *ADDRESSES], seen.book) == []


def test_a_log_of_every_statement_holds_nothing_of_it_either(seen: Seen, tmp_path: Path) -> None:
    assert b"duration:" in seen.log
    assert b"INSERT INTO" in seen.log
    assert _found([*TYPED.values(), *ADDRESSES], seen.log) == []
