"""The members of an organization as they are looked for: pages and orders, filters, and a search for people.

However many belong to it, a question reads about what it shows. The database alone would not see to that: walking the
members in the order asked for looks cheaper to it than looking for the few that are meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import normalize
from uuid import UUID

from domain.store.connections import Statements

from .member_list import MEMBER, MemberRow

_FIELDS = {
    "id": "m.membership_id",
    "createdAt": "m.joined_at",
    "role": "m.role",
    "userId": "m.user_id",
    "organizationId": "m.organization_id",
}
_TYPES = {"id": "uuid", "userId": "uuid", "organizationId": "uuid", "createdAt": "timestamptz", "role": "text"}
_COMPARED = {"eq": "=", "ne": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_MATCHED = {"contains": "strpos({0}, {1}) > 0", "starts_with": "starts_with({0}, {1})"}
_ENDING = "right({0}, char_length({1})) = {1}"

_OF_THE_ORGANIZATION = "m.organization_id = $1 AND m.live_user_id IS NOT NULL"
# as the index account_list_words has it (migration 10): whole words, since a parser would take addresses apart
_SEARCHED = (
    "array_to_tsvector(array_remove(regexp_split_to_array(lower(replace(translate("
    "normalize(coalesce(a.name, '') || ' ' || coalesce(a.email, ''), NFKC),"
    " '''\u2018\u02bc', '\u2019\u2019\u2019'), '\u00df', 'ss'))"
    r", '[\s-]+'), ''))"
)
_WRITTEN_ALIKE = str.maketrans({"'": "\u2019", "\u2018": "\u2019", "\u02bc": "\u2019", "\u00df": "ss"})
_BETWEEN_WORDS = re.compile(r"[\s-]+")
_FEW_MEMBERS = 1_000
"""So many are looked through one by one: as cheap as to look for words."""
_FEW_PEOPLE = 5_000
"""So many who have the words, among all accounts, are looked for in the organization one by one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """Only members of whom this holds. `value` is of the field's type, a list of them for `in` and `not_in`."""

    field: str
    operator: str
    value: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """By which field, and whether from its greatest value on; those alike as they joined."""

    field: str = "createdAt"
    descending: bool = False

    def sql(self) -> str:
        """What stands after ORDER BY."""
        fields = dict.fromkeys((_FIELDS[self.field], "m.joined_at", "m.membership_id"))
        return ", ".join(f"{one} {'DESC' if self.descending else 'ASC'}" for one in fields)


IN_MEMORY: Mapping[str, Callable[[MemberRow], Any]] = {
    "id": lambda row: row.membership_id,
    "createdAt": lambda row: row.joined_at,
    "userId": lambda row: row.user_id,
    "organizationId": lambda row: row.organization_id,
}
"""Fields by which members can be sorted without the database: its order of texts is its own."""


def in_order(members: Sequence[MemberRow], order: Order) -> list[MemberRow]:
    """As the database would sort them, by a field of `IN_MEMORY`."""
    field = IN_MEMORY[order.field]
    return sorted(members, key=lambda row: (field(row), row.joined_at, row.membership_id), reverse=order.descending)


def field_type(field: str) -> str:
    """The PostgreSQL type of a field."""
    return _TYPES[field]


def members_of(
    read: Statements,
    organization_id: UUID,
    *,
    filtered: Filter | None = None,
    search: str = "",
    order: Order = Order(),
    limit: int | None = None,
    offset: int = 0,
) -> tuple[list[MemberRow], int]:
    """The members of an open organization, all or a page of them, and how many the filter leaves.

    `search` is the start of a word of the name, or of the address.
    """
    values, condition = list[Any]([organization_id]), _OF_THE_ORGANIZATION
    if filtered is not None:
        values.append(filtered.value)
        condition += f" AND {_condition(filtered, f'${len(values)}')}"
    among, counted = _members_first(condition), f"member_list m WHERE {condition}"
    if words := _words(search):
        rare = _is_rare(read, organization_id, words)
        values.append(words)
        among = counted = (_people_first if rare else _members_first)(condition, f"lower(${len(values)})")
    most, skipped = f"${len(values) + 1}::bigint", f"${len(values) + 2}::bigint"
    if filtered is not None and (filtered.field, filtered.operator) == ("role", "in") and not words:
        among = _role_by_role("$2", order, f"{most} + {skipped}")
    rows = read.rows(
        f"SELECT {MEMBER.sql} FROM {among} ORDER BY {order.sql()} LIMIT {most} OFFSET {skipped}", *values, limit, offset
    )
    found = MEMBER.read_all(rows)
    if limit is None and offset == 0:
        return found, len(found)
    [total] = read.row(f"SELECT count(*) FROM {counted}", *values) or (0,)
    return found, total


def _is_rare(read: Statements, organization_id: UUID, words: str) -> bool:
    """Whether to begin with the people who have the words: the organization is large, and they are not many."""
    # the join keeps the planner from reading all accounts until it has found so many
    people = f"SELECT FROM account_list a WHERE {_SEARCHED} @@ lower($2)::tsquery OFFSET 0"
    some = f"SELECT FROM ({people}) AS people CROSS JOIN generate_series(1, 1) LIMIT {_FEW_PEOPLE + 1}"
    # the order, so that they come from its index
    members = f"SELECT FROM member_list m WHERE {_OF_THE_ORGANIZATION} ORDER BY m.joined_at LIMIT {_FEW_MEMBERS + 1}"
    row = read.row(
        f"SELECT CASE WHEN (SELECT count(*) FROM ({members}) AS members) > {_FEW_MEMBERS}"
        f" THEN (SELECT count(*) FROM ({some}) AS people) <= {_FEW_PEOPLE} ELSE false END",
        organization_id,
        words,
    )
    return row is not None and row[0]


def _members_first(condition: str, words: str = "") -> str:
    """Member after member, and who they are."""
    has_words = f" AND {_SEARCHED} @@ {words}::tsquery" if words else ""
    return f"member_list m JOIN account_list a ON a.user_id = m.user_id WHERE {condition}{has_words}"


def _people_first(condition: str, words: str) -> str:
    """Who has the words, and which of them are members; OFFSET keeps the planner from going about it otherwise."""
    people = f"SELECT a.* FROM account_list a WHERE {_SEARCHED} @@ {words}::tsquery OFFSET 0"
    members = f"SELECT m.* FROM member_list m WHERE m.live_user_id = a.user_id AND {condition} OFFSET 0"
    return f"({people}) AS a CROSS JOIN LATERAL ({members}) AS m"


def _role_by_role(roles: str, order: Order, most: str) -> str:
    """The first members of each of these roles, each from the index."""
    first = (
        f"SELECT m.* FROM member_list m WHERE {_OF_THE_ORGANIZATION} AND m.role = asked.role"
        f" ORDER BY {order.sql()} LIMIT {most}"
    )
    return (
        f"(SELECT DISTINCT unnest({roles}::text[]) AS role) AS asked CROSS JOIN LATERAL ({first}) AS m"
        " JOIN account_list a ON a.user_id = m.user_id"
    )


def _words(search: str) -> str:
    """What is searched for as PostgreSQL reads it: the start of each word, quoted."""
    written = normalize("NFKC", search).translate(_WRITTEN_ALIKE)
    words = [word for word in _BETWEEN_WORDS.split(written) if word]
    return " & ".join("'" + word.replace("\\", "\\\\").replace("'", "''") + "':*" for word in words)


def _condition(filtered: Filter, hole: str) -> str:
    column, kind = _FIELDS[filtered.field], _TYPES[filtered.field]
    if filtered.operator in _COMPARED:
        return f"{column} {_COMPARED[filtered.operator]} {hole}::{kind}"
    if filtered.operator == "in":
        return f"{column} = ANY({hole}::{kind}[])"
    if filtered.operator == "not_in":
        return f"{column} <> ALL({hole}::{kind}[])"
    # ids as the wire shows them, without hyphens
    text = f"replace({column}::text, '-', '')" if kind == "uuid" else f"{column}::text"
    return _MATCHED.get(filtered.operator, _ENDING).format(text, f"{hole}::text")
