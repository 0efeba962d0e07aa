"""The pictures that people and organizations show (wire.md, "Ours")."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import Response

from api.edge.caller import CurrentClient
from api.edge.contract_route import ContractRoute
from api.edge.problems import Problem
from api.edge.request_context import BASE_PATH, PICTURES
from api.edge.response_writer import FOR_GOOD
from domain.pictures import LINK, media_type
from domain.store.pictures import find_picture

from .documented import documented, uncoded

router = APIRouter(route_class=ContractRoute, prefix=BASE_PATH, tags=["pages"])

_LINK = re.compile(LINK)
PictureLink = Annotated[
    str,
    Path(json_schema_extra={"pattern": f"^{_LINK.pattern}$", "examples": ["0f1e2d3c4b5a69788796a5b4c3d2e1f0"]}),
]
_HEADERS = {
    "Cache-Control": FOR_GOOD,
    # whatever else a browser could make of these bytes, it runs nothing and asks for nothing
    "Content-Security-Policy": "sandbox; default-src 'none'",
    # a page on a host of another name shows it too: who has the link may see it
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")


def _pictures() -> dict[int | str, dict[str, Any]]:
    answers = documented(None, uncoded(404, "NOT_FOUND"), body=False)
    schema = {"type": "string", "format": "binary"}
    content = {kind: {"schema": schema, "example": "the bytes of the picture"} for kind in _TYPES}
    unchanged = {"description": "The one you have (`If-None-Match`)"}
    return {200: {"description": "The picture", "content": content}, 304: unchanged, **answers}


@router.get(
    f"{PICTURES}{{link}}",
    operation_id="getPicture",
    summary="A picture that somebody shows, for whoever has its address",
    response_class=Response,
    responses=_pictures(),
)
def get_picture(client: CurrentClient, link: PictureLink) -> Response:
    context = client.services.context
    found = find_picture(context.store.statements, context.keyring, link) if _LINK.fullmatch(link) else None
    if found is None:
        raise Problem(404)
    headers = {**_HEADERS, "ETag": f'"{link}"'}
    # `*` is whatever there is (RFC 9110 §13.1.2)
    known = client.request.headers.get("if-none-match", "")
    if known.strip(" \t") == "*" or headers["ETag"] in known:
        return Response(status_code=304, headers=headers)
    return Response(found, media_type=media_type(found), headers=headers)
