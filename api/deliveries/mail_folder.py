"""A folder for a mail server to pick messages up from: one .eml file each, whole from the moment it can be seen."""

from __future__ import annotations

import errno
import logging
import os
import tempfile
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from .mail import Mail
from .transport import TemporaryFailure

_UNFINISHED = ".daybook-"
"""What the names of files begin with that are being written: they are hidden, and end otherwise than in .eml."""
_LEFT_BEHIND = timedelta(minutes=10)
"""Ten times as long as a lease: nobody is writing it any more. It holds an address, and a link that opens something."""
_MAY_PASS = (errno.ENOSPC, errno.EDQUOT)

_logger = logging.getLogger("daybook")


class FolderUnusable(Exception):
    """Nothing can be written there; the message says so in a sentence."""


class MailFolder:
    """The transport. Only who serves may read the files: they hold addresses and links that open something.

    Given the same message again, it takes the place of the first as long as nobody has picked that up.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told = False

    def make(self) -> None:
        """Make it, for who serves alone, if it is missing: for one beside our own data only. Raises FolderUnusable."""
        try:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            self._folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise FolderUnusable(f"The folder for mail, {self._folder}, cannot be made ({_code(error)}).") from error

    def require_usable(self) -> None:
        """Does what sending does, but for leaving something there. Raises FolderUnusable.

        It is not created here: a folder that is not mounted would be filled beside its place.
        """
        if not self._folder.is_dir():
            raise FolderUnusable(f"The folder for mail, {self._folder}, is not there or no folder.")
        try:
            # else what killed senders leave behind could not be found
            os.scandir(self._folder).close()
            self._write(f"{_UNFINISHED}tried", b"Daybook\r\n")
            (self._folder / f"{_UNFINISHED}tried").unlink(missing_ok=True)
        except OSError as error:
            if error.errno not in _MAY_PASS:
                raise FolderUnusable(
                    f"The folder for mail, {self._folder}, cannot be used ({_code(error)}): who serves must be able to"
                    " list it, and to write, rename and remove files in it."
                ) from error

    def deliver(self, message: Mail) -> None:
        """Write it, and see that it lasts. Raises TemporaryFailure: whatever is wrong with a folder can be mended.

        Once it has its name it is delivered: somebody may have picked it up by then. That its name would not outlast
        a power cut is said in the log, once, and is no reason to write it again.
        """
        try:
            self._write(f"{message.name}.eml", message.content)
        except OSError as error:
            raise TemporaryFailure(_code(error), "The folder for mail cannot be written to") from None

    def rest(self) -> None:
        """Nothing is kept open."""

    def close(self) -> None:
        """The same."""

    def remove_unfinished(self, *, now: datetime) -> int:
        """Remove what killed senders left behind, ten minutes old or older; how many files that was."""
        removed = 0
        for file in self._unfinished():
            # another node may be at it too, and what cannot be removed keeps nothing else
            with suppress(OSError):
                if file.stat().st_mtime < (now - _LEFT_BEHIND).timestamp():
                    file.unlink()
                    removed += 1
        return removed

    def _unfinished(self) -> list[Path]:
        """None of a folder that is not there at the moment: sending says so."""
        with suppress(OSError):
            return [*self._folder.glob(f"{_UNFINISHED}*")]
        return []

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
        try:
            self._settle_names()
        except OSError as error:
            self._tell_once(_code(error))

    def _settle_names(self) -> None:
        """A renamed file is where it is for good once its folder is on the disk too (fsync(2))."""
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _tell_once(self, code: str) -> None:
        if not self._told:
            self._told = True
            _logger.warning(
                "The folder for mail cannot be written to the disk by itself (%s): what was left in it shortly before a"
                " power cut may be lost. Messages are written as before.",
                code,
            )


def _code(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, "OSError")
