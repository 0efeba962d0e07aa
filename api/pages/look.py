"""What pages look like: their style sheet and script, and the operator's name, logo, notice and style."""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from api.page_settings import PageSettings
from domain.pictures import media_type

ASSETS = "/assets/"
"""Below which they are found, each by a name that says what is in it: it never changes and may be kept for good."""

_OURS = Path(__file__).parent / "assets"
_LARGEST = 256 * 1024
"""Bytes of a file of the operator's."""
_KINDS = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".svg": "image/svg+xml",
}

# what may stand before the root; possessive, so that a file of nothing but comments is read once
_SVG = re.compile(r"(?>\s|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>]*>)*+<(?:\w+:)?svg[\s/>]", re.DOTALL)
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_ELSEWHERE = re.compile(r"@import\b|url\(\s*[\"']?\s*(?:[a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)


class LookUnusable(Exception):
    """A file that shall give pages their look cannot be used; the message says in a sentence which and why."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that pages name: where it is found, what it is, its bytes, and the entity tag of these."""

    path: str
    media_type: str
    content: bytes
    etag: str

    @staticmethod
    def of(name: str, suffix: str, media_type: str, content: bytes) -> Asset:
        """The asset with this content, whose path says what is in it."""
        said = hashlib.sha256(content).hexdigest()[:16]
        return Asset(f"{ASSETS}{name}.{said}{suffix}", media_type, content, f'"{said}"')

    def is_known(self, if_none_match: str) -> bool:
        """Whether who sends this field has it already; `*` is whatever there is (RFC 9110 §13.1.2)."""
        return if_none_match.strip(" \t") == "*" or self.etag in if_none_match


@dataclass(frozen=True, slots=True)
class Look:
    """How pages look; `logo` is None where there is only a name."""

    name: str
    notice: str
    style: Asset
    script: Asset
    icon: Asset
    logo: Asset | None

    @staticmethod
    def of(settings: PageSettings) -> Look:
        """The look that the settings ask for. Reads files. Raises LookUnusable."""
        style = (_OURS / "daybook.css").read_bytes()
        if settings.pages_style is not None:
            style += b"\n" + _style(settings.pages_style)
        return Look(
            name=settings.pages_name,
            notice=settings.pages_notice,
            style=Asset.of("daybook", ".css", "text/css; charset=utf-8", style),
            script=Asset.of("daybook", ".js", "text/javascript; charset=utf-8", (_OURS / "daybook.js").read_bytes()),
            icon=Asset.of("icon", ".svg", _KINDS[".svg"], (_OURS / "icon.svg").read_bytes()),
            logo=None if settings.pages_logo is None else _logo(settings.pages_logo),
        )

    def now_called(self, file: str) -> Asset | None:
        """What a file of another release is here: while nodes are replaced, a page may ask another for its style."""
        kinds = {_of_a_release(path.removeprefix(ASSETS)): one for path, one in self.assets.items()}
        return None if (kind := _of_a_release(file)) is None else kinds.get(kind)

    @property
    def assets(self) -> Mapping[str, Asset]:
        """All files there are, by their path."""
        return {one.path: one for one in (self.style, self.script, self.icon, self.logo) if one is not None}


def _of_a_release(file: str) -> tuple[str, str] | None:
    found = re.fullmatch(r"([a-z]+)\.[0-9a-f]{16}(\.[a-z]+)", file)
    return None if found is None else (found[1], found[2])


def _logo(file: Path) -> Asset:
    suffix = file.suffix.lower()
    if suffix not in _KINDS:
        raise LookUnusable(f"DAYBOOK_PAGES_LOGO, {file}, must be one of {', '.join(sorted(_KINDS))}.")
    content = _read(file, "PAGES_LOGO")
    found = _KINDS[".svg"] if _SVG.match(_text(content) or "") else media_type(content)
    if found != _KINDS[suffix]:
        raise LookUnusable(f"DAYBOOK_PAGES_LOGO, {file}, is no picture of that kind.")
    return Asset.of("logo", suffix, found, content)


def _style(file: Path) -> bytes:
    """What comes after ours. Browsers ask no other host whatever stands in it; here the operator is told so."""
    style = _text(_read(file, "PAGES_STYLE"))
    if style is None:
        raise LookUnusable(f"DAYBOOK_PAGES_STYLE, {file}, is no text in UTF-8.")
    if (asks := _ELSEWHERE.search(_COMMENT.sub(" ", style))) is not None:
        what = re.sub(r"[\s\"']", "", asks[0]).lower()
        raise LookUnusable(
            f"DAYBOOK_PAGES_STYLE, {file}, asks for something of another host, which pages do not ({what})."
        )
    return style.encode()


def _text(content: bytes) -> str | None:
    """UTF-8, without a byte order mark: in the middle of a sheet it would be a part of the first selector."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def _read(file: Path, setting: str) -> bytes:
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            raise LookUnusable(f"DAYBOOK_{setting}, {file}, is no file.")
        if status.st_size > _LARGEST:
            raise LookUnusable(f"DAYBOOK_{setting}, {file}, has more than {_LARGEST // 1024} KiB.")
        return file.read_bytes()
    except OSError as error:
        raise LookUnusable(f"DAYBOOK_{setting}, {file}, cannot be read ({type(error).__name__}).") from error
