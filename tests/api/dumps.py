"""Looking for secrets: the whole database as text, and every way a secret could be written in it."""

from __future__ import annotations

import subprocess
from base64 import b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from api.cli.embedded import EmbeddedPostgres, programs
from tests.databases import Database


def written(text: str) -> Iterator[bytes]:
    """A text as it could stand somewhere: plain, as in a URL, in hexadecimal, in base64 at each of three offsets."""
    plain = text.encode()
    yield from {plain, quote(text, safe="").encode(), quote_plus(text).encode()}
    yield plain.hex().encode()
    yield plain.hex().upper().encode()
    for offset in range(3):
        # what base64 makes of the text whatever stands before and after it
        form = b64encode(b"\0" * offset + plain)[4 if offset else 0 : (offset + len(plain)) // 3 * 4]
        yield from {form, form.translate(bytes.maketrans(b"+/", b"-_"))}


def found(secrets: Iterable[str], somewhere: bytes) -> list[str]:
    """Which of them stand there in any form."""
    return [secret for secret in secrets if any(form in somewhere for form in written(secret))]


def dump(database: Database, cluster: EmbeddedPostgres, *tables: str) -> bytes:
    """`pg_dump`, with the hexadecimal of every bytea also as the bytes it stands for."""
    chosen = [argument for table in tables for argument in ("--table", f"daybook.{table}")]
    command = [str(programs(cluster.data) / "pg_dump"), *chosen, database.owner_url]
    text = subprocess.run(command, check=True, capture_output=True).stdout
    decoded = [bytes.fromhex(word[3:].decode()) for word in text.split() if word.startswith(b"\\\\x")]
    return b"\n".join([text, *decoded])
