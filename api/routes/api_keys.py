"""A person's API keys: making, seeing, changing and ending them (wire-keys.md, Better Auth's `apiKey` calls)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import msgspec
from anyio import to_thread
from fastapi import APIRouter, Query
from fastapi.exceptions import RequestValidationError

from api.edge.caller import Caller, CurrentBySession, CurrentCaller, CurrentClient
from api.edge.contract_route import ContractRoute
from api.edge.ids_given import id_in
from api.edge.json_response import NOT_KEPT, JsonResponse
from api.edge.problems import Problem
from api.edge.request_context import BASE_PATH
from domain.commands import api_key as keys
from domain.commands.api_key import KeyChanges, KeyWanted, MadeKey
from domain.key_format import keys_in
from domain.key_refusals import KeyNotFound, NotInKeysOrganization
from domain.scopes import Scopes, scopes_in
from projections.lists.api_key_list import ApiKeyRow, key_of, keys_of

from . import shapes
from .api_key_shapes import (
    DEFAULT,
    ChangeKey,
    CreateKey,
    EndedAnswer,
    KeyQuery,
    KeysAnswer,
    MadeKeyAnswer,
    NamedKey,
    OfAKey,
    ReportKey,
    RotateKey,
    WhichKey,
)
from .documented import documented

router = APIRouter(route_class=ContractRoute, prefix=f"{BASE_PATH}/api-key", tags=["api-key"])

_NOBODY = "UNAUTHORIZED_SESSION"
_LONGER_THAN_ANY = 1e10
"""Seconds that no settings allow: what is more could not be counted."""
_LONGEST_METADATA = 10_000
"""Bytes of JSON, as of an organization's (wire.md §10)."""


@router.post(
    "/create",
    operation_id="createApiKey",
    name="make_api_key",
    summary="Make a key for a program; its secret is shown this once",
    responses=documented(
        MadeKeyAnswer,
        "VALIDATION_ERROR",
        "UNAUTHORIZED_SESSION",
        "SERVER_ONLY_PROPERTY",
        "UNKNOWN_KEY_CONFIGURATION",
        "INVALID_METADATA_TYPE",
        "EXPIRES_IN_IS_TOO_SMALL",
        "EXPIRES_IN_IS_TOO_LARGE",
        "INVALID_PREFIX_LENGTH",
        "INVALID_NAME_LENGTH",
        "UNKNOWN_SCOPE",
        "USER_NOT_MEMBER_OF_ORGANIZATION",
        "CONFLICT",
    ),
)
def create_api_key(caller: CurrentCaller, form: CreateKey) -> JsonResponse:
    form.require_allowed()
    current = _person(caller, form)
    only = id_in(form.organizationOnly or "")
    if form.organizationOnly and only is None:
        raise NotInKeysOrganization
    wanted = KeyWanted(
        name=form.name,
        prefix=form.prefix,
        metadata=_metadata(form.metadata),
        lifetime=_lifetime(form.expiresIn),
        scopes=_scopes(form.scopes),
        organization_id=only,
    )
    return _made(current, keys.make_key(caller.services.context, current.principal, wanted))


@router.get(
    "/get",
    operation_id="getApiKey",
    summary="A key of yours, without its secret",
    responses=documented(
        shapes.ApiKey, "VALIDATION_ERROR", "UNAUTHORIZED", "KEY_NOT_FOUND", "UNKNOWN_KEY_CONFIGURATION",
        body=False
    ),
)  # fmt: skip
def get_api_key(caller: CurrentCaller, query: Annotated[WhichKey, Query()]) -> JsonResponse:
    current = caller.require_session()
    if query.configId not in ("", DEFAULT):
        raise Problem.of_code("UNKNOWN_KEY_CONFIGURATION")
    return JsonResponse(_shown(current, _found(current, query.id)), headers=NOT_KEPT)


@router.get(
    "/list",
    operation_id="listApiKeys",
    summary="Your keys, those that have run out or are disabled too",
    responses=documented(KeysAnswer, "VALIDATION_ERROR", "UNAUTHORIZED", body=False),
)
async def list_api_keys(caller: CurrentCaller, query: Annotated[KeyQuery, Query()]) -> JsonResponse:
    limit, offset = _number("limit", query.limit), _number("offset", query.offset)
    current = await caller.require_session_soon()
    answer = KeysAnswer(apiKeys=[], total=0)
    if query.configId in ("", DEFAULT) and query.organizationId is None:
        found = await to_thread.run_sync(
            lambda: keys_of(
                caller.services.context.store.statements,
                current.user_id,
                sort_by=query.sortBy,
                descending=query.sortDirection == "desc",
                limit=limit,
                offset=offset or 0,
            )
        )
        answer = KeysAnswer(apiKeys=[_shown(current, row) for row in found.keys], total=found.total)
    if limit is not None:
        answer["limit"] = limit
    if offset is not None:
        answer["offset"] = offset
    return JsonResponse(answer, headers=NOT_KEPT)


@router.post(
    "/update",
    operation_id="updateApiKey",
    name="change_api_key",
    summary="Rename a key, enable or disable it, change until when it is good",
    responses=documented(
        shapes.ApiKey,
        "VALIDATION_ERROR",
        "UNAUTHORIZED_SESSION",
        "SERVER_ONLY_PROPERTY",
        "UNKNOWN_KEY_CONFIGURATION",
        "KEY_NOT_FOUND",
        "INVALID_NAME_LENGTH",
        "EXPIRES_IN_IS_TOO_SMALL",
        "EXPIRES_IN_IS_TOO_LARGE",
        "INVALID_METADATA_TYPE",
        "NO_VALUES_TO_UPDATE",
        "CONFLICT",
    ),
)
def update_api_key(caller: CurrentCaller, form: ChangeKey) -> JsonResponse:
    current = _person(caller, form)
    form.require_allowed()
    given, row = form.model_fields_set, _found(current, form.keyId)
    lifetime = _lifetime(form.expiresIn)
    changes = KeyChanges(
        name=form.name if "name" in given else None,
        enabled=form.enabled if "enabled" in given else None,
        lifetime=(lifetime,) if "expiresIn" in given else None,
        metadata=(_metadata(form.metadata),) if "metadata" in given else None,
    )
    if changes == KeyChanges():
        raise Problem.of_code("NO_VALUES_TO_UPDATE")
    keys.change_key(caller.services.context, current.principal, row.api_key_id, changes)
    return JsonResponse(_shown(current, _found(current, form.keyId)))


@router.post(
    "/delete",
    operation_id="deleteApiKey",
    name="delete_api_key",
    summary="End a key: it opens nothing any more, at once and everywhere",
    responses=documented(
        EndedAnswer, "VALIDATION_ERROR", "UNAUTHORIZED", "KEY_NOT_FOUND", "UNKNOWN_KEY_CONFIGURATION",
        "CONFLICT"
    ),
)  # fmt: skip
def delete_api_key(caller: CurrentCaller, form: NamedKey) -> JsonResponse:
    current = caller.require_session()
    form.require_allowed()
    keys.delete_key(caller.services.context, current.principal, _found(current, form.keyId).api_key_id)
    return JsonResponse(EndedAnswer(success=True))


@router.post(
    "/rotate",
    operation_id="rotateApiKey",
    name="rotate_api_key",
    summary="Make a key anew; the old one is good for a while longer, if you say so",
    responses=documented(
        MadeKeyAnswer, "VALIDATION_ERROR", "UNAUTHORIZED", "KEY_NOT_FOUND", "UNKNOWN_KEY_CONFIGURATION",
        "KEY_ALREADY_ROTATED", "CONFLICT"
    ),
)  # fmt: skip
def rotate_api_key(caller: CurrentCaller, form: RotateKey) -> JsonResponse:
    current = caller.require_session()
    form.require_allowed()
    rotated = keys.rotate_key(
        caller.services.context,
        current.principal,
        _found(current, form.keyId).api_key_id,
        old_good_for=timedelta(seconds=form.expireOldIn),
    )
    return _made(current, rotated)


@router.post(
    "/revoke-all",
    operation_id="revokeApiKeys",
    name="revoke_api_keys",
    summary="End all keys of yours",
    responses=documented(EndedAnswer, "UNAUTHORIZED", "CONFLICT"),
)
def revoke_api_keys(caller: CurrentCaller) -> JsonResponse:
    current = caller.require_session()
    keys.revoke_keys(caller.services.context, current.principal)
    return JsonResponse(EndedAnswer(success=True))


@router.post(
    "/report",
    operation_id="reportApiKey",
    name="report_api_key",
    summary="Say that you found a key where it does not belong: it is ended. The answer is the same for any text",
    responses=documented(EndedAnswer, "VALIDATION_ERROR", "CONFLICT"),
)
def report_api_key(client: CurrentClient, form: ReportKey) -> JsonResponse:
    request = client.request
    for key in keys_in(form.key):
        keys.report_key(client.services.context, key, now=request.now, where_from=request.where_from)
    return JsonResponse(EndedAnswer(success=True))


def _person(caller: Caller, form: OfAKey) -> CurrentBySession:
    """Who asks, refused as these calls alone do. Raises Problem, NotByKey."""
    if form.userId is not None:
        raise Problem.of_code(_NOBODY)
    return caller.require_session_or(Problem.of_code(_NOBODY))


def _found(current: CurrentBySession, key_id: str) -> ApiKeyRow:
    api_key_id = id_in(key_id)
    if api_key_id is None:
        raise KeyNotFound
    row = key_of(current.services.context.store.statements, current.user_id, api_key_id)
    if row is None:
        raise KeyNotFound
    return row


def _made(current: CurrentBySession, made: MadeKey) -> JsonResponse:
    row = key_of(current.services.context.store.statements, current.user_id, made.api_key_id)
    if row is None:
        # ended by somebody else this moment
        raise KeyNotFound
    return JsonResponse(MadeKeyAnswer(**_shown(current, row), key=made.secret), headers=NOT_KEPT)


def _shown(current: CurrentBySession, row: ApiKeyRow) -> shapes.ApiKey:
    services = current.services
    pending = services.last_active_buffer.held().pending(row.api_key_id)
    used = [at for at in (row.used_at, pending) if at is not None]
    return shapes.api_key(row, services.places, used_at=max(used, default=None))


def _lifetime(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=min(seconds, _LONGER_THAN_ANY))


def _scopes(words: list[str] | None) -> Scopes | None:
    return None if words is None else scopes_in(words)


def _metadata(given: Any) -> str | None:
    """As it is kept. Raises Problem, RequestValidationError."""
    if given is None:
        return None
    if not isinstance(given, dict | list):
        raise Problem.of_code("INVALID_METADATA_TYPE")
    text = msgspec.json.encode(given).decode()
    if len(text.encode()) > _LONGEST_METADATA:
        raise RequestValidationError([{"type": "invalid", "loc": ("body", "metadata"), "input": None}])
    return text


def _number(name: str, given: str | None) -> int | None:
    """A count as these queries have it: the empty text is 0, and 1e3 is one. Raises RequestValidationError."""
    if given is None:
        return None
    try:
        number = float(given or 0)
    except ValueError:
        number = -1.0
    if not 0 <= number < 2**31 or number != int(number):
        raise RequestValidationError([{"type": "invalid", "loc": ("query", name), "input": None}])
    return int(number)
