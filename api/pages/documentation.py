"""/openapi.json and /docs: every route there is; scripts and styles come from ourselves, nothing from outside."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from copy import deepcopy
from hashlib import sha256
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute
from starlette.staticfiles import StaticFiles

from api.edge import body
from api.edge.cookies import SessionCookies
from api.edge.media_type import FORM, JSON
from api.edge.request_context import BASE_PATH
from api.edge.session_schemes import SESSION_NEEDED, session_schemes
from api.settings import Settings

from .documented_keys import say_what_keys_are_told

_STATIC = "/docs/static"
_SCHEMAS = "#/components/schemas/"
_INTRODUCTION = """\
- **Cookie**: sign-up and sign-in set the cookie `{cookie}`; a page on the same site sends it by itself.
- **Bearer**: everybody else sends `Authorization: Bearer` and the answer's `token`, or its `set-auth-token` header.
- **Origin**: a POST with a cookie needs an `Origin` that is `BASE_URL` or one of `TRUSTED_ORIGINS`; from a server too.
- **Errors** are `{{"message", "code"}}`; branch on `code`. Signed out is 401, but `null` from `get-session`.
- **Limits**: 429 and 503 say in `Retry-After` how many seconds to wait; a 503 to a command means unknown, not undone.
"""
"""What /docs begins with: five lines for who uses it for the first time."""


def add_documentation(web: FastAPI, also: Sequence[BaseRoute], settings: Settings) -> None:
    """Serve both pages, of the routes of the framework and of those that `also` are answered, in front of it."""

    def openapi() -> dict[str, Any]:
        if web.openapi_schema is None:
            web.openapi_schema = _document(web, also, settings)
        return web.openapi_schema

    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Daybook",
        swagger_js_url=f"{_STATIC}/swagger-ui-bundle.js",
        swagger_css_url=f"{_STATIC}/swagger-ui.css",
        swagger_favicon_url=f"{_STATIC}/favicon.png",
    ).body
    headers = {"Content-Security-Policy": _policy(bytes(page).decode())}

    def docs(_request: Request) -> Response:
        return HTMLResponse(page, headers=headers)

    web.openapi = openapi  # type: ignore[method-assign]  # the framework's own way to extend the document
    web.add_route("/docs", docs, methods=["GET"], include_in_schema=False)
    web.mount(_STATIC, StaticFiles(directory=str(files("fastapi_offline") / "static")))


def _policy(page: str) -> str:
    """Nothing from elsewhere, and of what stands in the page only the one script that the framework writes there."""
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    said = " ".join(f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts)
    return (
        f"default-src 'none'; script-src 'self' {said}; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )


def _document(web: FastAPI, also: Sequence[BaseRoute], settings: Settings) -> dict[str, Any]:
    """What the framework makes of the declared routes, and what its declarations cannot say."""
    cookies = SessionCookies(settings.cookie_prefix, settings.secure, secret="")
    here = {"url": "/", "description": "Where this document comes from"}
    public = [] if settings.base_url is None else [{"url": settings.base_url, "description": "How browsers reach it"}]
    document = get_openapi(
        title=web.title,
        version=web.version,
        summary=web.summary,
        description=_INTRODUCTION.format(cookie=cookies.token_name),
        routes=[*also, *web.routes],
        servers=[here, *public],
    )
    schemas = document["components"]["schemas"]
    document["components"]["securitySchemes"] = session_schemes(cookies.token_name)
    of_any_route = document["paths"][f"{BASE_PATH}/ok"]["get"]["responses"]
    for path, operation in _operations(document):
        for status in ("429", "503") if path.startswith(BASE_PATH) else ():
            operation["responses"].setdefault(status, of_any_route[status])
        _say_who_is_let_in(operation)
        _forget_schema_errors(operation)
        _say_what_may_be_left_out(operation)
        if "requestBody" in operation and FORM in body.accepted(path.removeprefix(BASE_PATH)):
            _add_form(operation, schemas)
            operation.setdefault("parameters", []).append(_known_device(cookies.known_device_name))
    say_what_keys_are_told(document["paths"], web.routes)
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for name in {schema.removeprefix(_SCHEMAS) for schema in _references(_bodies(document), schemas)}:
        _without(schemas[name], "default")
    _without_titles_of_fields(document)
    for _, operation in _operations(document):
        _add_examples(operation, schemas)
    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((path, operation) for path, methods in document["paths"].items() for operation in methods.values())


def _bodies(document: dict[str, Any]) -> list[Any]:
    return [operation["requestBody"] for _, operation in _operations(document) if "requestBody" in operation]


def _say_who_is_let_in(operation: dict[str, Any]) -> None:
    if "UNAUTHORIZED" in operation["responses"].get("401", {}).get("description", ""):
        operation.setdefault("security", SESSION_NEEDED["security"])


def _forget_schema_errors(operation: dict[str, Any]) -> None:
    """A schema error is 400 here, and documented as such; a route's own 422 stays."""
    if "HTTPValidationError" in str(operation["responses"].get("422")):
        del operation["responses"]["422"]


def _say_what_may_be_left_out(operation: dict[str, Any]) -> None:
    """No parameter can be null, and none has a default that only stands for being left out."""
    for parameter in operation.get("parameters", []):
        schema = parameter["schema"]
        if schema.get("default") in ("", None, []):
            schema.pop("default", None)
        if "anyOf" in schema:
            [given] = [one for one in schema.pop("anyOf") if one != {"type": "null"}]
            schema.update(given)


def _add_form(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """The fields of a form are those of the JSON body that are text (wire.md §1)."""
    content = operation["requestBody"]["content"]
    name = content[JSON]["schema"]["$ref"].removeprefix(_SCHEMAS)
    form = deepcopy(schemas[name]) | {"title": f"{name}Form", "description": f"As {name}, from a plain HTML form."}
    form["properties"] = {key: field for key, field in form["properties"].items() if field.get("type") == "string"}
    schemas[f"{name}Form"] = form
    content[FORM] = {"schema": {"$ref": f"{_SCHEMAS}{name}Form"}}


def _known_device(cookie: str) -> dict[str, Any]:
    """The cookie by which people sign in where they did before (wire.md A14).

    Said also because openapi-python-client 0.29.1 writes a module that cannot be imported for an operation with two
    kinds of body and no parameter that may be left out.
    """
    described = "Of a browser or app that signed in before: whoever guesses at the account does not lock it out there."
    return {"name": cookie, "in": "cookie", "required": False, "description": described, "schema": {"type": "string"}}


def _references(value: Any, schemas: dict[str, Any]) -> set[str]:
    """The schemas a part of the document refers to, and those they refer to."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        match waiting.pop():
            case {"$ref": str(reference)} if reference not in found:
                found.add(reference)
                waiting.append(schemas[reference.removeprefix(_SCHEMAS)])
            case dict() as members:
                waiting.extend(members.values())
            case list() as items:
                waiting.extend(items)
    return found


def _without(schema: dict[str, Any], key: str) -> None:
    """The fields of a schema without this key.

    Published, a `default` makes generated clients demand the field, or send it, as if it had not been left out.
    """
    for field in schema.get("properties", {}).values():
        field.pop(key, None)


def _without_titles_of_fields(document: dict[str, Any]) -> None:
    """A field's title is its name in another spelling (`Createdat`)."""
    for schema in document["components"]["schemas"].values():
        _without(schema, "title")
    for _, operation in _operations(document):
        for parameter in operation.get("parameters", []):
            parameter["schema"].pop("title", None)


def _add_examples(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """To each answer and body that has none: put together from those of its fields."""
    for part in (operation.get("requestBody"), *operation["responses"].values()):
        for described in (part or {}).get("content", {}).values():
            if not {"example", "examples"} & described.keys():
                described["example"] = _example(described["schema"], schemas)


def _example(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """A value of this schema. Raises LookupError for a field without an example, which a test would notice."""
    match schema:
        case {"$ref": str(reference)}:
            return _example(schemas[reference.removeprefix(_SCHEMAS)], schemas)
        case {"examples": [first, *_]} | {"enum": [first, *_]} | {"const": first}:
            return first
        case {"anyOf": [first, *_]}:
            return _example(first, schemas)
        case {"type": "boolean"}:
            return True
        case {"type": "null"}:
            return None
        case {"type": "array", "items": items}:
            return [_example(items, schemas)]
        case {"type": "object", "properties": fields}:
            shown = [name for name in fields if name in schema.get("required", ()) or "examples" in fields[name]]
            return {name: _example(fields[name], schemas) for name in shown}
        case _:
            raise LookupError(f"no example of {schema}")
