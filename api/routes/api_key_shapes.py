"""What is said to the calls about API keys, and what they answer (wire-keys.md)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from typing_extensions import TypedDict

from api.edge.problems import Problem
from api.edge.query import QueryModel
from domain.key_format import PREFIX_PATTERN
from domain.scopes import GRANTABLE

from . import shapes

DEFAULT = "default"
_OF_THE_SERVER = (
    "refillAmount",
    "refillInterval",
    "rateLimitMax",
    "rateLimitTimeWindow",
    "rateLimitEnabled",
    "permissions",
)
"""What only Better Auth's server API sets: nobody does so from outside."""
_ANY = Field(default=None, description="May not be given.")
Seconds = Annotated[float, Field(ge=1, description="Seconds from now, within what the settings allow; null for ever.")]
Count = Annotated[str, WithJsonSchema({"type": "integer", "minimum": 0})]
"""A number as the plugin reads it, who takes more for one than clients have to know."""
KeyConfiguration = Annotated[str, Field(description="`default`, or left out.")]


class OfAKey(BaseModel):
    """What the bodies of several calls have; what is for the server alone is refused, whatever it is."""

    model_config = ConfigDict(strict=True, extra="allow")

    configId: KeyConfiguration = ""
    userId: Annotated[Any, _ANY] = None

    def require_allowed(self) -> None:
        """Nothing was given that nobody may say. Raises Problem."""
        extra = self.model_extra or {}
        if any(name in extra for name in _OF_THE_SERVER) or extra.get("remaining") is not None:
            raise Problem.of_code("SERVER_ONLY_PROPERTY")
        if self.configId not in ("", DEFAULT):
            # a mistyped one shall not make another kind of key than was meant (K16)
            raise Problem.of_code("UNKNOWN_KEY_CONFIGURATION")


class CreateKey(OfAKey):
    """A key to be made."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "deploy", "expiresIn": 7_776_000, "scopes": ["read"]}]}
    )

    name: Annotated[str | None, Field(description="1 to 32 characters.")] = None
    prefix: Annotated[
        str | None,
        Field(pattern=f"^{PREFIX_PATTERN}$", description="Stands in front of the key: letters, digits, - and _."),
    ] = None
    expiresIn: Seconds | None = None
    metadata: Annotated[Any, Field(description="An object or a list, up to 10,000 bytes of JSON.")] = None
    scopes: Annotated[
        list[str] | None,
        Field(description=f"What the key may do of what you may; all if left out. Of: {', '.join(GRANTABLE)}."),
    ] = None
    organizationOnly: Annotated[
        str | None, Field(description="The id of the only organization the key is for; all of yours if left out.")
    ] = None


class ChangeKey(OfAKey):
    """What of a key shall be different; what is left out stays."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"keyId": "0193a1f0c4f27e5a8b6c7d0e1f203142", "enabled": False}]}
    )

    keyId: str
    name: Annotated[str, Field(description="1 to 32 characters.")] = ""
    enabled: bool = True
    expiresIn: Seconds | None = None
    metadata: Annotated[Any, Field(description="An object or a list; null takes it away.")] = None


class NamedKey(OfAKey):
    """A key of one's own."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"keyId": "0193a1f0c4f27e5a8b6c7d0e1f203142"}]})

    keyId: str


class RotateKey(NamedKey):
    """A key to be made anew."""

    expireOldIn: Annotated[
        float, Field(ge=0, le=31_536_000, description="Seconds for which the old one is good still.")
    ] = 0


class ReportKey(BaseModel):
    """A key that somebody found."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [{"key": "day_" + "0" * 70}]})

    key: Annotated[str, Field(max_length=200, repr=False)]


class WhichKey(QueryModel):
    """A key of one's own."""

    choices = frozenset({"id"})

    id: str
    configId: KeyConfiguration = ""


class KeyQuery(QueryModel):
    """Which keys, in which order."""

    choices: ClassVar[frozenset[str]] = frozenset({"sortDirection", "limit", "offset", "organizationId"})

    limit: Annotated[Count | None, Field(description="At most so many; all without it.")] = None
    offset: Annotated[Count | None, Field(description="Leave out so many at the beginning.")] = None
    sortBy: Literal["", "createdAt", "updatedAt", "name", "expiresAt", "lastRequest", "enabled"] = ""
    sortDirection: Literal["asc", "desc"] = "asc"
    configId: KeyConfiguration = ""
    organizationId: str | None = None


class MadeKeyAnswer(shapes.ApiKey):
    """A key that was just made, with its secret: it is shown this once."""

    key: Annotated[str, Field(examples=["day_" + "0" * 70])]


class KeysAnswer(TypedDict, total=False):
    """Keys, and how many there are in all; `limit` and `offset` if they were given."""

    apiKeys: list[shapes.ApiKey]
    total: Annotated[int, Field(examples=[1])]
    limit: int
    offset: int


class EndedAnswer(TypedDict):
    """Done."""

    success: bool
