"""Downloads: a selection as one file, lines of JSON or CSV, sent while it is read."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from itertools import chain
from typing import Any, Literal

from starlette.responses import StreamingResponse

from domain.store import deadlines

from .json_response import NOT_KEPT, encode

Form = Literal["ndjson", "csv"]

MEDIA_TYPES: Mapping[Form, str] = {
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8; header=present",  # RFC 4180 §3
}
# spreadsheets take such a cell for a formula, some also in full width (OWASP, "CSV injection")
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def download(
    name: str, form: Form, columns: Sequence[str], batches: Iterable[Sequence[Mapping[str, Any]]]
) -> StreamingResponse:
    """All rows as `name.form`, a batch at a time; their keys are the `columns`.

    The first batch is read at once, and whatever it raises is raised here. What a later one raises breaks the
    connection off, so that nobody takes a part for the whole.
    """
    chunks = _csv(columns, batches) if form == "csv" else _lines(batches)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"', **NOT_KEPT}
    first = next(chunks, b"")
    return StreamingResponse(
        chain([first], _each_in_its_own_time(chunks)), media_type=MEDIA_TYPES[form], headers=headers
    )


def _each_in_its_own_time(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Whoever reads much, or slowly, is longer at it than one request may ask the database."""
    while True:
        deadlines.begin()
        chunk = next(chunks, None)
        if chunk is None:
            return
        yield chunk


def _lines(batches: Iterable[Sequence[Mapping[str, Any]]]) -> Iterator[bytes]:
    for batch in batches:
        yield b"".join(encode(row) + b"\n" for row in batch)


def _csv(columns: Sequence[str], batches: Iterable[Sequence[Mapping[str, Any]]]) -> Iterator[bytes]:
    """RFC 4180: CRLF, quotes where needed, a header row; UTF-8 without a byte order mark."""
    heading: Sequence[Sequence[str]] = [columns]
    for batch in batches:
        text = StringIO(newline="")
        csv.writer(text, lineterminator="\r\n").writerows(
            [*heading, *([cell(row[column]) for column in columns] for row in batch)]
        )
        heading = []
        yield text.getvalue().encode()


def cell(value: Any) -> str:
    """A value as a spreadsheet may show it: no formula, nothing for null."""
    if isinstance(value, bool):
        return str(value).lower()
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
