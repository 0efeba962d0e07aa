"""A process in which threads read events of every kind at one moment, none of which was ever read there before."""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from threading import Barrier, Thread

import msgspec

from domain.events.catalogue import EVENT_BY_NAME
from domain.events.codec import Encoded, decode

_THREADS, _TIMES = 4, 20


def main() -> None:
    """Read them; nothing is said of those that cannot be read, as long as the process lives."""
    # as often as the interpreter can, so that one thread is overtaken by another at every step
    sys.setswitchinterval(1e-6)
    for name in EVENT_BY_NAME:
        start = Barrier(_THREADS)
        threads = [Thread(target=_read, args=(name, start)) for _ in range(_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _read(name: str, start: Barrier) -> None:
    stored = Encoded(json.dumps({field.name: None for field in fields(EVENT_BY_NAME[name])}).encode(), None)
    start.wait()
    for _ in range(_TIMES):
        try:
            decode(name, stored, key=None, associated_data=b"")
        except msgspec.DecodeError:
            continue


if __name__ == "__main__":
    main()
