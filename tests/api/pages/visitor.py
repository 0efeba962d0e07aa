"""A visitor of the pages: reads what stands on one as a person does, fills its forms in and presses their buttons."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

from tests.api.browser import Answer, Browser

_FORM = "application/x-www-form-urlencoded"
_APART = {"p", "div", "li", "span", "h1", "h2", "h3", "dt", "dd", "section", "header", "option", "button", "a"}
_EMPTY = {"input", "img", "link", "meta", "br", "hr"}
_MOST_REDIRECTS = 5


@dataclass
class Form:
    """A form as it stands on a page: its fields by name, the names by their labels, and what its buttons say."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    boxes: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, dict[str, str], str]] = field(default_factory=list)


class Page(HTMLParser):
    """What a person finds on a page: text, links, forms, the entries of lists, and what it says went wrong."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer, self.status = answer, answer.status
        self.text, self.title = "", ""
        self.links: dict[str, str] = {}
        self.forms: list[Form] = []
        self.alerts: list[str] = []
        self.notices: list[str] = []
        self.items: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._ids: dict[str, str] = {}
        self._open: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._labels: dict[str, str] = {}
        self._chosen = False
        self.feed(answer.content.decode())
        self.close()
        self.text = " ".join(self.text.split())
        for form in self.forms:
            form.labels = {self._labels[name]: name for name in (*form.fields, *form.boxes) if name in self._labels}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.elements.append((tag, given))
        if tag in _APART:
            self.text += " "
        if tag == "form":
            self.forms.append(Form(given.get("action") or "", given.get("method") or "get"))
        elif tag == "input" and self.forms and (name := given.get("name")):
            if given.get("type") in ("checkbox", "radio"):
                self.forms[-1].boxes[name] = given.get("value") or "on"
                if "checked" in given:
                    self.forms[-1].fields[name] = given.get("value") or "on"
            else:
                self.forms[-1].fields[name] = given.get("value") or ""
        elif tag == "select" and self.forms and (name := given.get("name")):
            self.forms[-1].fields.setdefault(name, "")
            self._chosen = False
        elif tag == "option" and self.forms:
            select = next((one[1].get("name") for one in reversed(self._open) if one[0] == "select"), None)
            if select and ("selected" in given or not self._chosen):
                self.forms[-1].fields[select], self._chosen = given.get("value") or "", True
        if tag not in _EMPTY:
            self._open.append((tag, given, []))

    def handle_data(self, data: str) -> None:
        for _, _, texts in self._open:
            texts.append(data)
        if not any(tag in ("script", "style", "title", "option") for tag, _, _ in self._open):
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            found, given, texts = self._open.pop()
            said = " ".join("".join(texts).split())
            if found == "a" and given.get("href"):
                self.links.setdefault(given.get("aria-label") or said, given["href"] or "")
            elif found == "label":
                self._labels[given.get("for") or ""] = said
            elif found == "button" and self.forms:
                named = {given["name"]: given.get("value") or ""} if given.get("name") else {}
                action = given.get("formaction") or self.forms[-1].action
                self.forms[-1].buttons.append((given.get("aria-label") or said, named, action))  # type: ignore[arg-type]
            elif found == "title":
                self.title = said
            if found == "li":
                self.items.append(said)
            if given.get("role") == "alert":
                self.alerts.append(said)
            if given.get("role") == "status" and "hidden" not in given:
                self.notices.append(said)
            if found == tag:
                return


class Visitor:
    """One browser with the pages it has open; follows redirects as long as they lead to us."""

    def __init__(self, url: str, *, language: str = "en") -> None:
        self.browser, self.language = Browser(url), language
        self.browser_headers: dict[str, str] = {}
        self.path, self.page = "", Page(Answer(0, None, b""))  # type: ignore[arg-type]

    def open(self, path: str) -> Page:
        """Look at a page; of an address with a host only what comes after that counts."""
        return self._follow("GET", path, None)

    def press(self, button: str, **given: str) -> Page:
        """Press the button of a form on the page, with its fields filled in by their names."""
        for form in self.page.forms:
            pressed = next((one for one in form.buttons if one[0] == button), None)
            if pressed is not None:
                _, named, action = pressed
                unknown = given.keys() - form.fields.keys() - form.boxes.keys()
                assert not unknown, f"there is no field {unknown} beside {button!r}, only {[*form.fields, *form.boxes]}"
                fields = {name: text for name, text in {**form.fields, **given, **named}.items() if text is not None}
                return self.send(action, fields, form.method)
        raise AssertionError(f"no button {button!r}: {[said for form in self.page.forms for said, *_ in form.buttons]}")

    def send(self, path: str, fields: dict[str, str], method: str = "post") -> Page:
        """Send a form as a page of ours does."""
        if method.lower() == "get":
            return self._follow("GET", f"{path}?{urlencode(fields)}", None)
        return self._follow("POST", path, self.encoded(fields))

    @staticmethod
    def encoded(fields: dict[str, str]) -> bytes:
        """The body of a form as browsers write it, who encode a tilde too and no star (WHATWG URL standard §5.2)."""
        return urlencode(fields, safe="*").replace("~", "%7E").encode()

    def follow(self, link: str) -> Page:
        """Follow a link on the page by what it says."""
        assert link in self.page.links, f"no link {link!r}: {list(self.page.links)}"
        return self.open(urljoin(self.path, self.page.links[link]))

    def _follow(self, method: str, target: str, body: bytes | None) -> Page:
        for _ in range(_MOST_REDIRECTS):
            parts = urlsplit(target)
            path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
            answer = self._ask(method, path, body)
            location = answer.header("location")
            self.path = path
            if answer.status not in (302, 303) or location is None:
                self.page = Page(answer)
                return self.page
            elsewhere = urlsplit(location)
            if elsewhere.netloc and f"{elsewhere.scheme}://{elsewhere.netloc}" != self.browser.url:
                self.path, self.page = location, Page(answer)
                return self.page
            method, target, body = "GET", urljoin(path, location), None
        raise AssertionError("round and round")

    def _ask(self, method: str, path: str, body: bytes | None) -> Answer:
        sent = {"Accept-Language": self.language, **self.browser_headers, **self.browser._cookie_header()}
        if body is not None:
            sent |= {"Content-Type": _FORM, "Origin": self.browser.origin, "Sec-Fetch-Site": "same-origin"}
            sent["Referer"] = f"{self.browser.url}{self.path}"
        return self.browser._kept(self.browser.ask(method, path, body, sent))
