"""The files that templates are read from, ours and the operator's: regular ones of a sane size."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from jinja2 import BaseLoader, Environment, TemplateNotFound
from jinja2.loaders import split_template_path

LARGEST = 256 * 1024
"""Bytes of a file, and characters of what one makes: a hundred times what a mail says."""


class TemplateUnusable(Exception):
    """A template cannot be used; the message says in a sentence which, where and why."""


class TemplateFiles(BaseLoader):
    """Finds a template in the first of these folders in which something is called so."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """Its text, its file, and that it is not read again. Raises TemplateNotFound, TemplateUnusable, OSError."""
        pieces = split_template_path(template)
        for folder in self._folders:
            file = folder.joinpath(*pieces)
            if os.path.lexists(file):
                return text_of(file), str(file), lambda: True
        raise TemplateNotFound(template)


def text_of(file: Path) -> str:
    """What stands in it. Raises TemplateUnusable for what is no such file, and OSError where it cannot be read now."""
    # who opens a FIFO otherwise waits until somebody writes to it
    with open(file, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK)) as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise unusable(str(file), None, "it is no regular file")
        content = opened.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise unusable(str(file), None, f"it is larger than {LARGEST // 1024} KiB")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise unusable(str(file), None, "it cannot be read (it is no UTF-8)") from error


def require_readable(file: Path) -> None:
    """Raises TemplateUnusable, whatever is the matter."""
    try:
        text_of(file)
    except OSError as error:
        why = "it is a link to nothing" if os.path.islink(file) and not os.path.exists(file) else type(error).__name__
        raise unusable(str(file), None, f"it cannot be read ({why})") from error


def unusable(file: str, line: int | None, why: str | None) -> TemplateUnusable:
    """Why this file is refused, and for which line."""
    where = file if line is None else f"{file}, line {line}"
    return TemplateUnusable(f"A mail template cannot be used ({where}): {str(why).rstrip('.')}.")
