"""Marks the fields of an event that belong to a person and go when the person goes."""

from __future__ import annotations

from typing import Annotated


class PersonalMark:
    """On a field: sealed under its subject's key when stored; reads as None once that key is destroyed."""


PERSONAL = PersonalMark()
Personal = Annotated[str | None, PERSONAL]
