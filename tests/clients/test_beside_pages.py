"""Pages and clients of others at one server: neither is in the other's way."""

from __future__ import annotations

from api.page_settings import PageSettings
from api.pages import PAGES
from api.pages.look import Look
from api.pages.rendering import Renderer
from tests.api.browser import Browser
from tests.api.pages.visitor import Page
from tests.clients.javascript import JavaScript, call, signs_up
from tests.server import Server

NOT_PAGES = ("/api/", "/docs", "/openapi.json", "/healthz", "/readyz", "/metrics")


def test_the_server_that_clients_are_tried_with_shows_pages(server: Server, javascript: JavaScript) -> None:
    signed_up, shown = javascript.play(signs_up("ada.beside@example.com"), call("getSession"))
    assert signed_up.error is None
    assert shown.data["user"]["email"] == "ada.beside@example.com"
    answer = Browser(server.url).ask("GET", "/")
    assert (answer.status, answer.header("location")) == (303, "/sign-in")
    page = Browser(server.url).ask("GET", "/sign-in")
    assert (page.status, Page(page).title) == (200, "Sign in · Daybook")


def test_no_page_stands_where_a_client_or_an_operator_asks(server: Server) -> None:
    """What a client calls is below the contract's prefix; the document says all that there is beside it."""
    renderer = Renderer(Look.of(PageSettings()))
    paths = {route.path for group in PAGES for route in group.routes(renderer)}
    assert len(paths) > 30
    assert not [path for path in paths if path.startswith(NOT_PAGES)]
    document = Browser(server.url).ask("GET", "/openapi.json").json()
    assert not paths & document["paths"].keys()
