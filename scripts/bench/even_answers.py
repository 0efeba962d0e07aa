"""Whether the time of an answer tells who has an account: known and unknown addresses in turn, and under load."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import product
from random import Random
from statistics import median, quantiles
from typing import Any

import growth
from cluster import SECRET, Cluster
from get_session import cookie

from api.edge.request_context import BASE_PATH
from domain.clock import now
from domain.commands.context import Context
from domain.commands.user import sign_up
from domain.store.envelope import WhereFrom
from tests.people import PASSWORD
from tests.server import Server, served

TIMES, LANES, CLIENTS = 200, 4, 8
"""How often each side of a route is asked, on how many connections, and beside how many clients of other routes."""
ROUTES = ("request-password-reset", "send-verification-email", "sign-up/email", "change-email")
_HERE = WhereFrom("192.0.2.7", "")

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Person:
    """Somebody with an account that was not verified yet, and the cookie of a session."""

    email: str
    cookie: str = field(repr=False)


@dataclass(frozen=True)
class Asked:
    """A request of one side: a mailbox and an asker of its own, so that no limit has a say."""

    path: str
    fields: dict[str, str]
    headers: dict[str, str]


def measured(cluster: Cluster, _events: int, _one_person: int, tell: Tell) -> dict[str, Any]:
    """Milliseconds of each side by route, and how often a known address took longer than an unknown one, 0 to 1."""
    found = dict[str, Any]()
    with cluster.database("bench_even_answers") as database, growth.context_over(database) as context:
        settings = {
            "DATABASE_URL": database.application_url,
            "OWNER_DATABASE_URL": database.owner_url,
            "SECRET": SECRET,
            "WORKERS": 2,
            "RATE_LIMIT": "on",
            "TRUSTED_PROXIES": "127.0.0.1",
            "EMAIL_VERIFICATION": "required",
            "MAIL_FOLDER": cluster.folder,
        }
        with served(cluster.folder / "even_answers.log", settings) as server:
            for loaded, route in product((False, True), ROUTES):
                name = f"{route}{f', beside {CLIENTS} clients' if loaded else ''}"
                people = [
                    _person(context, f"{name.replace('/', '.').split(',')[0]}{loaded}{n}") for n in range(2 * TIMES)
                ]
                with _others(context, server, name) if loaded else _nobody():
                    found[name] = _figures(
                        *_took(server, route, people, lambda done, name=name: tell(name, done, TIMES))
                    )
    return found


def _person(context: Context, name: str) -> Person:
    email = f"{name}@example.com"
    account = sign_up(
        context, email=email, name="Ada Lovelace", image=None, password=PASSWORD, remembered=True,
        now=now(), where_from=_HERE,
    )  # fmt: skip
    return Person(email, cookie(account.session.token))


def _took(
    server: Server, route: str, people: Sequence[Person], tell: Callable[[int], None]
) -> tuple[list[float], list[float]]:
    """Milliseconds for known addresses, and for unknown ones."""
    took: tuple[list[float], list[float]] = ([], [])

    def lane(number: int) -> None:
        chances = Random(number)  # noqa: S311  seeded: the same order in every run
        with closing(HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
            for turn in range(number, TIMES, LANES):
                for side in chances.sample((0, 1), 2):
                    asked = _asked(route, people[2 * turn + side], known=side == 0)
                    took[side].append(_timed(connection, asked))
                tell(len(took[0]))

    with ThreadPoolExecutor(LANES) as threads:
        list(threads.map(lane, range(LANES)))
    return took


def _asked(route: str, person: Person, *, known: bool) -> Asked:
    """Of a person who has it, or of an address like theirs that nobody has."""
    address = person.email if known else f"no.{person.email}"
    headers = {"X-Forwarded-For": _somewhere(address)}
    match route:
        case "sign-up/email":
            return Asked(route, {"email": address, "name": "Ada Lovelace", "password": PASSWORD}, headers)
        case "change-email":
            # to what somebody has: everybody here may ask, so another one's
            taken = address.replace("change-email", "send-verification-email") if known else address
            return Asked(route, {"newEmail": taken}, {**headers, "Cookie": person.cookie})
        case _:
            return Asked(route, {"email": address}, headers)


def _somewhere(text: str) -> str:
    """A client's address for each."""
    chances = Random(text)  # noqa: S311  seeded: the same address for the same text
    return ".".join(str(chances.randrange(1, 255)) for _ in range(4))


def _timed(connection: HTTPConnection, asked: Asked) -> float:
    origin = f"http://localhost:{connection.port}"
    began = time.perf_counter()
    status = _told(connection, "POST", asked.path, asked.fields, {**asked.headers, "Origin": origin})
    took = 1000 * (time.perf_counter() - began)
    if status != 200:
        raise RuntimeError(f"{asked.path} was answered {status}")
    return took


def _told(
    connection: HTTPConnection, method: str, path: str, fields: object = None, headers: dict[str, str] | None = None
) -> int:
    body = None if fields is None else json.dumps(fields)
    sent = {**(headers or {}), **({} if fields is None else {"Content-Type": "application/json"})}
    connection.request(method, f"{BASE_PATH}/{path}", body, sent)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def _figures(known: Sequence[float], unknown: Sequence[float]) -> dict[str, float]:
    longer = sum((one > other) + 0.5 * (one == other) for one in known for other in unknown)
    return {
        "known": round(median(known), 2),
        "unknown": round(median(unknown), 2),
        "ratio": round(median(known) / median(unknown), 4),
        "known p95": round(quantiles(known, n=20)[-1], 1),
        "unknown p95": round(quantiles(unknown, n=20)[-1], 1),
        "known took longer": round(longer / len(known) / len(unknown), 3),
    }


@contextmanager
def _nobody() -> Iterator[None]:
    yield


@contextmanager
def _others(context: Context, server: Server, name: str) -> Iterator[None]:
    """Clients in processes of their own, who look at sessions, change names and sign in."""
    people = [_person(context, f"beside{abs(hash(name))}.{number}") for number in range(CLIENTS)]
    started = multiprocessing.get_context("spawn")
    processes = [
        started.Process(target=goes_on, args=(server.port, one.email, one.cookie), daemon=True) for one in people
    ]
    for process in processes:
        process.start()
    time.sleep(3)
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
            process.join()


def goes_on(port: int, email: str, cookie: str) -> None:
    """One of those clients, until it is ended."""
    reads, origin = {"Cookie": cookie}, {"Origin": f"http://localhost:{port}"}
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        number = 0
        while True:
            number += 1
            from_here = {"X-Forwarded-For": _somewhere(f"{email}{number}")}
            for path in ("get-session", "list-sessions", "organization/list"):
                _told(connection, "GET", path, None, {**reads, **from_here})
            fields: dict[str, str] = {"name": f"Ada {number}"}
            _told(connection, "POST", "update-user", fields, {**reads, **origin, **from_here})
            if number % 5 == 0:
                guess = {"email": f"no.{email}", "password": PASSWORD}
                _told(connection, "POST", "sign-in/email", guess, {**origin, **from_here})
            time.sleep(0.01)
