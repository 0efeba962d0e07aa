"""The language of who asks: what they chose, on whichever device, else in this browser, else what it says they read."""

from __future__ import annotations

from api.edge.cookies import values
from api.edge.request_context import RequestContext
from api.settings import Settings

from .wording import LANGUAGES, Wording, language_for, wording

_A_YEAR = 31_536_000


def wording_of(request: RequestContext, settings: Settings) -> Wording:
    """The texts in the language of who asks."""
    if request.language in LANGUAGES:
        return wording(request.language)
    accepted = request.headers.get("accept-language", "")
    return wording(_chosen(request, settings) or language_for(accepted, otherwise=settings.pages_language))


def remember(request: RequestContext, settings: Settings, language: str) -> None:
    """Have the browser ask for this language from now on, signed in or not."""
    if language != _chosen(request, settings):
        secure = "; Secure" if settings.secure else ""
        request.set_cookies.append(
            f"{_name(settings)}={language}; Max-Age={_A_YEAR}; Path=/; HttpOnly; SameSite=Lax{secure}"
        )


def _chosen(request: RequestContext, settings: Settings) -> str | None:
    chosen = values(request.headers.get("cookie"), _name(settings))
    return next((language for language in chosen if language in LANGUAGES), None)


def _name(settings: Settings) -> str:
    return f"{settings.cookie_prefix}.language"
