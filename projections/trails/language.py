"""The language a journal is told in: every text in English in its place, other languages by a catalogue of gettext.

A translation may ask for more than the English text says, because most languages bend more words than English does:

    {organization:dative}       in this case: what is no name but words of ours
    {does:hat|haben}            by who did it: the first of others, the second of the reader, who is addressed
    {person_does:hat|haben}     the same by whom it concerns
    {whose:Ihr Bild|das eigene Bild|das Bild von}
                                the reader's, of who did it, or of somebody else, who is named behind it
"""

from __future__ import annotations

from collections.abc import Mapping
from gettext import NullTranslations
from typing import Any

from projections.devices import device

from .printable import quoted

CASES = ("accusative", "dative")
"""Beside the one that words have by themselves. A catalogue has them as contexts (`msgctxt`) of these words."""
FORMS = ("does", "person_does", "whose")
"""What a translation may name beside what the English text names."""
_ENGLISH = "en"


class Word(str):
    """Words of ours where else a name stands, such as "somebody": translated in the case that the sentence asks for."""

    __slots__ = ()


class Choice(str):
    """English words in place of which a translation gives several forms of its own, one of which fits."""

    __slots__ = ("_after", "_chosen")

    def __new__(cls, english: str, chosen: int, after: str = "") -> Choice:
        """`chosen` counts from 0; `after` stands behind it."""
        choice = super().__new__(cls, english)
        choice._chosen, choice._after = chosen, after
        return choice

    _chosen: int
    _after: str

    def __format__(self, forms: str) -> str:
        if not forms:
            return str(self)
        form = forms.split("|")[self._chosen]
        return f"{form} {self._after}" if self._after else form


def marked(text: str) -> str:
    """A text that is to be in every catalogue, and is translated where it is shown."""
    return text


class Language:
    """Texts in one language, called by its code (BCP 47)."""

    def __init__(self, code: str, catalogue: NullTranslations) -> None:
        self.code, self._catalogue, self._bends = code, catalogue, code != _ENGLISH
        before, _, after = self.text("“{name}”").partition("{name}")
        self._marks = before, after
        self._on = self.text("{browser} on {system}").removeprefix("{browser}").removesuffix("{system}")

    def text(self, text: str, /) -> str:
        """A text that names nothing."""
        return self._catalogue.gettext(text)

    def say(self, text: str, /, **said: str) -> str:
        """A text with what it names, as `{name}`."""
        return self.filled(text, said)

    def filled(self, text: str, said: Mapping[str, Any]) -> str:
        """The same; of `said`, only what the text names is asked for."""
        return self.text(text).format_map(_Bent(said, self) if self._bends else said)

    def word(self, words: str, case: str = "") -> str:
        """Words of ours in this language and case; anything else as it is."""
        if not isinstance(words, Word):
            return words
        bent = self._catalogue.pgettext(case, words) if case else words
        return str(self.text(words) if bent == words else bent)

    def quoted(self, name: str | None, *, otherwise: str = "") -> str:
        """A name within a sentence, in the quotation marks of the language; `otherwise` for one that nobody sees."""
        return quoted(name, otherwise=otherwise, marks=self._marks)

    def device(self, user_agent: str | None) -> str:
        """Browser and operating system; "" when the header says neither."""
        return device(user_agent, on=self._on)

    def where(self, called: str, place: str) -> str:
        """A device with its place, as far as they are known."""
        return self.say("{device}, {place}", device=called, place=place) if called and place else called or place


class _Bent:
    """What a translation names, in the form that it asks for."""

    def __init__(self, said: Mapping[str, Any], language: Language) -> None:
        self._said, self._language = said, language

    def __getitem__(self, name: str) -> object:
        words = self._said[name]
        return words if isinstance(words, Choice) else _InCase(words, self._language)


class _InCase:
    def __init__(self, words: str, language: Language) -> None:
        self._words, self._language = words, language

    def __format__(self, case: str) -> str:
        return self._language.word(self._words, case)


ENGLISH = Language(_ENGLISH, NullTranslations())
