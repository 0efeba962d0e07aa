"""What a session of ours is like, whatever the server, the database, the role or the environment would make of it.

Pinned is what changes the meaning of an answer or of a promise. Whether a session may write is not: an operator who
forbids it means it.
"""

from __future__ import annotations

import os

from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict

SCHEMA = "daybook"
SESSION_SETTINGS = {
    "search_path": SCHEMA,
    "lock_timeout": "2s",
    "statement_timeout": "5s",
    "idle_in_transaction_session_timeout": "5s",
    "timezone": "UTC",
    "datestyle": "ISO,MDY",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "standard_conforming_strings": "on",
    "array_nulls": "on",
    "transform_null_equals": "off",
    "default_transaction_isolation": "read\\ committed",
    # a commit that did not wait for its standby says so in a warning, and in nothing else
    "client_min_messages": "warning",
    "log_parameter_max_length_on_error": "0",
}

# The environment's PGDATESTYLE and PGTZ come after what is asked for at the start of a session, so they are set anew.
_FIT = """
SELECT current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on',
       set_config('datestyle', 'ISO, MDY', false), set_config('timezone', 'UTC', false),
       CASE WHEN current_setting('log_parameter_max_length') <> '0'
                 AND has_parameter_privilege('log_parameter_max_length', 'SET')
            THEN set_config('log_parameter_max_length', '0', false) END
"""
SETTLE_READER = _FIT
"""Run once on a new connection: whether its server keeps what it says; parameters are kept out of the server's log."""
SETTLE_WRITER = f"""{_FIT},
       CASE WHEN current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')
            THEN set_config('synchronous_commit', 'on', false) END
"""
"""The same, of one whose commits are told to people: `synchronous_commit` is `on`, or what is stronger."""

NOT_AWAITED = "set_config('synchronous_commit', 'local', true)"
"""In a statement that writes what nobody is promised: it waits for the disk, and for no standby."""

_PARAMETERS_LOGGED = """
SELECT current_setting('log_parameter_max_length') <> '0'
       AND NOT has_parameter_privilege('log_parameter_max_length', 'SET')
"""


def session_options(conninfo: str = "") -> str:
    """The settings of a session as libpq's `options`: in force from the first statement on, at no round trip.

    What the operator's own options say beside them stays.
    """
    theirs = conninfo_to_dict(conninfo).get("options") or os.environ.get("PGOPTIONS")
    ours = " ".join(f"-c {name}={value}" for name, value in SESSION_SETTINGS.items())
    return f"{theirs} {ours}" if theirs else ours


def parameters_are_logged(connection: Connection[tuple[object, ...]]) -> bool:
    """Whether the server may write into its log what statements are given, and this role cannot keep it from that."""
    row = connection.execute(_PARAMETERS_LOGGED).fetchone()
    return row is not None and row[0] is True
