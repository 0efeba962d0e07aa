"""The languages of pages: every text in English in the place where it is shown, others in a catalogue for each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations

from projections.trails.language import Language
from projections.trails.language import marked as marked

ENGLISH = "en"
CATALOGUES = Path(__file__).parent / "languages"
"""A catalogue of gettext for each language but English, called by its code."""
LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}
"""By their codes (BCP 47), as who speaks them calls them."""

_RANGE = re.compile(
    r"\s*(\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*q\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*)?"
)
_MOST_RANGES = 20


class Wording:
    """Texts, dates and numbers in one language; `journal` is the same for what a journal tells."""

    def __init__(self, language: str, translations: NullTranslations) -> None:
        self.language, self.translations, self._locale = language, translations, Locale.parse(language)
        self.journal = Language(language, translations)

    def text(self, text: str, /, **named: object) -> str:
        """An English text in this language, with what it names as `%(name)s`."""
        return self.translations.ugettext(text) % named if named else self.translations.ugettext(text)

    def texts(self, one: str, many: str, number: int, /, **named: object) -> str:
        """The same of one thing or of several; both may name `%(number)s`."""
        return self.translations.ungettext(one, many, number) % {"number": self.number(number), **named}

    def number(self, number: int) -> str:
        """A number, its thousands apart."""
        return format_decimal(number, locale=self._locale)

    def moment(self, at: datetime) -> str:
        """Date and time in UTC, as who reads no further needs it."""
        return f"{format_datetime(at, 'medium', locale=self._locale)} UTC"

    def day(self, at: date) -> str:
        """A date."""
        return format_date(at, "long", locale=self._locale)


@cache
def wording(language: str) -> Wording:
    """The texts of a language that there is."""
    if language == ENGLISH:
        return Wording(language, NullTranslations())
    compiled = BytesIO()
    with (CATALOGUES / f"{language}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return Wording(language, Translations(compiled))


def language_for(accepted: str, *, otherwise: str) -> str:
    """The language that a browser likes best of those there are (RFC 9110 §12.5.4)."""
    ranges = [found for part in accepted.split(",")[:_MOST_RANGES] if (found := _RANGE.fullmatch(part))]
    for found in sorted(ranges, key=lambda one: float(one[2] or 1), reverse=True):
        language = found[1].partition("-")[0].lower()
        if language in LANGUAGES and float(found[2] or 1) > 0:
            return language
    return otherwise
