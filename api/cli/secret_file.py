"""The secret: what the operator set or, for the embedded database, one that is made once and kept beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from api.deployment_settings import SHORTEST_SECRET
from api.settings import Settings
from domain.ids import new_token

from .embedded import EmbeddedPostgres
from .refusal import WontStart


def secret_of(settings: Settings) -> str:
    """The secret that was set or is kept; where there is no embedded database yet, one is made. Raises WontStart.

    Beside a database it is never made: another one would lock its people out and look as if it were the lost one.
    """
    file = _file(settings)
    if settings.secret is None and settings.database_url is None and not EmbeddedPostgres(settings.data_dir).created():
        with _usable(file.parent):
            if not file.exists():
                _keep(file, new_token() + new_token())
    return known_secret(settings)


def known_secret(settings: Settings) -> str:
    """The secret that was set or is kept; none is made. Raises WontStart."""
    if settings.secret is not None:
        return settings.secret.get_secret_value()
    if settings.database_url is not None:
        raise WontStart("DAYBOOK_SECRET must be set (32 characters or more) when DAYBOOK_DATABASE_URL is.")
    file = _file(settings)
    with _usable(file.parent):
        if not file.exists():
            raise WontStart(f"The secret is missing: set DAYBOOK_SECRET as for `daybook serve`, or put {file} back.")
        # an editor or a vault that put it back may have ended the line
        kept = file.read_text().rstrip()
    if len(kept) < SHORTEST_SECRET:
        raise WontStart(f"The secret in {file} is incomplete: put back the one this data was made with.")
    return kept


def whose_secret(settings: Settings) -> str:
    """Which secret `known_secret` gives, for a sentence about it."""
    return "DAYBOOK_SECRET" if settings.secret is not None else f"The secret in {_file(settings)}"


def _file(settings: Settings) -> Path:
    return settings.data_dir / "secret"


@contextmanager
def _usable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WontStart(f"The data folder {folder} cannot be used: {error.strerror}.") from error


def _keep(file: Path, secret: str) -> None:
    """Whole or not at all: a crash must not leave a shorter one behind, under which data would then be sealed.

    And never over another: of two starts on one folder the first one's is kept.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = file.with_name(f"secret.{os.getpid()}")
    try:
        with open(os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as kept:
            kept.write(secret)
            kept.flush()
            os.fsync(kept.fileno())
        with suppress(FileExistsError):
            os.link(unfinished, file)
    finally:
        unfinished.unlink(missing_ok=True)
    folder = os.open(file.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
