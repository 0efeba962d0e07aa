"""Whether the log is whole: its order, the streams, the commands, the keys."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import Connection

from domain.events.catalogue import EVENT_BY_NAME, UPCASTS, stored_names
from domain.events.subjects import erasing_names
from domain.store.connections import Values
from domain.user import PersonErased
from projections.deliveries import due

from .finding import Finding

_CHECKS: dict[str, str] = {
    "positions of the log are contiguous": """
        SELECT count(*), min(position)::text FROM (
            SELECT position, position - row_number() OVER (ORDER BY position) AS skipped FROM log) numbered
         WHERE skipped <> -1
    """,
    "times of the log never go back": """
        SELECT count(*), min(position)::text FROM (
            SELECT position, recorded_at < lag(recorded_at) OVER (ORDER BY position) AS back FROM log) timed
         WHERE back
    """,
    "each stream is in order in the log": """
        SELECT count(*), min(position)::text FROM (
            SELECT position, version - row_number() OVER (PARTITION BY stream_id ORDER BY position) AS skipped FROM log
        ) numbered WHERE skipped <> 0
    """,
    "each entry of the log has its event": """
        SELECT count(*), min(position)::text FROM log l LEFT JOIN events e USING (stream_id, version)
         WHERE e.name IS NULL
    """,
    "each event is in the log or waits for it": """
        SELECT count(*), min(e.stream_id::text || ' ' || e.version) FROM events e
          LEFT JOIN log l USING (stream_id, version)
         WHERE l.position IS NULL
           AND NOT EXISTS (SELECT FROM queue q WHERE q.stream_id = e.stream_id AND q.version = e.version)
    """,
    "no event waits that is in the log or not there": """
        SELECT count(*), min(q.stream_id::text || ' ' || q.version) FROM queue q
          LEFT JOIN log l USING (stream_id, version) LEFT JOIN events e USING (stream_id, version)
         WHERE l.position IS NOT NULL OR e.name IS NULL
    """,
    "versions of each stream are contiguous": """
        SELECT count(*), min(stream_id::text) FROM (
            SELECT stream_id FROM events GROUP BY stream_id HAVING min(version) <> 1 OR max(version) <> count(*)) torn
    """,
    "each event has its command": """
        SELECT count(*), min(e.stream_id::text || ' ' || e.version) FROM events e
          LEFT JOIN commands c USING (command_id) WHERE c.command_id IS NULL
    """,
    "each event has a name that is known": """
        SELECT count(*), min(stream_id::text || ' ' || version) FROM events WHERE name <> ALL(%(names)s)
    """,
    "each command has an event": """
        SELECT count(*), min(c.command_id::text) FROM commands c
         WHERE NOT EXISTS (SELECT FROM events e WHERE e.command_id = c.command_id)
    """,
    "each subject of sealed data has its place among the keys": """
        SELECT count(*), min(subject_id::text) FROM (
            SELECT subject_id FROM events WHERE subject_id IS NOT NULL
             UNION SELECT subject_id FROM commands WHERE subject_id IS NOT NULL) sealed_for
         WHERE NOT EXISTS (SELECT FROM subject_keys k WHERE k.subject_id = sealed_for.subject_id)
    """,
    "no follower is ahead of the log": """
        SELECT count(*), min(name) FROM followers WHERE position > coalesce((SELECT max(position) FROM log), -1)
    """,
    "each delivery is of an event in the log": """
        SELECT count(*), min(d.kind || ' ' || d.stream_id || ' ' || d.version) FROM deliveries d
          LEFT JOIN log l USING (stream_id, version) WHERE l.position IS NULL
    """,
    # a kind that a later release brought is due from its first row on; a person's first session is no message to them
    "each message that was due has its delivery": f"""
        SELECT count(*), min(l.stream_id::text || ' ' || l.version) FROM followers f
          JOIN log l ON l.position > f.began_after AND l.position <= f.position
           AND l.recorded_at > transaction_timestamp() - {due.KEPT}
          JOIN events e USING (stream_id, version)
          JOIN unnest(%(due)s::text[], %(kinds)s::text[]) AS means (name, kind) ON means.name = e.name
          LEFT JOIN (SELECT d.kind, min(at.position) AS position
                       FROM deliveries d JOIN log at USING (stream_id, version) GROUP BY d.kind) began
            ON began.kind = means.kind
          LEFT JOIN events opening ON opening.command_id = e.command_id AND opening.name = ANY(%(signing_up)s)
         WHERE f.name = '{due.FOLLOWER.name}'
           AND (means.kind = '{due.INVITATION}' OR l.position > began.position)
           AND (means.kind <> '{due.NEW_DEVICE}' OR opening.command_id IS NULL)
           AND NOT EXISTS (SELECT FROM deliveries d WHERE d.stream_id = l.stream_id AND d.version = l.version)
           AND NOT EXISTS (SELECT FROM set_aside s WHERE s.follower = f.name AND s.position = l.position)
    """,
    "nothing is set aside": """
        SELECT count(*), min(follower || ' ' || position) FROM set_aside
    """,
    "the log is append-only": """
        SELECT 3 - count(*), 'a trigger is missing or off' FROM pg_trigger
         WHERE tgname = 'append_only' AND tgenabled = 'O'
           AND tgrelid IN ('commands'::regclass, 'events'::regclass, 'log'::regclass) HAVING count(*) < 3
    """,
    "each key that is gone was destroyed by an erasure": """
        SELECT count(*), min(subject_id::text) FROM subject_keys k
         WHERE wrapped IS NULL AND NOT EXISTS (
               SELECT FROM events e WHERE e.stream_id IN (k.subject_id, k.person_id) AND e.name = ANY(%(erasing)s))
    """,
    "each key of who was erased is gone": """
        SELECT count(*), min(subject_id::text) FROM subject_keys k
         WHERE wrapped IS NOT NULL AND EXISTS (
               SELECT FROM events e WHERE e.stream_id IN (k.subject_id, k.person_id) AND e.name = ANY(%(erasing)s))
    """,
    "each erasure is written down": """
        SELECT count(*), min(coalesce(e.stream_id, x.user_id)::text) FROM erasures x
          FULL JOIN (SELECT stream_id, version FROM events WHERE name = ANY(%(erased)s)) e
            ON e.stream_id = x.user_id AND e.version = x.version
         WHERE e.stream_id IS NULL OR x.user_id IS NULL
    """,
    "no two people have one password hash": """
        SELECT count(*), min(hash_of::text) FROM (SELECT min(user_id::text) AS hash_of FROM credentials
         WHERE kind = 'password' GROUP BY hash HAVING count(*) > 1) alike
    """,
    "no time of the log lies ahead": """
        SELECT count(*), min(position)::text FROM log WHERE recorded_at > clock_timestamp() + interval '5 minutes'
    """,
    "each key of a subject is wrapped by a known data key": """
        SELECT count(*), min(subject_id::text) FROM subject_keys
         WHERE wrapped IS NOT NULL
           AND ('x' || encode(substr(wrapped, 1, 4), 'hex'))::bit(32)::integer NOT IN (SELECT generation FROM data_keys)
    """,
}


def order(connection: Connection[Values]) -> Iterator[tuple[str, Finding | None]]:
    """Each rule about the order of things, and how it is broken, if it is."""
    for rule, sql in _CHECKS.items():
        named = {
            "names": [*EVENT_BY_NAME, *UPCASTS],
            "erasing": erasing_names(),
            "erased": stored_names(PersonErased),
            "due": list(due.KIND_BY_NAME),
            "kinds": list(due.KIND_BY_NAME.values()),
            "signing_up": list(due.SIGNING_UP),
        }
        [times, first] = connection.execute(sql, named).fetchone() or (0, "")
        yield rule, Finding(rule, times, first) if times else None
