"""Problems: every refusal as status, code and message; the one shape of errors (wire.md §3, §13)."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from fastapi.exceptions import RequestValidationError

from domain import key_refusals, refusals
from domain.passwords import HashingBusy
from domain.refusals import Refusal
from domain.store.conflicts import StoreUnavailable

from .json_response import JsonResponse
from .request_context import RequestContext

STATUS: Mapping[type[Refusal], int] = {
    refusals.EmailTaken: 422,
    refusals.MalformedEmail: 400,
    refusals.WrongCredentials: 401,
    refusals.PasswordTooShort: 400,
    refusals.PasswordTooLong: 400,
    refusals.PasswordCompromised: 400,
    refusals.InvitationNotFound: 400,
    refusals.SessionOver: 401,
    refusals.SessionNotFresh: 403,
    refusals.WrongPassword: 400,
    refusals.NoPassword: 400,
    refusals.AccountNotFound: 400,
    refusals.SubjectGone: 401,
    refusals.SlugTaken: 400,
    refusals.OrganizationNotFound: 400,
    refusals.NotAMember: 400,
    refusals.MemberNotFound: 400,
    refusals.EmptyRole: 400,
    refusals.UnknownRole: 400,
    refusals.LastOwner: 400,
    refusals.LastOwnerDemoted: 400,
    refusals.MayNotFound: 403,
    refusals.MayNotUpdateOrganization: 403,
    refusals.MayNotClose: 403,
    refusals.NewSlugTaken: 400,
    refusals.MayNotChangeRole: 403,
    refusals.MayNotRemove: 401,
    refusals.InvitationsOff: 403,
    refusals.MayNotInvite: 403,
    refusals.MayNotInviteAs: 403,
    refusals.AlreadyMember: 400,
    refusals.AlreadyInvited: 400,
    refusals.InvitationLimitReached: 403,
    refusals.MemberLimitReached: 403,
    refusals.NotTheRecipient: 403,
    refusals.InviterGone: 400,
    refusals.MayNotCancel: 403,
    refusals.SignUpByInvitationOnly: 400,
    refusals.TooManyAttempts: 429,
    refusals.PictureNotKept: 400,
    refusals.LinkNotFound: 400,
    refusals.LinkExpired: 400,
    refusals.EmailNotVerified: 403,
    refusals.EmailAlreadyVerified: 400,
    refusals.EmailMismatch: 400,
    refusals.SameEmail: 400,
    refusals.Conflict: 409,
    key_refusals.InvalidKey: 401,
    key_refusals.KeyNotFound: 404,
    key_refusals.KeyDisabled: 401,
    key_refusals.KeyExpired: 401,
    key_refusals.KeyRotated: 400,
    key_refusals.NotByKey: 403,
    key_refusals.ScopeMissing: 403,
    key_refusals.UnknownScope: 400,
    key_refusals.NotInKeysOrganization: 403,
    key_refusals.KeyNameLength: 400,
    key_refusals.KeyPrefixLength: 400,
    key_refusals.KeyLifeTooShort: 400,
    key_refusals.KeyLifeTooLong: 400,
}

STATUS_OF_CODE: Mapping[str, int] = {
    **{refusal.code: status for refusal, status in STATUS.items()},
    "VALIDATION_ERROR": 400,
    "BAD_REQUEST": 400,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "PAYLOAD_TOO_LARGE": 413,
    "REQUEST_TIMEOUT": 408,
    "MISSING_OR_NULL_ORIGIN": 403,
    "INVALID_ORIGIN": 403,
    "INVALID_CALLBACK_URL": 403,
    "INVALID_REDIRECT_URL": 403,
    "INVALID_ERROR_CALLBACK_URL": 403,
    "INVALID_NEW_USER_CALLBACK_URL": 403,
    "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED": 403,
    "METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED": 405,
    "EMAIL_CAN_NOT_BE_UPDATED": 400,
    "RESET_PASSWORD_DISABLED": 400,
    "FAILED_TO_GET_USER_INFO": 404,
    "VERIFICATION_EMAIL_NOT_ENABLED": 400,
    "FIELD_NOT_ALLOWED": 400,
    "NO_ACTIVE_ORGANIZATION": 400,
    "YOU_ARE_NOT_ALLOWED_TO_LIST_INVITATIONS": 403,
    "EMAIL_VERIFICATION_REQUIRED_FOR_INVITATION": 403,
    "YOU_ARE_NOT_A_MEMBER_OF_THIS_ORGANIZATION": 403,
    "YOU_ARE_NOT_ALLOWED_TO_READ_THE_ACTIVITY_OF_THIS_ORGANIZATION": 403,
    "SESSION_EXPIRED": 400,
    "INVALID_TOKEN": 400,
    "UNAUTHORIZED_SESSION": 401,
    "SERVER_ONLY_PROPERTY": 400,
    "INVALID_METADATA_TYPE": 400,
    "NO_VALUES_TO_UPDATE": 400,
    "UNKNOWN_KEY_CONFIGURATION": 400,
    "API_KEY_IN_URL": 400,
    "SERVICE_UNAVAILABLE": 503,
}
"""The status of every code there is."""

_IRREGULAR_MESSAGES = {
    "YOU_ARE_NOT_ALLOWED_TO_INVITE_USER_WITH_THIS_ROLE": "You are not allowed to invite a user with this role",
    "YOU_ARE_NOT_ALLOWED_TO_LIST_INVITATIONS": "You are not allowed to list invitations for this organization",
    "EMAIL_VERIFICATION_REQUIRED_FOR_INVITATION": (
        "Email verification required to view or list invitations for the session email"
    ),
    "EMAIL_PASSWORD_SIGN_UP_DISABLED": "Email and password sign up is not enabled",
    "RESET_PASSWORD_DISABLED": "Reset password isn't enabled",
    "VERIFICATION_EMAIL_NOT_ENABLED": "Verification email isn't enabled",
    "EMAIL_ALREADY_VERIFIED": "Email is already verified",
    "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL": "User already exists. Use another email.",
    "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED": (
        "Cross-site navigation login blocked. This request appears to be a CSRF attack."
    ),
    "SESSION_NOT_FRESH": "Session is not fresh. Please confirm your password and try again.",
    "SESSION_EXPIRED": "Session expired. Re-authenticate to perform this action.",
    "MISSING_OR_NULL_ORIGIN": "Missing or null Origin",
    "INVALID_CALLBACK_URL": "Invalid callbackURL",
    "INVALID_REDIRECT_URL": "Invalid redirectURL",
    "INVALID_ERROR_CALLBACK_URL": "Invalid errorCallbackURL",
    "INVALID_NEW_USER_CALLBACK_URL": "Invalid newUserCallbackURL",
    "METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED": (
        "POST method requires deferSessionRefresh to be enabled in session config"
    ),
    "REQUEST_TIMEOUT": "The request was not sent in time.",
    "UNAUTHORIZED_SESSION": "Unauthorized or invalid session",
    "INVALID_API_KEY": "Invalid API key.",
    "KEY_NOT_FOUND": "API Key not found",
    "KEY_DISABLED": "API Key is disabled",
    "KEY_EXPIRED": "API Key has expired",
    "SERVER_ONLY_PROPERTY": "The property you're trying to set can only be set from the server auth instance only.",
    "NO_VALUES_TO_UPDATE": "No values to update.",
    "INVALID_NAME_LENGTH": "The name length is either too large or too small.",
    "INVALID_PREFIX_LENGTH": "The prefix length is either too large or too small.",
    "EXPIRES_IN_IS_TOO_SMALL": "The expiresIn is smaller than the predefined minimum value.",
    "EXPIRES_IN_IS_TOO_LARGE": "The expiresIn is larger than the predefined maximum value.",
    "INVALID_METADATA_TYPE": "metadata must be an object or undefined",
    "USER_NOT_MEMBER_OF_ORGANIZATION": "You are not a member of the organization that owns this API key.",
    "API_KEY_NOT_ALLOWED": "An API key may not do this: it takes the person themselves.",
    "API_KEY_SCOPE_MISSING": "The scopes of this API key do not include this.",
    "UNKNOWN_SCOPE": "Scopes are one or more of those that the documentation names.",
    "UNKNOWN_KEY_CONFIGURATION": "There is no configuration of API keys with this id.",
    "API_KEY_IN_URL": "An API key was sent in the URL, where others may read it. Send it as x-api-key; make a new one.",
    "CONFLICT": "Others changed the same thing at the same time. Please try again.",
    "SERVICE_UNAVAILABLE": "The service is temporarily unavailable. Please try again.",
}
_JSON_TYPES = {
    "string_type": "string",
    "bool_type": "boolean",
    "dict_type": "object",
    "model_attributes_type": "object",
}


UNAVAILABLE = (
    StoreUnavailable,
    HashingBusy,
    TimeoutError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,  # a standby, for the moment of a switch
)
"""What is answered with 503: something this depends on is away or overloaded."""

_logger = logging.getLogger("daybook")


class Problem(Exception):
    """A request that ends with this status; without code or message where the contract has none."""

    def __init__(
        self, status: int, code: str | None = None, message: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, code)
        self.status, self.code, self.headers = status, code, headers
        self.message = message if message is not None or code is None else message_for(code)

    @staticmethod
    def of_code(
        code: str,
        message: str | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        status: int | None = None,
    ) -> Problem:
        """The problem a code stands for, with its own message and status unless others are given."""
        return Problem(status or STATUS_OF_CODE[code], code, message, headers)

    def to_response(self) -> JsonResponse:
        """The envelope `{"message", "code"}`, or an empty body."""
        body = {key: value for key, value in (("message", self.message), ("code", self.code)) if value is not None}
        return JsonResponse(body or None, self.status, self.headers, empty=not body)


def message_for(code: str) -> str:
    """What is shown of a code: in sentence case, where wire.md §13 does not say otherwise."""
    return _IRREGULAR_MESSAGES.get(code) or code.replace("_", " ").capitalize()


def of(error: Exception) -> Problem:
    """How any error is answered; an unexpected one is logged, and answered with an empty 500."""
    match error:
        case Problem():
            return error
        case Refusal():
            return of_refusal(error)
        case RequestValidationError():
            return of_schema(error.errors())
        case _ if isinstance(error, UNAVAILABLE):
            return unavailable()
        case _:
            log_unexpected(error)
            return Problem(500)


def response_to(error: Exception, request: RequestContext | None) -> JsonResponse:
    """How any error is answered; its request remembers what it was refused with, also where the wire shows no code."""
    if request is not None:
        remember(error, request)
    return of(error).to_response()


def remember(error: Exception, request: RequestContext) -> None:
    """What a request was refused with, and whose account it concerned."""
    if isinstance(error, Problem | Refusal):
        request.refused_with = error.code
    if isinstance(error, refusals.TooManyAttempts):
        request.retry_after = error.retry_after
    if isinstance(error, Refusal) and error.user_id is not None:
        request.concerns = error.user_id
    if isinstance(error, refusals.SessionOver):
        # it was let in, and ended meanwhile
        request.take_back()


def log_unexpected(error: Exception) -> None:
    """Where an error came from. Never its message: a database's quotes the values it was given."""
    frames = traceback.extract_tb(error.__traceback__)
    trail = " < ".join(f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in reversed(frames[-6:]))
    _logger.error("unexpected %s in %s", type(error).__name__, trail)


def of_refusal(refusal: Refusal) -> Problem:
    """How a refusal of the domain is answered."""
    if isinstance(refusal, refusals.TooManyAttempts):
        return too_many_requests(refusal.retry_after)
    if isinstance(refusal, refusals.PasswordCompromised):
        return Problem.of_code(refusal.code, refusal.reason)
    return Problem.of_code(refusal.code)


def too_many_requests(retry_after: int) -> Problem:
    """429 with Better Auth's header and the standard one, in seconds (wire.md §5, A14)."""
    seconds = str(retry_after)
    headers = {"X-Retry-After": seconds, "Retry-After": seconds}
    return Problem(429, None, "Too many requests. Please try again later.", headers)


def unavailable() -> Problem:
    """503: something this depends on does not answer. Whether a command took effect is unknown."""
    return Problem.of_code("SERVICE_UNAVAILABLE", headers={"Retry-After": "1"})


def of_schema(errors: Iterable[Mapping[str, Any]]) -> Problem:
    """400 `VALIDATION_ERROR` with every place that is wrong; never what was sent."""
    texts = (f"[{'.'.join(map(str, error['loc']))}] {_schema_message(error)}" for error in errors)
    return Problem.of_code("VALIDATION_ERROR", "; ".join(texts))


def _schema_message(error: Mapping[str, Any]) -> str:
    kind = error["type"]
    if kind == "missing":
        return "Invalid input: required, received undefined"
    if kind in _JSON_TYPES:
        return f"Invalid input: expected {_JSON_TYPES[kind]}, received {_json_type(error.get('input'))}"
    if kind == "string_too_short":
        return f"Too small: expected string to have >={error['ctx']['min_length']} characters"
    if kind == "string_too_long":
        return f"Too big: expected string to have <={error['ctx']['max_length']} characters"
    if kind == "value_error":
        return str(error["ctx"]["error"])
    return "Invalid input"


def _json_type(value: Any) -> str:
    names = {type(None): "null", bool: "boolean", int: "number", float: "number", str: "string", list: "array"}
    return names.get(type(value), "object")
