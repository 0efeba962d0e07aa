"""Every text of pages in every language: none missing, none left over, each with what the English one names."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from babel.messages.catalog import Message
from jinja2 import Environment, nodes

from api.pages.wording import CATALOGUES, ENGLISH, LANGUAGES, language_for, wording
from projections.trails.language import CASES, FORMS
from tests.api.browser import Browser
from tests.api.pages.visitor import Page, Visitor
from tests.databases import Database
from tests.keeping import caught_up
from tests.people import PASSWORD

ROOT = Path(__file__).parents[3]
TEMPLATES = sorted((ROOT / "api/pages/templates").glob("*.html"))
OTHERS = sorted(LANGUAGES.keys() - {ENGLISH})
NOT_TRANSLATED = {
    "CSV": "the name of a format",
    "NDJSON": "the name of a format",
}
_SAID_IN = ("aria-label", "alt", "title", "placeholder", "data-asks", "data-done")
"""Attributes that are read out or shown."""
_TRANSLATING = {"_", "gettext", "ngettext"}


@pytest.fixture(scope="module")
def tool() -> Any:
    """scripts/texts, which is in no package."""
    spec = importlib.util.spec_from_file_location("texts", ROOT / "scripts" / "texts.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["texts"] = module
    spec.loader.exec_module(module)
    return module


def strings(message: Message) -> list[str]:
    string: Any = message.string
    return list(string) if isinstance(string, tuple) else [string]


def ids(message: Message) -> list[str]:
    return [message.id] if isinstance(message.id, str) else list(message.id)


def test_there_is_a_catalogue_for_each_language_but_english() -> None:
    assert {file.stem for file in CATALOGUES.glob("*.po")} == set(OTHERS)


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_and_none_that_nothing_shows(tool: Any, language: str) -> None:
    catalogue = tool.merged(language)
    assert [one.id for one in tool.missing(catalogue)] == []
    assert [one.id for one in catalogue.obsolete.values()] == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_text_names_what_the_english_one_names_and_is_marked_up_alike(tool: Any, language: str) -> None:
    for one in tool.kept(language):
        for english, other in zip(ids(one), strings(one), strict=True) if one.id else ():
            assert _tags(other) == _tags(english), english
            assert Counter(_named(other)) == Counter(_named(english)), english
            assert set(_forms(other)) <= {*FORMS, *CASES}, english
            assert [english[:1].isspace(), english[-1:].isspace()] == [other[:1].isspace(), other[-1:].isspace()]


def _tags(text: str) -> Counter[str]:
    return Counter(re.findall(r"<[^>]*>|&\w+;", text))


def _named(text: str) -> list[str]:
    """What a text names: `%(name)s` on pages, `{name}` in the journal; not the forms that only some languages have."""
    of_journal = [name for _, name, _, _ in Formatter().parse(text) if name and name not in ("does", "person_does")]
    return [*re.findall(r"%(\([^)]*\)s|.)", text), *of_journal]


def _forms(text: str) -> Iterator[str]:
    for _, name, form, _ in Formatter().parse(text):
        if form:
            # as many as there are to choose among
            expected = {"does": 2, "person_does": 2, "whose": 3}.get(name or "", 1)
            assert form.count("|") == expected - 1, text
            yield form if expected == 1 else str(name)


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_every_text_of_a_template_is_marked(file: Path) -> None:
    assert [said for said in unmarked(file.read_text()) if said not in NOT_TRANSLATED] == []


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("<p>Sign in</p>", ["Sign in"]),
        ('<p>{{ _("Sign in") }} · {{ name }}</p>', []),
        ("<p>{% if a %}{% trans %}Sign in{% endtrans %}{% endif %}</p>", []),
        ("<p>{% if a %}You{% endif %}</p>", ["You"]),
        ('<button aria-label="Sign out {{ name }}">…</button>', ["Sign out"]),
        ('{{ field("name", "Your name") }}', ["Your name"]),
        ('{{ field("name", _("Your name"), name or "Somebody") }}', ["Somebody"]),
        ('<input type="text" name="who" value="{{ a }}">', []),
    ],
)
def test_what_is_not_marked_is_found(template: str, found: list[str]) -> None:
    assert unmarked(template) == found


def unmarked(template: str) -> list[str]:
    """Texts of a template that stand there in English for all."""
    tree = Environment(extensions=["jinja2.ext.i18n"]).parse(template)  # noqa: S701  nothing is rendered
    reader = _Texts()
    reader.feed("".join(one.data if isinstance(one, nodes.TemplateData) else "0" for one in _shown(tree)))
    reader.close()
    return [*reader.texts, *_constants(tree)]


def _shown(node: nodes.Node) -> Iterator[nodes.Node]:
    for one in node.iter_child_nodes():
        if isinstance(one, nodes.TemplateData) or (isinstance(one, nodes.Expr) and isinstance(node, nodes.Output)):
            yield one
        else:
            yield from _shown(one)


def _constants(node: nodes.Node) -> Iterator[str]:
    """Constants that look like a text for people, outside of what translates them."""
    for one in node.iter_child_nodes():
        if isinstance(one, nodes.Call) and isinstance(one.node, nodes.Name) and one.node.name in _TRANSLATING:
            continue
        if (
            isinstance(one, nodes.Const)
            and isinstance(one.value, str)
            and re.search(r"[A-Z][a-z]|[a-z] [a-z]", one.value)
        ):
            yield one.value
        yield from _constants(one)


class _Texts(HTMLParser):
    """What stands in markup with a letter in it, also in attributes that are read out."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_data(self, data: str) -> None:
        self._take(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in _SAID_IN and value:
                self._take(value)

    def _take(self, text: str) -> None:
        said = " ".join(text.replace("0", " ").split())
        if re.search(r"[^\W\d_]", said):
            self.texts.append(said)


def test_dates_and_numbers_are_written_as_the_language_writes_them() -> None:
    at = datetime(2026, 3, 4, 13, 5, 6, tzinfo=UTC)
    german, english = wording("de"), wording("en")
    assert german.moment(at) == "04.03.2026, 13:05:06 UTC"
    assert english.moment(at).replace("\u202f", " ") == "Mar 4, 2026, 1:05:06 PM UTC"
    assert german.day(date(2026, 3, 4)) == "4. März 2026"
    assert english.day(date(2026, 3, 4)) == "March 4, 2026"
    assert (german.number(100_000), english.number(100_000)) == ("100.000", "100,000")
    many = "Too many tries. You can try again in %(number)s minutes."
    assert "1.440 Minuten" in german.texts("Too many tries. You can try again in %(number)s minute.", many, 1440)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en-GB,de;q=0.5", "en"),
        ("fr,de;q=0.3", "de"),
        ("de;q=0,en", "en"),
        ("fr", "en"),
        ("", "en"),
        ("de;q=nonsense", "en"),
    ],
)
def test_a_browser_is_answered_in_what_it_likes_best_of_what_there_is(accepted: str, language: str) -> None:
    assert language_for(accepted, otherwise="en") == language


def test_a_german_reads_pages_and_journal_in_german(url: str, email: str, module_database: Database) -> None:
    visitor = Visitor(url, language="de")
    page = visitor.open("/sign-up")
    assert ("html", {"lang": "de"}) in page.elements
    page = visitor.press("Registrieren", name="Ada", email=email, password="passwort")
    assert (
        page.links[
            "Das ist eines der Passwörter, die zuerst probiert werden. Wählen Sie ein anderes, etwa mehrere"
            " Wörter, die nichts miteinander zu tun haben."
        ]
        == "#password"
    )
    page = visitor.press("Registrieren", name="Ada", email=email, password=PASSWORD)
    assert page.status == 200
    caught_up(module_database)
    page = visitor.open("/account/activity")
    assert "Sie haben Ihr Konto eröffnet. Sie haben sich mit einem unbekannten Gerät angemeldet." in page.text
    page = visitor.open("/organization/members")
    assert "1 Mitglied" in page.text


def test_a_language_that_was_chosen_holds_on_all_devices_of_its_person_and_on_no_other_s(
    url: str, email: str, module_database: Database
) -> None:
    telephone, computer, stranger = (Visitor(url) for _ in range(3))
    telephone.open("/sign-up")
    telephone.press("Sign up", name="Ada", email=email, password=PASSWORD)
    assert telephone.press("Deutsch").title.startswith("Einstellungen")
    telephone.press("Abmelden")
    assert telephone.open("/sign-in").title.startswith("Anmelden"), "the browser remembers it beside the account"
    computer.open("/sign-in")
    assert computer.press("Sign in", email=email, password=PASSWORD).title.startswith("Einstellungen")
    assert stranger.open("/sign-in").title.startswith("Sign in")
    computer.press("English")
    assert computer.open("/account/settings").title.startswith("Settings")
    caught_up(module_database)
    assert "You chose another language." in computer.open("/account/activity").text


@pytest.mark.parametrize(
    "beside", ['prefs={"a": 1}', "a[1]=x", "flag", '"', "better-auth.language=xx", "prefs=x; other={}"]
)
def test_a_language_that_was_chosen_holds_beside_cookies_of_others(browser: Browser, beside: str) -> None:
    sent = {"Accept-Language": "en", "Cookie": f"{beside}; better-auth.language=de"}
    assert Page(browser.ask("GET", "/sign-in", None, sent)).title.startswith("Anmelden")


def test_a_language_that_there_is_not_is_not_chosen(url: str, email: str) -> None:
    visitor = Visitor(url)
    visitor.open("/sign-up")
    visitor.press("Sign up", name="Ada", email=email, password=PASSWORD)
    visitor.send("/language", {"language": "xx", "next": "/account/settings"})
    assert visitor.open("/account/settings").title.startswith("Settings")
    assert visitor.browser.session()
