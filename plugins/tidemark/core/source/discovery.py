"""Propose how a table should be copied, from its columns, keys, indexes and size. Pure.

    it has                                         proposed
    a key, and a time that every change moves      incremental
    a growing key only, and many rows              append
    neither, or few rows                           full, for a person to choose

A proposal is a text for a person to read and commit; nothing is copied because it was found.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from tidemark.core.documents import NAME
from tidemark.core.settings.selection import index_statement
from tidemark.core.source.catalogue import Found, Index
from tidemark.core.source.column_types import UnsupportedType, column_from_information_schema
from tidemark.core.templates import identifier

SMALL_ROWS = 100_000
"""Below this a table is copied whole in less time than it takes to think about it."""

CHUNK_BYTES = 512 * 2**20
"""What one chunk should read of the source at most, about."""

_CONFIGURED = " configured"  # no index has a name that begins with a space

_MOVED = re.compile(
    r"(last_?)?(updated?|modif(y|ied|ication)|changed?)(_?(at|on|time|date|datetime|ts|timestamp))?",
    re.IGNORECASE,
)
_DELETED = re.compile(r"(is_?|soft_?)?deleted(_?(at|on|time|date))?", re.IGNORECASE)


@dataclass(slots=True)
class Proposal:
    """An entry for `tables.yaml`.

    :param settings: what differs from the defaults
    :param remarks: what somebody should know or do, a line each
    :param blocked: why the table cannot be copied as it is; empty when it can
    """

    found: Found
    settings: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    blocked: str = ""


def propose(
    found: Found, cursor: str, chunk_rows: int, key: Sequence[str] | None = None
) -> Proposal:
    """Return the entry that copies a table as well as it can be.

    :param cursor: the configured cursor, which is taken where the table has it
    :param chunk_rows: the configured size of a chunk
    :param key: the configured key, which then needs no index
    """
    proposal = Proposal(found)
    if not all(NAME.fullmatch(part) for part in (found.db_schema, found.table)):
        proposal.blocked = "a name with other signs than letters, digits, _ and $"
        return proposal
    if found.kind != "BASE TABLE":
        proposal.blocked = "a view: it has no key, and no index on a cursor"
        return proposal
    identity = Index(_CONFIGURED, tuple(key), identifies=True) if key else _key(found)
    _choose_strategy(proposal, _cursor(found, cursor), identity, cursor)
    _leave_out_unsupported(proposal)
    _mark_deleted(proposal)
    _size_chunks(proposal, chunk_rows)
    if found.engine.lower() != "innodb":
        proposal.remarks.append(
            f"{found.engine or 'its engine'} reads from no snapshot: what changes while it is read "
            "may be missed"
        )
    return proposal


def _cursor(found: Found, configured: str) -> Mapping[str, Any] | None:
    """The column that changes move: the configured one, else the likeliest."""
    times = [c for c in found.columns if c["data_type"].lower() in ("datetime", "timestamp")]
    likely = [
        column
        for column in times
        if column["column_name"] == configured
        or _moves_itself(column)
        or _MOVED.fullmatch(column["column_name"])
    ]
    first_in_index = {index.columns[0] for index in found.indexes}
    return max(
        likely,
        key=lambda c: (
            c["column_name"] == configured,
            _moves_itself(c),
            c["column_name"] in first_in_index,
        ),
        default=None,
    )


def _moves_itself(column: Mapping[str, Any]) -> bool:
    return "on update" in str(column["extra"]).lower()


def _choose_strategy(
    proposal: Proposal, cursor: Mapping[str, Any] | None, key: Index | None, configured: str
) -> None:
    found = proposal.found
    if cursor and key:
        _read_by_cursor(proposal, cursor, key, configured)
        return
    growing = next(
        (c["column_name"] for c in found.columns if "auto_increment" in c["extra"]), None
    )
    if growing and key and key.columns == (growing,) and found.rows >= SMALL_ROWS:
        proposal.settings |= {"strategy": "append", "cursor": growing}
        proposal.remarks.append(
            f"{growing} tells what is new, and nothing what was changed: are its rows only added?"
        )
    else:
        proposal.settings["strategy"] = "full"
        lacks = ["a key"] if not key else []
        lacks += ["a time that every change moves"] if not cursor else []
        proposal.blocked = (
            f"it lacks {' and '.join(lacks)}; with strategy: full every run copies it whole"
        )
    if key and not cursor:
        taken = {column["column_name"].lower() for column in found.columns}
        new = "row_updated_at" if "updated_at" in taken else "updated_at"
        where = f"{identifier(found.db_schema, 'mysql')}.{identifier(found.table, 'mysql')}"
        proposal.remarks.append(
            f"to copy it by increments: ALTER TABLE {where} ADD `{new}` DATETIME(6) NOT NULL "
            "DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), "
            f"ADD INDEX `by_{new}` (`{new}`);"
        )


def _read_by_cursor(
    proposal: Proposal, cursor: Mapping[str, Any], key: Index, configured: str
) -> None:
    found, name = proposal.found, cursor["column_name"]
    if name != configured:
        proposal.settings["cursor"] = name
    if key.name not in ("PRIMARY", _CONFIGURED):
        proposal.settings["key"] = list(key.columns)
    if not any(index.columns[0] == name for index in found.indexes):
        proposal.remarks.append(
            f"every run scans the whole table until it gets an index: "
            f"{index_statement(found.db_schema, found.table, name)}"
        )
    if not _moves_itself(cursor):
        proposal.remarks.append(
            f"the server does not move {name} by itself: does every change set it?"
        )
    if cursor["is_nullable"] == "YES":
        proposal.remarks.append(f"{name} may be NULL, and such rows are not copied")


def _key(found: Found) -> Index | None:
    """The primary key, else the shortest unique index without NULLs."""
    unique = [index for index in found.indexes if index.identifies]
    return min(unique, key=lambda i: (i.name != "PRIMARY", len(i.columns), i.name), default=None)


def _leave_out_unsupported(proposal: Proposal) -> None:
    excluded = []
    for column in proposal.found.columns:
        try:
            column_from_information_schema(column)
        except UnsupportedType:
            excluded.append(column["column_name"])
            proposal.remarks.append(
                f"{column['column_name']} is {column['column_type']}, which cannot be copied "
                "exactly"
            )
    if excluded:
        proposal.settings["columns"] = {"exclude": excluded}


def _mark_deleted(proposal: Proposal) -> None:
    excluded = proposal.settings.get("columns", {}).get("exclude", ())
    names = [
        column["column_name"]
        for column in proposal.found.columns
        if column["column_name"] not in excluded
    ]
    if marks := [name for name in names if _DELETED.fullmatch(name)]:
        proposal.settings["soft_delete"] = marks[0]


def _size_chunks(proposal: Proposal, chunk_rows: int) -> None:
    found = proposal.found
    width = found.size / found.rows if found.rows else 0
    if found.rows > SMALL_ROWS and width * chunk_rows > 2 * CHUNK_BYTES:
        fitting = int(CHUNK_BYTES / width)
        step = 10 ** max(0, len(str(fitting)) - 1)
        proposal.settings["chunk_rows"] = max(1, fitting // step * step)


def write_entries(proposals: Iterable[Proposal], *, sizes: bool) -> str:
    """Return the entries as YAML, two spaces in; blocked ones as comments with their reason.

    :param sizes: say how big the tables are: not in a file that is compared with its last version
    """
    lines = []
    for proposal in proposals:
        found = proposal.found
        size = f"  # about {found.rows:,} rows, {found.size / 2**20:,.0f} MiB" if sizes else ""
        if proposal.blocked:
            lines.append(f"  # {_flow(found.name)} is left out: {proposal.blocked}{size}")
        elif proposal.settings:
            lines.append(f"  {_flow(found.name)}:{size}")
            lines += [f"    {name}: {_flow(value)}" for name, value in proposal.settings.items()]
        else:
            lines.append(f"  {_flow(found.name)}: {{}}{size}")
        lines += [f"    # {' '.join(remark.split())}" for remark in proposal.remarks]
    return "".join(f"{line}\n" for line in lines)


def _flow(value: Any) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, width=1_000, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")
