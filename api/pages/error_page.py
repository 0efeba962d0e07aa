"""/error: where links that failed lead to (wire.md §9): a page while developing, else the application's own."""

from __future__ import annotations

import re
from html import escape
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.edge.caller import CurrentClient
from api.edge.contract_route import ContractRoute
from api.edge.query import ExactQuery
from api.edge.request_context import BASE_PATH

router = APIRouter(route_class=ContractRoute, prefix=BASE_PATH, tags=["pages"])

_CODE = re.compile(r"[A-Za-z0-9_'-]{1,100}")
_UNKNOWN = "UNKNOWN"
_LONGEST = 500
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Daybook: {code}</title></head>
<body><main><h1>Something went wrong</h1><p>{description}</p><p><code>{code}</code></p></main></body>
</html>
"""
_EXAMPLE = _PAGE.format(code="SESSION_EXPIRED", description="The link cannot be used.")
# it shows what its address says, which anybody may have written
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


class Failed(ExactQuery):
    """What went wrong: a code, and a sentence for people."""

    error: str = ""
    error_description: str = ""


@router.get(
    "/error",
    operation_id="errorPage",
    summary="What went wrong with a link: a page, or with `BASE_URL` set the way to your application",
    response_class=HTMLResponse,
    responses={
        200: {"description": "A page", "content": {"text/html": {"example": _EXAMPLE}}},
        302: {"description": "To `/` of your application, with `error` and `error_description`"},
    },
)
async def error_page(client: CurrentClient, query: Annotated[Failed, Query()]) -> Response:
    code = query.error if _CODE.fullmatch(query.error) else _UNKNOWN
    description = query.error_description[:_LONGEST]
    if client.services.settings.base_url is None:
        text = escape(description or "The link cannot be used.")
        return HTMLResponse(_PAGE.format(code=escape(code), description=text), headers=_HEADERS)
    told = {"error": code} | ({"error_description": description} if description else {})
    return RedirectResponse(f"/?{urlencode(told)}", 302)
