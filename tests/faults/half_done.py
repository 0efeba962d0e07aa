"""What no sequence of whole sign-ups could have left in a database: each finding is a row and a sentence about it."""

from __future__ import annotations

from typing import Any

import psycopg

from domain.store.connections import connection_arguments

_PLACES = "(SELECT stream_id, version FROM queue UNION ALL SELECT stream_id, version FROM log)"
_ROWS = """(
    SELECT user_id AS stream_id, version FROM account_list UNION ALL
    SELECT session_id, version FROM session_list UNION ALL
    SELECT organization_id, version FROM organization_list UNION ALL
    SELECT membership_id, version FROM member_list
)"""

_FINDINGS = {
    "an account without exactly one membership": """
        SELECT user_id FROM account_list LEFT JOIN member_list USING (user_id)
        GROUP BY user_id HAVING count(membership_id) <> 1""",
    "an account that does not own its one personal organization": """
        SELECT a.user_id FROM account_list a
        LEFT JOIN organization_list o ON o.personal_organization = a.user_id AND o.ended_at IS NULL
        LEFT JOIN member_list m ON m.organization_id = o.organization_id AND m.user_id = a.user_id
              AND m.live_user_id = a.user_id AND m.role = 'owner' AND m.ended_at IS NULL
        GROUP BY a.user_id HAVING count(m.membership_id) <> 1""",
    "an account without exactly one session": """
        SELECT user_id FROM account_list LEFT JOIN session_list USING (user_id)
        GROUP BY user_id HAVING count(session_id) <> 1""",
    "a session in another organization than the account's own": """
        SELECT session_id FROM session_list s
        LEFT JOIN organization_list o ON o.organization_id = s.organization_id AND o.personal_organization = s.user_id
        WHERE o.organization_id IS NULL""",
    "an account without a password": """
        SELECT user_id FROM account_list LEFT JOIN credentials c USING (user_id)
        GROUP BY user_id HAVING count(*) FILTER (WHERE c.kind = 'password') <> 1""",
    "an account without a key": """
        SELECT user_id FROM account_list LEFT JOIN subject_keys ON subject_id = user_id WHERE wrapped IS NULL""",
    "an account without exactly one command": """
        SELECT user_id FROM account_list LEFT JOIN commands ON actor_id = user_id
        GROUP BY user_id HAVING count(command_id) <> 1""",
    "an organization without its owner": """
        SELECT organization_id FROM organization_list LEFT JOIN account_list ON user_id = personal_organization
        WHERE user_id IS NULL""",
    "a membership of nobody or of nothing": """
        SELECT membership_id FROM member_list LEFT JOIN account_list USING (user_id)
        LEFT JOIN organization_list USING (organization_id) WHERE email IS NULL OR slug IS NULL""",
    "a session of nobody": """
        SELECT session_id FROM session_list LEFT JOIN account_list USING (user_id) WHERE email IS NULL""",
    "a password of nobody": """
        SELECT user_id FROM credentials LEFT JOIN account_list USING (user_id) WHERE email IS NULL""",
    "a key of nobody": """
        SELECT subject_id FROM subject_keys LEFT JOIN account_list ON user_id = person_id WHERE user_id IS NULL""",
    "an organization without a key": """
        SELECT organization_id FROM organization_list LEFT JOIN subject_keys ON subject_id = organization_id
        WHERE wrapped IS NULL""",
    "a command of nobody": """
        SELECT command_id FROM commands LEFT JOIN account_list ON user_id = actor_id WHERE user_id IS NULL""",
    "a command without an event in each of four streams": """
        SELECT command_id FROM commands LEFT JOIN events USING (command_id)
        GROUP BY command_id HAVING count(DISTINCT stream_id) <> 4""",
    "an event without its command": """
        SELECT stream_id, version FROM events LEFT JOIN commands USING (command_id) WHERE at IS NULL""",
    "a stream with a hole": """
        SELECT stream_id FROM events GROUP BY stream_id HAVING min(version) <> 1 OR max(version) <> count(*)""",
    "a stream whose row is not there or stands elsewhere": f"""
        SELECT stream_id FROM (SELECT stream_id, max(version) AS version FROM events GROUP BY stream_id) AS e
        FULL JOIN {_ROWS} AS r USING (stream_id, version) WHERE e IS NULL OR r IS NULL""",
    "an event that does not stand in the queue or the log exactly once": f"""
        SELECT stream_id, version FROM events e LEFT JOIN {_PLACES} p USING (stream_id, version)
        GROUP BY stream_id, version HAVING count(p) <> 1""",
    "a place in the queue or the log of no event": f"""
        SELECT stream_id, version FROM {_PLACES} p LEFT JOIN events e USING (stream_id, version)
        WHERE e.name IS NULL""",
}


def half_done(owner_url: str) -> dict[str, list[Any]]:
    """What is half-done or doubled in a database to which only sign-ups were made; empty if nothing is."""
    with psycopg.connect(owner_url, **connection_arguments("tests")) as connection:
        found = {sentence: connection.execute(sql.encode()).fetchall() for sentence, sql in _FINDINGS.items()}
    return {sentence: rows for sentence, rows in found.items() if rows}


def accounts(owner_url: str) -> set[str]:
    """The e-mail addresses of all accounts there are."""
    with psycopg.connect(owner_url, **connection_arguments("tests")) as connection:
        return {email for (email,) in connection.execute("SELECT email FROM account_list")}
