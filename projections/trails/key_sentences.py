"""API keys in words, told to whose they are and in the organization that they are for."""

from __future__ import annotations

from typing import assert_never

from domain.api_key import (
    ApiKeyDisabled,
    ApiKeyEnabled,
    ApiKeyEnded,
    ApiKeyEvent,
    ApiKeyLifetimeChanged,
    ApiKeyMade,
    ApiKeyMetadataChanged,
    ApiKeyRenamed,
    ApiKeyRotated,
    ApiKeyUsed,
    KeyEnd,
)

from .language import Word
from .names import Names


def of_a_key(event: ApiKeyEvent, names: Names) -> str:
    """What happened, in plain words; never anything of the key's secret."""
    match event:
        case ApiKeyMade():
            return names.say("{actor} made the API key {key}.")
        case ApiKeyRenamed(name=name):
            new = names.quoted(name, otherwise=Word("another name"))
            return names.say("{actor} renamed the API key {before} to {new}.", new=new)
        case ApiKeyMetadataChanged():
            return names.say("{actor} changed what is noted of the API key {key}.")
        case ApiKeyEnabled():
            return names.say("{actor} enabled the API key {key}.")
        case ApiKeyDisabled():
            return names.say("{actor} disabled the API key {key}.")
        case ApiKeyLifetimeChanged(expires_at=None):
            return names.say("{actor} made the API key {key} good for ever.")
        case ApiKeyLifetimeChanged():
            return names.say("{actor} changed until when the API key {key} is good.")
        case ApiKeyRotated():
            return names.say("{actor} made a new API key in place of {key}.")
        case ApiKeyUsed():
            return names.say("The API key {key} was used from a new place: {device}.")
        case ApiKeyEnded(reason=reason):
            return _ended(reason, names)
        case _:
            assert_never(event)


def _ended(reason: KeyEnd, names: Names) -> str:
    match reason:
        case KeyEnd.DELETED:
            return names.say("{actor} deleted the API key {key}.")
        case KeyEnd.REPORTED:
            return names.say(
                "Somebody reported that the API key {key} was found where it does not belong: it was ended."
            )
        case _:
            assert_never(reason)
