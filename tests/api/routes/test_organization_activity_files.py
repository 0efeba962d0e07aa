"""An organization's journal as a file (wire.md part A, "Ours")."""

from __future__ import annotations

import asyncio
import csv
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse, IncompleteRead
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest

from api.edge.downloads import download
from tests.api.browser import BASE, Answer, Browser
from tests.api.conftest import HandClock, settings_for
from tests.api.routes.trails import TRAIL, Owner, make_entries, page
from tests.databases import Database
from tests.keeping import caught_up
from tests.server import application

COLUMNS = [
    *("at", "event", "text", "device", "location", "ipAddress", "sessionId", "current", "times", "since", "newDevice"),
    *("actor", "actorId", "actorEmail", "person", "personId", "personEmail"),
]


@pytest.fixture
def ada(url: str, clock: HandClock, email: str, module_database: Database) -> Owner:
    ada = Owner(url, email)
    caught_up(module_database)
    return ada


def downloaded(browser: Browser, form: str, query: str = "") -> Answer:
    answer = browser.get(f"{TRAIL}?format={form}{query}")
    assert answer.status == 200
    assert answer.header("content-disposition") == f'attachment; filename="activity.{form}"'
    assert answer.header("content-length") is None
    return answer


def table(answer: Answer) -> list[list[str]]:
    return list(csv.reader(StringIO(answer.content.decode(), newline=""), strict=True))


def test_as_csv_it_is_rfc_4180(ada: Owner) -> None:
    answer = downloaded(ada, "csv")
    assert answer.header("content-type") == "text/csv; charset=utf-8; header=present"
    session_id = ada.session()["id"]
    common = f"Firefox 132 on Linux,,127.0.0.1,{session_id},true,1,2026-03-14T12:00:00.000Z,false"
    who = f"Ada,{ada.user_id},{ada.email}"
    at = "2026-03-14T12:00:00.000Z"
    assert answer.content.decode() == (
        f"{','.join(COLUMNS)}\r\n"
        f"{at},PersonalOrganizationFounded,“Ada” founded “Ada's Organization”.,{common},{who},{who}\r\n"
    )


def test_as_ndjson_it_is_an_entry_a_line(ada: Owner) -> None:
    answer = downloaded(ada, "ndjson")
    assert answer.header("content-type") == "application/x-ndjson"
    assert answer.content.endswith(b"}\n")
    assert [json.loads(line) for line in answer.content.splitlines()] == page(ada)["entries"]


@pytest.mark.parametrize(
    ("name", "actor", "text"),
    [
        ('=HYPERLINK("http://x")', '\'=HYPERLINK("http://x")', '“=HYPERLINK("http://x")” founded'),
        ("+1", "'+1", "“+1” founded"),
        ("-1", "'-1", "“-1” founded"),
        ("@SUM(A1)", "'@SUM(A1)", "“@SUM(A1)” founded"),
        ("\uff1d1", "'\uff1d1", "“\uff1d1” founded"),
        ("A=1", "A=1", "“A=1” founded"),
        ('Ada, "Countess"', 'Ada, "Countess"', '“Ada, "Countess"” founded'),
        ("Ada\r\nBo", "Ada Bo", "“Ada Bo” founded"),
        ("Ünal 😀", "Ünal 😀", "“Ünal 😀” founded"),
        ("Ann” left “Acme", "Ann” left “Acme", '“Ann" left "Acme” founded'),
    ],
)
def test_names_are_neither_formulas_nor_do_they_break_the_table(
    url: str, clock: HandClock, email: str, module_database: Database, name: str, actor: str, text: str
) -> None:
    ada = Owner(url, email, name)
    caught_up(module_database)
    heading, *rows = table(downloaded(ada, "csv"))
    assert heading == COLUMNS
    assert {len(row) for row in rows} == {len(COLUMNS)}
    founded = dict(zip(heading, rows[0], strict=True))
    assert founded["actor"] == actor
    assert founded["text"].startswith(text)
    [line] = downloaded(ada, "ndjson").content.splitlines()
    assert json.loads(line)["actor"] == " ".join(name.split())


@pytest.mark.parametrize("first", ["\t", "\r", "\n", "=", "+", "-", "@"])
def test_whatever_spreadsheets_take_for_the_beginning_of_a_formula_is_neutralized(first: str) -> None:
    answer = download("x", "csv", ["a", "b"], [[{"a": f"{first}1", "b": f"1{first}"}]])
    assert b"".join(whole(answer)).startswith((f"a,b\r\n'{first}1,".encode(), f'a,b\r\n"\'{first}1",'.encode()))


def whole(answer: Any) -> list[bytes]:
    """All chunks of a download, each as it comes."""

    async def chunks() -> list[bytes]:
        return [chunk async for chunk in answer.body_iterator]

    return asyncio.run(chunks())


def test_a_file_is_read_as_it_is_sent_only_its_beginning_before() -> None:
    asked: list[int] = []

    def batches() -> Iterator[list[dict[str, Any]]]:
        for number in range(4):
            asked.append(number)
            yield [{"n": number}]

    answer = download("x", "ndjson", ["n"], batches())
    assert asked == [0]
    assert whole(answer) == [b'{"n":0}\n', b'{"n":1}\n', b'{"n":2}\n', b'{"n":3}\n']


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_a_file_holds_everything_whatever_the_page(ada: Owner, module_database: Database, form: str) -> None:
    make_entries(module_database, ada.organization_id, 1_200)
    cursor = page(ada, "?limit=1")["nextCursor"]
    answer = downloaded(ada, form, f"&limit=1&cursor={cursor}")
    if form == "csv":
        heading, *rows = table(answer)
        moments = [dict(zip(heading, row, strict=True))["at"] for row in rows]
    else:
        moments = [json.loads(line)["at"] for line in answer.content.splitlines()]
    assert len(moments) == 1_201
    assert moments == sorted(moments, reverse=True)
    assert moments[0] == "2026-03-14T13:20:00.000Z"
    assert len(table(downloaded(ada, "csv", "&type=PersonalOrganizationFounded"))) == 2


def test_of_nothing_a_file_is_empty_but_for_its_header(ada: Owner) -> None:
    assert downloaded(ada, "csv", "&type=SignedUp").content == f"{','.join(COLUMNS)}\r\n".encode()
    assert downloaded(ada, "ndjson", "&type=SignedUp").content == b""


def test_a_file_renews_the_session_that_asks_for_it(ada: Owner, clock: HandClock) -> None:
    clock.wind(hours=25)
    assert len(downloaded(ada, "csv").set_cookies) == 1


@contextmanager
def slowly(browser: Browser, path: str) -> Iterator[HTTPResponse]:
    """An answer whose reader takes no more than it asks for."""
    host, port = urlsplit(browser.url).hostname, urlsplit(browser.url).port
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    with socket.socket() as connection:
        connection.settimeout(20)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        connection.connect((host, port))
        connection.sendall(f"GET {BASE}{path} HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookies}\r\n\r\n".encode())
        with HTTPResponse(connection) as response:
            response.begin()
            yield response


def test_a_file_that_breaks_off_is_not_taken_for_a_whole_one(database: Database, clock: HandClock, email: str) -> None:
    with application(settings_for(database), clock) as url:
        ada = Owner(url, email)
        caught_up(database)
        make_entries(database, ada.organization_id, 60_000)
        with slowly(ada, f"{TRAIL}?format=csv") as response:
            assert response.status == 200
            assert response.getheader("transfer-encoding") == "chunked"
            assert response.read(14) == b"at,event,text,"
            with database.away(), pytest.raises((IncompleteRead, ConnectionError)) as broken:
                response.read()
        if isinstance(broken.value, IncompleteRead):
            assert broken.value.partial.count(b"\r\n") < 60_000
        with database.away():
            for form in ("json", "csv", "ndjson"):
                assert ada.get(f"{TRAIL}?format={form}").problem == (503, "SERVICE_UNAVAILABLE")
