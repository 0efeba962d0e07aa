"""A route of the contract: declared to the web framework, which documents it, and answered without it.

Of a request the framework would make several objects, solve dependencies that are known beforehand, and change threads
more than once: that took most of the time of a read (docs/decisions/0039-one-lean-way.md). Here a route is compiled
once into what it takes; per request its query and its body are validated, its handler is called, its answer is sent.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from functools import partial
from typing import Annotated, Any, get_args, get_origin

from anyio import to_thread
from fastapi.exceptions import RequestValidationError
from fastapi.params import Query
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.responses import Response

from domain.key_refusals import NotByKey

from .authentication import READING, PresentedCredentials, find_credentials
from .body import Body
from .caller import Caller, Client, CurrentByKey
from .key_shown import key_shown
from .query import ExactQuery, invalid
from .request_context import RequestContext
from .services import Services
from .session_schemes import KEY_SCOPE

_MISSING = {"type": "missing", "msg": "Field required", "input": None}


class ContractRoute(APIRoute):
    """What its handler takes is told by types: a `Client` or a `Caller`, a model of the query, a model of the body; and
    the last part of its path by its name, where that is one in braces.

    Programs may call it by an API key if it says so (`session_schemes.by_key`), and else not, however much their key's
    owner may. A handler that is a coroutine function runs on the event loop, any other in a thread.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self._client = self._caller = ""
        self.folder, self._last = _folder(path, self.param_convertors)
        self._readers: dict[str, Callable[[bytes, Body], Any]] = {}
        for name, parameter in inspect.signature(endpoint, eval_str=True).parameters.items():
            kind, *marks = (
                get_args(parameter.annotation) if _annotated(parameter.annotation) else [parameter.annotation]
            )
            if isinstance(kind, type) and issubclass(kind, Caller):
                self._caller = name
            elif kind is Client:
                self._client = name
            elif name == self._last:
                pass
            elif any(isinstance(mark, Query) for mark in marks):
                self._readers[name] = partial(_query, kind)
            elif isinstance(kind, type) and issubclass(kind, BaseModel):
                self._readers[name] = partial(_body, TypeAdapter(kind))
            else:
                raise TypeError(f"a handler of the contract takes no {parameter}: {path}")
        if self.dependencies:
            raise TypeError(f"a route of the contract has no dependencies: {path}")
        self._key_scope: str = (self.openapi_extra or {}).get(KEY_SCOPE, "")
        self.on_the_loop = inspect.iscoroutinefunction(endpoint)

    @property
    def asks_who(self) -> bool:
        """Whether it looks at the session of who asks."""
        return self._caller != ""

    @property
    def closed_to_keys(self) -> bool:
        """Whether no API key opens it. Programs may look at what anybody may."""
        return not self._key_scope and (self.asks_who or self.methods != {READING})

    async def answer(
        self,
        services: Services,
        request: RequestContext,
        query_string: bytes,
        body: Body,
        presented: PresentedCredentials | None = None,
    ) -> Response:
        """What the handler answers; with what is `presented`, if somebody looked already.

        Raises RequestValidationError, before it looks for a session itself.
        """
        if presented is None and key_shown(request) is not None:
            # a bad one is told before the schema, and one that is good for nothing here
            presented = await self.find(services, request)
        if presented is not None and presented.key is not None:
            self._require_open_to(CurrentByKey(services, request, presented.key))
        arguments = {name: read(query_string, body) for name, read in self._readers.items()}
        if self._caller:
            arguments[self._caller] = self._caller_of(
                services, request, presented or await self.find(services, request)
            )
        elif self._client:
            arguments[self._client] = Client(services, request)
        if self._last:
            arguments[self._last] = request.path.rpartition("/")[2]
        answer: Response
        if self.on_the_loop:
            answer = await self.endpoint(**arguments)
        else:
            answer = await to_thread.run_sync(partial(self.endpoint, **arguments))
        return answer

    def _require_open_to(self, current: CurrentByKey) -> None:
        """A program may call this, by a key like its own. Raises NotByKey, ScopeMissing."""
        if self.closed_to_keys:
            current.request.concerns = current.user_id
            raise NotByKey
        if self._key_scope:
            current.require_scope(self._key_scope)

    async def find(self, services: Services, request: RequestContext) -> PresentedCredentials:
        """What the request shows to be let in. Raises the refusal of a bad API key."""
        return await find_credentials(services, request)

    def _caller_of(self, services: Services, request: RequestContext, presented: PresentedCredentials) -> Caller:
        return Caller.of(services, request, presented)


def _folder(path: str, parameters: Collection[str]) -> tuple[str, str]:
    """What a path is before its last part, and what that is called, if it is a parameter; else nothing."""
    if not parameters:
        return "", ""
    folder, _, last = path.rpartition("/")
    assert [last] == [f"{{{name}}}" for name in parameters], "only the last part of a path may be a parameter"
    return f"{folder}/", last[1:-1]


def _annotated(annotation: object) -> bool:
    return get_origin(annotation) is Annotated


def _query(model: type[ExactQuery], query_string: bytes, _body: Body) -> ExactQuery:
    return model.read(query_string)


def _body(schema: TypeAdapter[Any], _query_string: bytes, body: Body) -> Any:
    if not body.json:
        raise RequestValidationError([{**_MISSING, "loc": ("body",)}])
    try:
        return schema.validate_python(body.content, from_attributes=True)
    except ValidationError as error:
        raise invalid("body", error) from None
