"""Text in the head of a message: what people chose goes in as they chose it, and comes out as nothing else.

The standard library's header classes *read* what they are given: of a text that looks like an encoded word (RFC 2047)
they make what that stands for, line ends among it. So nothing here reads. Text that may look like anything but plain
text is encoded, all of it.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator

_PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*", re.ASCII)
_ATOMS = re.compile(r"[A-Za-z0-9]+(?: [A-Za-z0-9]+)*", re.ASCII)
_SHORT = 60
"""Characters that fit behind any header's name without folding."""
_BYTES_IN_A_WORD = 39
"""Of which base64 makes 52 characters: with what stands around them, and a header's name before the first, less than
the 76 that a line with an encoded word may have.
"""


def unstructured(text: str) -> str:
    """Text as the value of a header such as Subject (RFC 5322 §3.6.5). Raises UnicodeEncodeError."""
    plain = _PLAIN.fullmatch(text) and "=?" not in text and len(text) <= _SHORT
    return text if plain or not text else _encoded(text)


def phrase(text: str) -> str:
    """Text as the name before an address (RFC 5322 §3.4), where most punctuation has a meaning. Raises the same."""
    return text if _ATOMS.fullmatch(text) and len(text) <= _SHORT else _encoded(text)


def _encoded(text: str) -> str:
    """Encoded words, each on a line of its own: what stands between two of them is not shown (RFC 2047 §6.2)."""
    return "\r\n ".join(f"=?utf-8?b?{b64encode(part).decode()}?=" for part in _parts(text))


def _parts(text: str) -> Iterator[bytes]:
    """Whole characters in each (RFC 2047 §5)."""
    part = b""
    for character in text:
        encoded = character.encode()
        if len(part) + len(encoded) > _BYTES_IN_A_WORD:
            yield part
            part = b""
        part += encoded
    yield part
