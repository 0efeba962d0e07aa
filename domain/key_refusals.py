"""Refusals about API keys, with the codes that Better Auth's plugin gives them (wire-keys.md), or of our own."""

from __future__ import annotations

from .refusals import Refusal


class InvalidKey(Refusal):
    """No key that lives has this secret."""

    code = "INVALID_API_KEY"


class KeyNotFound(Refusal):
    """The person has no such key."""

    code = "KEY_NOT_FOUND"


class KeyDisabled(Refusal):
    """The key lets nobody in until it is enabled."""

    code = "KEY_DISABLED"


class KeyExpired(Refusal):
    """The key was good until a while ago."""

    code = "KEY_EXPIRED"


class KeyRotated(Refusal):
    """Another key has taken this one's place."""

    code = "KEY_ALREADY_ROTATED"


class NotByKey(Refusal):
    """A program may not do this, whatever its key's owner may: it takes the person themselves."""

    code = "API_KEY_NOT_ALLOWED"


class ScopeMissing(Refusal):
    """The key's scopes do not include this."""

    code = "API_KEY_SCOPE_MISSING"


class UnknownScope(Refusal):
    """No scope was named, or one that there is not."""

    code = "UNKNOWN_SCOPE"


class NotInKeysOrganization(Refusal):
    """The key's only organization is none that its owner belongs to."""

    code = "USER_NOT_MEMBER_OF_ORGANIZATION"


class KeyNameLength(Refusal):
    """A key's name has 1 to 32 UTF-16 code units."""

    code = "INVALID_NAME_LENGTH"


class KeyPrefixLength(Refusal):
    """A key's prefix has 1 to 32 characters."""

    code = "INVALID_PREFIX_LENGTH"


class KeyLifeTooShort(Refusal):
    """A key is to be good for less time than the settings allow."""

    code = "EXPIRES_IN_IS_TOO_SMALL"


class KeyLifeTooLong(Refusal):
    """A key is to be good for more time than the settings allow."""

    code = "EXPIRES_IN_IS_TOO_LARGE"
