"""The settings of the environment, for a command; what is wrong with them in one sentence."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import ValidationError

from api.deployment_settings import PREFIX
from api.settings import Settings, unknown_names

from .refusal import WontStart

_ADDRESS = f"{PREFIX}DATABASE_URL"
_OWNER = f"{PREFIX}OWNER_DATABASE_URL"


def configured() -> Settings:
    """The settings of the environment. Raises WontStart with what is wrong with them."""
    wrong = [
        f"{name} is no setting" + (f"; the nearest is {nearest}" if nearest else "")
        for name, nearest in unknown_names(os.environ).items()
    ]
    given = {name.upper(): value.strip() for name, value in os.environ.items()}
    wrong += [*_wrong_with_addresses(given), *_empty_choices(given)]
    try:
        known = Settings()
    except ValidationError as error:
        wrong += [_told(one) for one in error.errors(include_input=False, include_url=False)]
    if wrong:
        raise WontStart("; ".join(wrong) + ".")
    return known


def _wrong_with_addresses(given: Mapping[str, str]) -> list[str]:
    """An empty setting counts as none, but of the database that would make a new, empty service beside the old one."""
    address, owner = given.get(_ADDRESS), given.get(_OWNER)
    if address == "":
        return [f"{_ADDRESS} is there but empty: name the database or, for an embedded one, leave it out"]
    if address is None and owner:
        return [f"{_OWNER} is set without {_ADDRESS}: set both or, for an embedded database, neither"]
    return []


def _empty_choices(given: Mapping[str, str]) -> list[str]:
    """Of a choice, empty is none of those there are: as if left out, it would open what somebody meant to close."""
    return [
        f"{PREFIX}{name.upper()} is there but empty: say {' or '.join(get_args(field.annotation))}, or leave it out"
        for name, field in Settings.model_fields.items()
        if get_origin(field.annotation) is Literal and given.get(f"{PREFIX}{name.upper()}") == ""
    ]


def _told(error: Any) -> str:
    """What is asked of the setting, never what was given: it may be the secret."""
    if not error["loc"]:
        # about several at once: its message names them
        return str(error["msg"]).rstrip(".")
    name = str(error["loc"][0])
    field, message = Settings.model_fields[name], str(error["msg"])
    least = [bound.ge for bound in field.metadata if isinstance(bound, Ge)]
    most = [bound.le for bound in field.metadata if isinstance(bound, Le)]
    if least and error["type"].startswith(("int_", "greater_", "less_")):
        message = f"must be a whole number, {least[0]} or more"
        if most:
            message = f"must be a whole number from {least[0]} to {most[0]}"
    elif error["type"] == "literal_error":
        message = f"must be one of: {', '.join(get_args(field.annotation))}"
    elif error["type"] == "string_pattern_mismatch":
        message = "does not have the form that docs/running.md describes"
    return f"{PREFIX}{name.upper()}: {message}"
