"""A folder for a mail server to pick messages up from: one .eml file each, whole from the moment it can be seen."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from .mail import Mail
from .transport import TemporaryFailure

_UNFINISHED = ".daybook-"
"""What the names of files begin with that are being written: they are hidden, and end otherwise than in .eml."""
_LEFT_BEHIND = timedelta(hours=1)


class FolderUnusable(Exception):
    """Nothing can be written there; the message says so in a sentence."""


class MailFolder:
    """The transport. Only who serves may read the files: they hold addresses and links that open something.

    Given the same message again, it takes the place of the first as long as nobody has picked that up.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def require_usable(self) -> None:
        """Raises FolderUnusable. It is never created: a folder that is not mounted would be filled beside its place."""
        if not self._folder.is_dir():
            raise FolderUnusable(f"The folder for mail, {self._folder}, is not there or no folder.")
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise FolderUnusable(f"The folder for mail, {self._folder}, cannot be written to.")

    def deliver(self, message: Mail) -> None:
        """Write it, and see that it lasts. Raises TemporaryFailure: whatever is wrong with a folder can be mended."""
        try:
            self._write(f"{message.name}.eml", message.content)
        except OSError as error:
            raise TemporaryFailure(errno.errorcode.get(error.errno or 0, "OSError")) from None

    def remove_unfinished(self, *, now: datetime) -> int:
        """Remove what killed senders left behind, an hour old or older; how many files that was."""
        removed = 0
        with suppress(OSError):
            for file in self._folder.glob(f"{_UNFINISHED}*"):
                if file.stat().st_mtime < (now - _LEFT_BEHIND).timestamp():
                    file.unlink(missing_ok=True)
                    removed += 1
        return removed

    def _write(self, name: str, content: bytes) -> None:
        # the library's names are of its own chance: two that write the same message must not write into one file
        descriptor, unfinished = tempfile.mkstemp(prefix=_UNFINISHED, dir=self._folder)
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            os.replace(unfinished, self._folder / name)
        except BaseException:
            with suppress(OSError):
                os.unlink(unfinished)
            raise
        self._settle_names()

    def _settle_names(self) -> None:
        """A renamed file is where it is for good once its folder is on the disk too (fsync(2))."""
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
