"""How the log and those who follow it are: what /readyz and /metrics tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from domain.store.connections import Statements
from domain.store.select_list import SelectList
from projections import FOLLOWERS


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowerCondition:
    """One follower: the position it has taken in, how old the next entry is, and what it could not take in."""

    name: str
    position: int
    restarts: int
    seconds_behind: float
    set_aside: int


class LogCondition(NamedTuple):
    """The newest position of the log, and the age of the oldest event that is not entered yet."""

    head: int
    seconds_waiting: float


_LOG_CONDITION = SelectList(
    LogCondition,
    head="coalesce((SELECT max(position) FROM log), -1)",
    seconds_waiting="""
       coalesce((SELECT greatest(0, extract(epoch FROM clock_timestamp() - c.at))
                   FROM queue q JOIN events e USING (stream_id, version) JOIN commands c USING (command_id)
                  ORDER BY q.arrival LIMIT 1), 0)::float8
""",
)
_LOG = f"SELECT {_LOG_CONDITION.sql}"
_FOLLOWER = SelectList(
    FollowerCondition,
    name="name",
    position="coalesce(f.position, -1)",
    restarts="coalesce(f.restarts, 0)",
    seconds_behind="""
       coalesce((SELECT greatest(0, extract(epoch FROM clock_timestamp() - l.recorded_at))
                   FROM log l WHERE l.position = coalesce(f.position, -1) + 1), 0)::float8
""",
    set_aside="(SELECT count(*) FROM set_aside s WHERE s.follower = name)",
)
_FOLLOWERS = f"""
SELECT {_FOLLOWER.sql}
  FROM unnest($1::text[]) AS known(name) LEFT JOIN followers f USING (name) ORDER BY name
"""
_DRIFT = "SELECT table_name, count(*) FROM drift GROUP BY table_name ORDER BY table_name"


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """`head` is the newest position of the log, -1 while it is empty; `seconds_waiting` the age of the oldest event
    the sequencer has not entered yet; `drift` how many rows of which table are known not to say what their events say.
    """

    head: int
    seconds_waiting: float
    followers: tuple[FollowerCondition, ...]
    drift: dict[str, int]

    @property
    def seconds_behind(self) -> float:
        """How late whoever is latest is."""
        return max(self.seconds_waiting, *(one.seconds_behind for one in self.followers), 0.0)

    @property
    def damaged(self) -> bool:
        """Whether something was set aside or has drifted: it does not go away by waiting."""
        return bool(self.drift) or any(one.set_aside for one in self.followers)


def condition(read: Statements) -> Condition:
    """As it is now. Raises StoreUnavailable."""
    [log] = _LOG_CONDITION.read_all(read.rows(_LOG))
    # also one that has never run: nobody would miss it else
    names = [one.name for one in FOLLOWERS]
    return Condition(
        head=log.head,
        seconds_waiting=log.seconds_waiting,
        followers=tuple(_FOLLOWER.read_all(read.rows(_FOLLOWERS, names))),
        drift=dict(read.rows(_DRIFT)),
    )
