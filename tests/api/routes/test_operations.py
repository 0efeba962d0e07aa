"""Health and documentation (wire.md part A, "Ours")."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.api.browser import BASE, Browser

METHODS = {"get", "post", "put", "delete", "patch", "options", "head"}
ROUTES = {
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/metrics"),
    ("get", f"{BASE}/ok"),
    ("get", f"{BASE}/get-session"),
    ("get", f"{BASE}/organization/list"),
    ("post", f"{BASE}/sign-up/email"),
    ("post", f"{BASE}/sign-in/email"),
    ("post", f"{BASE}/sign-out"),
}


def test_it_is_alive_and_ready(browser: Browser) -> None:
    alive, ready = browser.ask("GET", "/healthz"), browser.ask("GET", "/readyz")
    assert (alive.status, ready.status) == (200, 200)
    assert alive.header("content-type") == ready.header("content-type") == "application/json"
    assert ready.json()["database"] == "ok"
    assert ready.json()["mail"] is None, "with a database of ones own and no transport"
    assert browser.get("/ok").json() == {"ok": True}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"])
def test_a_monitor_may_ask_for_the_head_alone(browser: Browser, path: str) -> None:
    """RFC 9110 §9.3.2: the same as GET, without the content."""
    whole, head = browser.ask("GET", path), browser.ask("HEAD", path)
    assert (head.status, head.content) == (200, b"")
    # numbers of moving things may be longer a moment later
    length = int(head.header("content-length") or 0)
    assert 0.9 * len(whole.content) < length < 1.1 * len(whole.content)
    assert head.header("content-type") == whole.header("content-type")


@pytest.fixture
def document(browser: Browser) -> Any:
    answer = browser.ask("GET", "/openapi.json")
    assert (answer.status, answer.header("content-type")) == (200, "application/json")
    return answer.json()


def operations(document: Any) -> dict[tuple[str, str], Any]:
    """Every operation of the document by method and path."""
    return {(method, path): entry for path, methods in document["paths"].items() for method, entry in methods.items()}


def test_the_document_is_openapi_3_1(document: Any) -> None:
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert {"title", "version"} <= set(document["info"])
    assert {method for method, _ in operations(document)} <= METHODS
    ids = [entry["operationId"] for entry in operations(document).values()]
    assert len(ids) == len(set(ids))
    for key, entry in operations(document).items():
        assert entry["summary"], key
        assert entry["responses"], key
        for status, response in entry["responses"].items():
            assert re.fullmatch(r"[1-5]\d\d", status)
            assert response["description"], (key, status)


def test_every_route_is_in_it_and_answers(browser: Browser, document: Any) -> None:
    assert set(operations(document)) >= ROUTES
    for method, path in operations(document):
        if "{" in path:
            continue  # of nothing, and nothing is what it answers
        assert browser.ask(method.upper(), path).status != 404, path


def test_every_reference_leads_to_a_schema(document: Any) -> None:
    references: list[str] = []

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            references.extend(value[key] for key in value if key == "$ref")
            for inner in value.values():
                collect(inner)
        elif isinstance(value, list):
            for inner in value:
                collect(inner)

    collect(document)
    schemas = document["components"]["schemas"]
    assert references
    assert {reference.removeprefix("#/components/schemas/") for reference in references} <= set(schemas)


def test_no_route_speaks_of_the_frameworks_own_schema_error(document: Any) -> None:
    assert not {"HTTPValidationError", "ValidationError"} & set(document["components"]["schemas"])
    sign_in = operations(document)["post", f"{BASE}/sign-in/email"]["responses"]
    assert "422" not in sign_in


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/sign-up/email", "400", "VALIDATION_ERROR"),
        ("/sign-up/email", "400", "PASSWORD_TOO_SHORT"),
        ("/sign-up/email", "400", "INVITATION_NOT_FOUND"),
        ("/sign-up/email", "422", "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"),
        ("/sign-up/email", "413", "PAYLOAD_TOO_LARGE"),
        ("/sign-up/email", "415", "UNSUPPORTED_MEDIA_TYPE"),
        ("/sign-up/email", "403", "INVALID_ORIGIN"),
        ("/sign-up/email", "403", "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED"),
        ("/sign-in/email", "400", "INVALID_EMAIL"),
        ("/sign-in/email", "401", "INVALID_EMAIL_OR_PASSWORD"),
        ("/sign-in/email", "403", "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED"),
        ("/sign-in/email", "503", "SERVICE_UNAVAILABLE"),
        ("/sign-out", "403", "INVALID_CALLBACK_URL"),
    ],
)
def test_refusals_are_documented_with_an_example(document: Any, path: str, status: str, code: str) -> None:
    response = operations(document)["post", f"{BASE}{path}"]["responses"][status]
    example = response["content"]["application/json"]["examples"][code]["value"]
    assert example["code"] == code
    assert example["message"]


@pytest.mark.parametrize("path", ["/sign-up/email", "/sign-in/email"])
def test_a_limited_route_documents_its_429(document: Any, path: str) -> None:
    response = operations(document)["post", f"{BASE}{path}"]["responses"]["429"]
    examples = response["content"]["application/json"]["examples"]
    assert [example["value"] for example in examples.values()] == [
        {"message": "Too many requests. Please try again later."}
    ]


def test_the_example_of_a_body_is_accepted(browser: Browser, document: Any) -> None:
    for path in ("/sign-up/email", "/sign-in/email"):
        body = operations(document)["post", f"{BASE}{path}"]["requestBody"]["content"]["application/json"]["schema"]
        schema = document["components"]["schemas"][body["$ref"].rpartition("/")[2]]
        assert browser.post(path, schema["examples"][0]).status == 200


def test_what_the_routes_answer_is_what_they_document(browser: Browser, document: Any, email: str) -> None:
    answers = {
        ("post", f"{BASE}/sign-up/email"): browser.sign_up(email).json(),
        ("post", f"{BASE}/sign-in/email"): browser.sign_in(email).json(),
        ("get", f"{BASE}/organization/list"): browser.get("/organization/list").json()[0],
        ("get", f"{BASE}/get-session"): browser.get("/get-session").json(),
        ("post", f"{BASE}/sign-out"): browser.post("/sign-out").json(),
    }
    for key, said in answers.items():
        schema = operations(document)[key]["responses"]["200"]["content"]["application/json"]["schema"]
        schema = schema.get("items") or next(iter(schema.get("anyOf", [])), schema)
        described = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        assert set(described["required"]) <= set(said) <= set(described["properties"]), key


def test_the_documentation_page_takes_nothing_from_outside(browser: Browser) -> None:
    answer = browser.ask("GET", "/docs")
    page = answer.content.decode()
    assert (answer.status, answer.header("content-type")) == (200, "text/html; charset=utf-8")
    sources = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)["']""", page)
    assert len(sources) >= 4
    assert "http://" not in page
    assert "https://" not in page
    for source in sources:
        assert re.match(r"/(?!/)", source), source
        found = browser.ask("GET", source)
        assert found.status == 200, source
        assert found.content


def test_style_and_script_of_the_page_load_nothing_more(browser: Browser) -> None:
    style = browser.ask("GET", "/docs/static/swagger-ui.css").content.decode()
    assert not re.search(r"@import|url\(\s*[\"']?(?:https?:)?//", style)
