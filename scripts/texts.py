"""The texts that pages and the journal show, found where they stand, beside the catalogues of other languages."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from api.pages.wording import CATALOGUES, ENGLISH, LANGUAGES  # noqa: E402  found by the line above
from domain.password_strength import Weakness  # noqa: E402
from projections.trails.language import CASES  # noqa: E402

TEMPLATES = ROOT / "api/pages/templates"
_MODULES = ("api/pages", "projections/trails")
_KEYWORDS: dict[str, Any] = {"_": None, "marked": None, "text": None, "texts": (1, 2), "say": None, "Word": None}
"""What is called with a text in English, in Python; `_` is `marked`."""
_IN_TEMPLATES: dict[str, Any] = {"_": None, "gettext": None, "ngettext": (1, 2)}
_OPTIONS = {"extensions": "jinja2.ext.i18n", "newstyle_gettext": "yes", "trim_blocks": "yes", "lstrip_blocks": "yes"}
_OPTIONS["silent"] = "no"
_HEADER = """msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural_forms}\\n"

"""
_WIDTH = 120

Found = tuple[str, str | tuple[str, ...]]
"""A file, and a text in it; where there is one of one thing and one of several, both."""


def shown() -> Catalog:
    """Every text that is shown, in the order of the files."""
    catalogue = Catalog(charset="utf-8")
    for file, text in [*_in_python(_KEYWORDS), *_in_templates(), *_of_passwords()]:
        catalogue.add(text, locations=[(file, 0)])
    return catalogue


def kept(language: str) -> Catalog:
    """The catalogue of a language as it is."""
    with (CATALOGUES / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def merged(language: str) -> Catalog:
    """The catalogue of a language with every text that is shown; `obsolete` holds the others."""
    wanted, catalogue = shown(), kept(language)
    for file, word in _in_python({"Word": None}):
        for case in CASES:
            # a language needs no other form for every case
            if isinstance(word, str) and catalogue.get(word, context=case) is not None:
                wanted.add(word, context=case, locations=[(file, 0)])
    catalogue.update(wanted, no_fuzzy_matching=True)
    return catalogue


def missing(catalogue: Catalog) -> list[Message]:
    """What has no translation, or one that nobody has looked at since the text changed."""
    return [one for one in catalogue if one.id and (one.fuzzy or not all(_strings(one)))]


def _strings(message: Message) -> tuple[str, ...]:
    return message.string if isinstance(message.string, tuple) else (message.string or "",)


def _in_python(keywords: dict[str, Any]) -> Iterator[Found]:
    for folder in _MODULES:
        for file in sorted((ROOT / folder).glob("*.py")):
            with file.open("rb") as content:
                for _, text, _, _ in extract("python", content, keywords):
                    yield str(file.relative_to(ROOT)), text


def _in_templates() -> Iterator[Found]:
    for file in sorted(TEMPLATES.glob("*.html")):
        with file.open("rb") as content:
            for _, text, _, _ in extract("jinja2.ext:babel_extract", content, _IN_TEMPLATES, options=_OPTIONS):
                yield str(file.relative_to(ROOT)), text


def _of_passwords() -> Iterator[Found]:
    for reason in Weakness:
        yield "domain/password_strength.py", str(reason)


def _write(language: str, catalogue: Catalog) -> None:
    written = BytesIO()
    write_po(written, catalogue, width=_WIDTH, omit_header=True, include_lineno=False, ignore_obsolete=True)
    header = _HEADER.format(language=language, plural_forms=catalogue.plural_forms)
    (CATALOGUES / f"{language}.po").write_bytes(header.encode() + written.getvalue())


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/texts", description=__doc__)
    parser.add_argument(
        "--write", action="store_true", help="take what is missing into the catalogues, and throw away the rest"
    )
    arguments, lacking = parser.parse_args(), 0
    for language in sorted(LANGUAGES.keys() - {ENGLISH}):
        catalogue = merged(language)
        for said, texts in (("missing", missing(catalogue)), ("unused", list(catalogue.obsolete.values()))):
            lacking += len(texts)
            for one in texts:
                print(f"{language} {said}: {one.id!r}")
        if arguments.write:
            _write(language, catalogue)
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
