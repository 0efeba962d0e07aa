"""Pages as people ask for them: how long until the first byte of each, warm, and how many bytes it has."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any
from uuid import UUID

import httpx
import sign_ups
from cluster import SECRET, Cluster, store
from get_session import cookie

from domain.ids import new_token
from tests.databases import Database
from tests.server import served

MEMBERS = {"a hundred": 100, "100,000": 100_000}
WARM, TIMES = 20, 100
"""How often each is asked for before it counts, and then."""
ANYBODYS = {"sign in": "/sign-in", "sign up": "/sign-up"}
OWN = {
    "settings": "/account/settings",
    "sessions": "/account/sessions",
    "activity": "/account/activity",
    "organizations": "/organizations",
    "members": "/organization/members",
    "members, the 50th page": "/organization/members?page=50",
    "members found by name": "/organization/members?search=family9",
    "members found by role": "/organization/members?role=owner",
    "roles and why": "/organization/settings",
    "activity of the organization": "/organization/activity",
}

Tell = Callable[[str, int, int], None]

_PEOPLE = """
INSERT INTO account_list (user_id, version, email, email_hash, email_slot, name, created_at, updated_at)
SELECT uuid, 1, 'person' || n || '@example.com', sha256(n::text::bytea), sha256(n::text::bytea),
       'Given' || mod(n, 500) || ' Family' || n, now(), now()
  FROM generate_series(1, %s::integer) n, CAST(lpad(to_hex(n), 32, '0') AS uuid) uuid
"""
_BELONGING = """
INSERT INTO member_list (membership_id, version, organization_id, user_id, live_user_id, role, joined_at)
SELECT uuid, 1, %s, uuid, uuid, CASE WHEN mod(n, 1000) = 0 THEN 'owner' ELSE 'member' END,
       now() + n * interval '1 second'
  FROM generate_series(1, %s::integer) n, CAST(lpad(to_hex(n), 32, '0') AS uuid) uuid
"""


def measured(cluster: Cluster, _events: int, _one_person: int, tell: Tell) -> dict[str, Any]:
    """Milliseconds until the first byte, and bytes, of each page, in organizations of so many members."""
    return {
        f"{name} members": _in_an_organization(cluster, number, _about(tell, name)) for name, number in MEMBERS.items()
    }


def _about(tell: Tell, name: str) -> Tell:
    """Tells with what it is about in front."""
    return lambda what, done, total: tell(f"{name} members: {what}", done, total)


def _in_an_organization(cluster: Cluster, members: int, tell: Tell) -> dict[str, Any]:
    with cluster.database(f"bench_pages_{members}") as database:
        settings = {
            "DATABASE_URL": database.application_url,
            "OWNER_DATABASE_URL": database.owner_url,
            "SECRET": SECRET,
            "WORKERS": 1,
            "RATE_LIMIT": "off",
        }
        with served(cluster.folder / f"pages.{members}.log", settings) as server:
            with store(database, connections=2) as opened:
                ada = sign_ups.sign_up(opened, new_token())
                ada.append(opened)
            _fill(database, ada.organization_id, members)
            url = server.url.replace("localhost", "127.0.0.1")
            found = {}
            with _browser(url, {}) as anybody, _browser(url, {"Cookie": cookie(ada.token)}) as owner:
                for number, (name, path) in enumerate({**ANYBODYS, **OWN}.items()):
                    found[name] = _times(anybody if name in ANYBODYS else owner, path)
                    tell("pages", number + 1, len(ANYBODYS) + len(OWN))
            return found


def _fill(database: Database, organization_id: UUID, members: int) -> None:
    """Rows of the lists that a page is made of: what stands in the log beside them is asked by none."""
    database.rows(_PEOPLE, members)
    database.rows(_BELONGING, organization_id, members)
    database.rows("ANALYZE account_list, member_list")


@contextmanager
def _browser(url: str, headers: dict[str, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, headers={"Accept-Language": "en", **headers}) as client:
        yield client


def _times(browser: httpx.Client, path: str) -> dict[str, float]:
    taken, size = [], 0
    for number in range(WARM + TIMES):
        began = time.perf_counter()
        with browser.stream("GET", path) as answer:
            assert answer.status_code == 200, (path, answer.status_code)
            chunks = answer.iter_raw()
            first = next(chunks)
            if number >= WARM:
                taken.append(1000 * (time.perf_counter() - began))
            size = len(first) + sum(map(len, chunks))
    taken.sort()
    return {"p50_ms": round(median(taken), 1), "p95_ms": round(taken[int(0.95 * TIMES)], 1), "bytes": size}
