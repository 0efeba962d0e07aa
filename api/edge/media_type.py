"""Which media types a request body may come in (wire.md §1)."""

from __future__ import annotations

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

ONLY_JSON = (JSON,)
FORM_OR_JSON = (FORM, JSON)  # in the order in which the refusal names them


def refusal(content_type: str | None, allowed: tuple[str, ...]) -> str | None:
    """The message of the 415 for a body with this Content-Type header, or None when it may be read.

    A body without any Content-Type counts as no body (wire.md §1), so there is nothing to refuse.
    """
    if not content_type or _essence(content_type) in allowed:
        return None
    return f'Content-Type "{content_type}" is not allowed. Allowed types: {", ".join(allowed)}'


def is_form(content_type: str | None) -> bool:
    """Whether the body holds form fields rather than JSON."""
    return content_type is not None and _essence(content_type) == FORM


def _essence(content_type: str) -> str:
    return content_type.partition(";")[0].strip(" \t").lower()
