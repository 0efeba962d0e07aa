"""Fields that several bodies have, and what is accepted in them (wire.md §1, A18)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError, WrapValidator
from pydantic_core import PydanticCustomError

from api.acts.pictures_given import LONGEST_URL, require_picture_url
from api.edge.problems import Problem
from domain import passwords, pictures
from domain.email_address import LONGEST, PATTERN, canonical
from domain.refusals import PictureNotKept

NOTHING_TO_UPDATE = "No fields to update"
"""What is answered, without a code, to a body with nothing in it that may be set."""


def _either(given: Any, validate: Callable[[Any], Any]) -> Any:
    """One of several types, and none of our names for them in the refusal (wire.md §3)."""
    try:
        return validate(given)
    except ValidationError:
        raise PydanticCustomError("neither", "Invalid input") from None


def _email(text: str) -> str:
    if canonical(text) is None:
        raise ValueError("Invalid email address")
    return text


@contextmanager
def picture_given_in(place: str) -> Iterator[None]:
    """Around a command that shows what was given there in the body: it is refused like what has not its form."""
    try:
        yield
    except PictureNotKept:
        raise Problem.of_code(
            PictureNotKept.code, f"[body.{place}] Invalid image URL: no picture of yours is kept there"
        ) from None


# counted in UTF-16 code units by the commands (wire.md §1), which refuse with codes of their own
_PASSWORD = {"format": "password", "maxLength": passwords.LONGEST, "examples": ["correct horse 1"]}

PersonsName = Annotated[str, Field(max_length=200, examples=["Ada Lovelace"])]
EmailAddress = Annotated[
    str,
    AfterValidator(_email),
    Field(
        description="Letters, digits and `_ ' + -` in parts joined by dots, `@`, a domain name; kept in lower case.",
        json_schema_extra={
            "format": "email",
            "pattern": PATTERN,
            "maxLength": LONGEST,
            "examples": ["ada@example.com"],
        },
    ),
]
GivenAddress = Annotated[str, Field(json_schema_extra={"format": "email", "examples": ["ada@example.com"]})]
"""The same, where the command refuses with a code of its own."""
NewPassword = Annotated[
    str,
    Field(
        description="Hard to guess, without your name or address in it. At least eight UTF-16 code units; a service may"
        " ask for more (`PASSWORD_TOO_SHORT`).",
        json_schema_extra={**_PASSWORD, "minLength": passwords.SHORTEST},
    ),
]
"""A password to be set."""
GivenPassword = Annotated[str, Field(json_schema_extra=_PASSWORD)]
"""A password to be compared with the one that is set."""
OptionalId = Annotated[str, Field(description="Left out or empty: the active organization.")]
RoleOrRoles = Annotated[
    Annotated[str, Field(json_schema_extra={"minLength": 1})]
    | Annotated[list[str], Field(json_schema_extra={"minItems": 1})],
    WrapValidator(_either),
    Field(
        description="`owner`, `admin`, `member`; several as a list or joined by commas, at least one.",
        json_schema_extra={"examples": ["member"]},
    ),
]
CallbackUrl = Annotated[
    str,
    Field(description="Where the browser wants to be sent: a path, or a trusted origin's URL.", max_length=LONGEST_URL),
]
"""No longer than that: nobody shall have a link sent to another's mailbox that is too long to be opened."""
RememberMe = Annotated[
    bool, Field(description="`false`: the session's cookie ends with the browser. Left out it is `true`.")
]
PictureUrl = Annotated[
    str,
    AfterValidator(require_picture_url),
    Field(
        description=f"An address of http or https or a path on the host of the page, of {LONGEST_URL} characters at"
        " most; or a picture itself, `data:image/png;base64,…` (`jpeg`, `webp`, `gif`), which is kept and answered as"
        " an address of ours. Empty for none.",
        json_schema_extra={"maxLength": pictures.LONGEST_URL, "examples": ["https://example.com/ada.png"]},
    ),
]
"""What an account or an organization shows of itself; nothing that a page could run (wire.md A18, A36)."""
