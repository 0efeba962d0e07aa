"""/openapi.json and /docs: every route there is; scripts and styles come from ourselves, nothing from outside."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

_STATIC = "/docs/static"
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "`token` of a sign-up or sign-in, or `set-auth-token`. Browsers use the cookie instead.",
}


def add_documentation(web: FastAPI, plain: dict[str, tuple[dict[str, Any], Any]]) -> None:
    """Serve both pages. `plain` documents the routes in front of the framework: by path, the entry and the answer type.

    The entry refers to the answer as `#/components/schemas/<its name>`.
    """

    def openapi() -> dict[str, Any]:
        if web.openapi_schema is None:
            web.openapi_schema = _schema(web, plain)
        return web.openapi_schema

    def docs(_request: Request) -> Response:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="Daybook",
            swagger_js_url=f"{_STATIC}/swagger-ui-bundle.js",
            swagger_css_url=f"{_STATIC}/swagger-ui.css",
            swagger_favicon_url=f"{_STATIC}/favicon.png",
        )

    web.openapi = openapi  # type: ignore[method-assign]  # the framework's own way to extend the document
    web.add_route("/docs", docs, methods=["GET"], include_in_schema=False)
    web.mount(_STATIC, StaticFiles(directory=str(files("fastapi_offline") / "static")))


def _schema(web: FastAPI, plain: dict[str, tuple[dict[str, Any], Any]]) -> dict[str, Any]:
    document = get_openapi(title=web.title, version=web.version, summary=web.summary, routes=web.routes)
    schemas = document["components"]["schemas"]
    for path, (entry, answer) in plain.items():
        described = TypeAdapter(answer).json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(described.pop("$defs", {}))
        schemas[answer.__name__] = described
        document["paths"].setdefault(path, {}).update(entry)
    document["components"]["securitySchemes"] = {"bearer": _BEARER}
    document["security"] = [{}, {"bearer": []}]
    for method in (entry for path in document["paths"].values() for entry in path.values()):
        # a schema error is 400 here, and documented as such; a route's own 422 stays
        if "HTTPValidationError" in str(method["responses"].get("422")):
            del method["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    return document
