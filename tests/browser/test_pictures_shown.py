"""What a real browser makes of pictures that are kept here, on pages of every site (wire.md A18)."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.clock import now
from tests.api.browser import Browser
from tests.api.conftest import settings_for
from tests.api.routes.fellows import new_email
from tests.browser.chromium import ACCOUNTS, PROGRAM, hosts, visits
from tests.databases import Database
from tests.pictures import ALL, data_url
from tests.server import application

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium here")


@pytest.mark.parametrize("host", [ACCOUNTS, "app.example.com", "app.example.net"])
def test_a_page_of_any_site_shows_them(module_database: Database, tmp_path: Path, host: str) -> None:
    home = f"https://{ACCOUNTS}"
    given = settings_for(module_database, base_url=home, trusted_origins="https://app.example.com")
    with hosts(tmp_path) as internet, application(given, now) as internet.daybook:
        urls = []
        for kind, content in ALL.items():
            person = Browser(internet.daybook, origin=home)
            signed_up = person.sign_up(new_email(), image=data_url(content, kind))
            urls.append(signed_up.json()["user"]["image"])
        told = visits(internet, host, tmp_path / "profile", [[url, None] for url in [*urls, f"{urls[0]}0"]])
    assert told[:-1] == [[1, 1]] * 4 + [None]
