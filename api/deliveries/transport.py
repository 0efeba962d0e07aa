"""What a transport is: how a message leaves, and the two ways in which it may not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from projections.deliveries.queue import Delivery

M = TypeVar("M")
M_contra = TypeVar("M_contra", contravariant=True)


class NotDelivered(Exception):
    """A message did not leave. `reason` is one of our own words or a code, never what a person or a server wrote."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TemporaryFailure(NotDelivered):
    """The same message may leave later: nobody answered, or there is no room.

    `trouble` says in words of ours what keeps every message; "" where it may be this one alone.
    """

    def __init__(self, reason: str, trouble: str = "") -> None:
        super().__init__(reason)
        self.trouble = trouble


class LastingRefusal(NotDelivered):
    """This message never will: it cannot be made, there is no such mailbox, or the other end does not want it."""


class Transport(Protocol[M_contra]):
    """A way out. It must end within the time of a lease, and is given the same message again if an answer got lost."""

    def deliver(self, message: M_contra) -> None:
        """Hand it over; once this returns it is somebody else's. Raises TemporaryFailure, LastingRefusal."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """There is nothing to be sent any more, for this reason; that is no error."""

    reason: str


@dataclass(frozen=True, slots=True)
class Channel(Generic[M]):
    """How one kind of delivery is sent: `compose` makes the message from what is so at that moment.

    Whatever `compose` raises is for good, and the delivery is given up, but for what may be there later: the database,
    memory, a file.
    """

    compose: Callable[[Delivery], M | Dropped]
    transport: Transport[M]


Channels = dict[str, Channel[Any]]
"""By the kinds of deliveries."""
