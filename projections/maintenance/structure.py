"""Whether the tables are as the migrations make them: columns, constraints, triggers, functions, sequences, rights.

The migrations are run once more, in a schema that is thrown away again, and both are described in the same words.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from psycopg import Connection, Rollback, sql

from domain.store.connections import SCHEMA, Values
from domain.store.migrate import TABLE, grants, migrations

from .finding import Finding, Violations

_SCRATCH = "daybook_verify"
_READING = ("SELECT on ", "USAGE on the schema")

_DESCRIBED = """
SELECT 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
       || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
       || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
       || CASE a.attidentity::text WHEN '' THEN '' ELSE ' IDENTITY ' || a.attidentity::text END
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind = 'r'
 UNION ALL
SELECT 'constraint ' || c.relname || '.' || k.conname || ' ' || pg_get_constraintdef(k.oid)
       || CASE WHEN k.convalidated THEN '' ELSE ' NOT VALID' END
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
 WHERE c.relnamespace = %(schema)s::regnamespace AND k.contype IN ('p', 'u', 'f', 'c', 'x')
 UNION ALL
SELECT 'index ' || pg_get_indexdef(i.indexrelid)
       || CASE WHEN i.indisvalid AND i.indisready THEN '' ELSE ' INVALID' END
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = %(schema)s::regnamespace
 UNION ALL
SELECT 'trigger ' || pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
 WHERE c.relnamespace = %(schema)s::regnamespace AND NOT t.tgisinternal
 UNION ALL
SELECT 'function ' || p.proname || ' ' || pg_get_functiondef(p.oid)
  FROM pg_proc p WHERE p.pronamespace = %(schema)s::regnamespace AND p.prokind IN ('f', 'p', 'w')
 UNION ALL
SELECT 'aggregate ' || p.proname
  FROM pg_proc p WHERE p.pronamespace = %(schema)s::regnamespace AND p.prokind = 'a'
 UNION ALL
SELECT 'operator ' || o.oprname || ' by ' || o.oprcode::oid::regproc
  FROM pg_operator o WHERE o.oprnamespace = %(schema)s::regnamespace
 UNION ALL
SELECT 'rule ' || pg_get_ruledef(r.oid)
  FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
 WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind = 'r'
 UNION ALL
SELECT 'policy ' || c.relname || '.' || p.polname
  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
 WHERE c.relnamespace = %(schema)s::regnamespace
 UNION ALL
SELECT 'kept ' || c.relname || ' ' || c.relpersistence::text
       || CASE WHEN c.relrowsecurity THEN ' ROW SECURITY' ELSE '' END
  FROM pg_class c WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind = 'r'
 UNION ALL
SELECT format('sequence %%s from %%s by %%s to %%s, %%s at once',
              c.relname, s.seqmin, s.seqincrement, s.seqmax, s.seqcache)
       || CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END
  FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
 WHERE c.relnamespace = %(schema)s::regnamespace
 UNION ALL
SELECT 'inheritance ' || i.inhrelid::regclass || ' of ' || c.relname
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent
 WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind = 'r'
"""
_RIGHTS = """
SELECT format('%%s on %%s', r.privilege_type, c.relname),
       CASE r.grantee WHEN 0 THEN 'PUBLIC' ELSE r.grantee::regrole::text END
  FROM pg_class c, aclexplode(c.relacl) r
 WHERE c.relnamespace = %(schema)s::regnamespace AND r.grantee <> c.relowner
 UNION ALL
SELECT format('%%s on %%s.%%s', r.privilege_type, c.relname, a.attname),
       CASE r.grantee WHEN 0 THEN 'PUBLIC' ELSE r.grantee::regrole::text END
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) r
 WHERE c.relnamespace = %(schema)s::regnamespace AND r.grantee <> c.relowner
 UNION ALL
SELECT format('%%s on the schema', r.privilege_type),
       CASE r.grantee WHEN 0 THEN 'PUBLIC' ELSE r.grantee::regrole::text END
  FROM pg_namespace n, aclexplode(n.nspacl) r
 WHERE n.oid = %(schema)s::regnamespace AND r.grantee <> n.nspowner
 UNION ALL
SELECT 'ownership of ' || c.relname, c.relowner::regrole::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.oid = %(schema)s::regnamespace AND c.relkind = 'r' AND c.relowner <> n.nspowner
"""
# An operator's administrators may be members of the role that owns the tables; who serves must not be. A replica's
# session fires no trigger, those that keep the log neither.
_WAYS_AROUND = """
SELECT %(role)s || ' is a member of ' || m.rolname
  FROM pg_roles m
 WHERE pg_has_role(%(role)s, m.oid, 'MEMBER') AND m.rolname <> %(role)s
   AND (m.rolname IN ('pg_write_all_data', 'pg_write_server_files', 'pg_execute_server_program')
        OR m.oid = (SELECT nspowner FROM pg_namespace WHERE nspname = 'daybook'))
 UNION ALL
SELECT coalesce(r.rolname, 'everybody') || ' with ' || setting
  FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) AS setting
 WHERE setting LIKE 'session_replication_role=%%' AND setting <> 'session_replication_role=origin'
   AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


_ARRIVALS = """
SELECT coalesce((SELECT last_value FROM pg_sequences
                  WHERE schemaname = 'daybook' AND sequencename = 'queue_arrival_seq'), 0),
       greatest((SELECT count(*) FROM log), coalesce((SELECT max(arrival) FROM queue), 0))
"""


def structure(connection: Connection[Values], application_role: str | None) -> Iterator[Finding]:
    """How the tables differ from those the migrations make, and who may do more with them than the application's role.

    Asked as the role that owns them. `application_role` is None where the owner itself serves.
    """
    applied: dict[int, str] = dict(connection.execute("SELECT number, step || ' ' || name FROM migrations").fetchall())
    files = {one.number: f"{one.step} {one.name}" for one in migrations()}
    other = Violations("the migrations that were applied are those of this release")
    for number in sorted(applied.keys() | files.keys()):
        if applied.get(number) != files.get(number):
            other.add(f"{number:04}")
    yield from other.findings()
    yield from _arrivals(connection)
    if applied.keys() == files.keys():
        expected, rights = _as_migrated(connection, application_role)
        yield from _differences(expected, _described(connection, SCHEMA))
        yield from _too_many_rights(rights, connection, application_role)


def _arrivals(connection: Connection[Values]) -> Iterator[Finding]:
    """Numbers of arrival only grow: set back, new events would come before those that wait."""
    back = Violations("arrivals are counted on")
    [[last, drawn]] = connection.execute(_ARRIVALS).fetchall()
    if last < drawn:
        back.add(f"{last} of {drawn}")
    yield from back.findings()


def _as_migrated(connection: Connection[Values], application_role: str | None) -> tuple[set[str], set[str]]:
    """What the migrations make, and what the application's role may do then."""
    described, rights = set[str](), set[str]()
    with suppress(Rollback), connection.transaction():
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(_SCRATCH)))
        connection.execute(sql.SQL("SET LOCAL search_path = {}").format(sql.Identifier(_SCRATCH)))
        connection.execute(TABLE)
        for one in migrations():
            connection.execute(one.text)
        described = _described(connection, _SCRATCH)
        if application_role is not None:
            given = grants(application_role).replace(f"SCHEMA {SCHEMA} ", f"SCHEMA {_SCRATCH} ")
            connection.execute(given.encode())
            rights = {right for right, _ in _rights(connection, _SCRATCH)}
        raise Rollback
    return described, rights


def _described(connection: Connection[Values], schema: str) -> set[str]:
    """Each thing in a schema in words, without the schema's name."""
    found = connection.execute(_DESCRIBED, {"schema": schema}).fetchall()
    return {line.replace(f"{schema}.", "") for [line] in found}


def _rights(connection: Connection[Values], schema: str) -> list[tuple[str, str]]:
    """What others than the owner may do with the schema, which table or column, or what table they own; and who."""
    return [(right, who) for right, who in connection.execute(_RIGHTS, {"schema": schema}).fetchall()]


def _differences(expected: set[str], actual: set[str]) -> Iterator[Finding]:
    missing = Violations("the tables are as the migrations make them")
    for line in sorted(expected - actual):
        missing.add(line)
    yield from missing.findings()
    added = Violations("nothing is added to the tables but indexes")
    for line in sorted(actual - expected):
        # an index may make an operator's own questions fast, but one that is unique would refuse rows
        if not line.startswith("index CREATE INDEX "):
            added.add(line)
    yield from added.findings()


def _too_many_rights(
    expected: set[str], connection: Connection[Values], application_role: str | None
) -> Iterator[Finding]:
    found = _rights(connection, SCHEMA)
    more = Violations("nobody but the owner may do more than the application has to")
    for right, who in sorted(found):
        # reading is for its owner to give, to whoever makes backups or reports
        theirs = who.strip('"') == application_role or right.startswith(_READING)
        if right not in expected or who == "PUBLIC" or not theirs:
            more.add(f"{who}: {right}")
    if application_role is not None:
        for [way] in connection.execute(_WAYS_AROUND, {"role": application_role}).fetchall():
            more.add(way)
    yield from more.findings()
    lacking = Violations("the application may do what it has to")
    if application_role is not None:
        for right in sorted(expected - {right for right, who in found if who.strip('"') == application_role}):
            lacking.add(right)
    yield from lacking.findings()
