"""Why a database lets nobody in, where waiting does not mend it."""

from __future__ import annotations

import re

import psycopg
from psycopg.conninfo import conninfo_to_dict

# The driver tells no SQLSTATE of a connection that did not come about. These are the words of 3D000, 28000 and 28P01,
# PostgreSQL's and PgBouncer's; of a server that speaks another language they are not known, and it is waited for.
_LASTING = re.compile(
    r"FATAL: +("
    r"(?:database|role) .* does not exist|no such (?:database|user)\b.*"
    r"|.*authentication failed.*|role .* is not permitted to log in|no pg_hba\.conf entry .*"
    r")"
)
_NO_PASSWORD = "no password supplied"  # noqa: S105  the driver's words


def lasting_reason(error: psycopg.Error) -> str | None:
    """What the database refused for good, in its own words without the full stop; None if it may yet let us in."""
    said = str(error)
    if found := _LASTING.search(said):
        return found[1].rstrip(".")
    return "it asks for a password, and none is given" if _NO_PASSWORD in said else None


def has_wrong_port(conninfo: str) -> bool:
    """Whether a port of the address is none. The driver would look it up as a name, and quote it: it may be the half
    of a password. Raises psycopg.ProgrammingError for what is no address.
    """
    ports = str(conninfo_to_dict(conninfo).get("port") or "").split(",")
    return any(port and not (re.fullmatch("[0-9]{1,5}", port) and 1 <= int(port) <= 65_535) for port in ports)
