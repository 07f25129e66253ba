"""Which tables of a source are not copied yet, and what wildcards stand for: the same for the
terminal and for the form in Airflow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidemark.core.settings.tables import Table
from tidemark.core.settings.wildcards import Outline, write_found
from tidemark.core.source.catalogue import Found
from tidemark.core.source.discovery import Proposal, propose, write_entries
from tidemark.hooks.mysql.catalogue import list_tables
from tidemark.hooks.project import read_table_lists, write_found_tables


@dataclass(frozen=True, slots=True)
class Discovered:
    """Tables that are not listed. :param entries: lines for ``tables.yaml``"""

    source: str
    names: tuple[str, ...]
    entries: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """What is said of them: a comment, and YAML."""
        if not self.names:
            return [f"# Nothing new: every table that {self.source} shows is listed or excluded."]
        return [
            f"# {len(self.names)} tables of {self.source} are not copied. Choose, and add to "
            "tables.yaml:",
            "tables:",
            *self.entries,
        ]


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the wildcards stand for now. :param went: what they stood for before
    :param left_out: why, by table
    :param empty: wildcards that stand for nothing that is not listed by itself
    """

    path: Path
    tables: int
    came: tuple[str, ...]
    went: tuple[str, ...]
    left_out: Mapping[str, str]
    empty: tuple[str, ...]


def discover(source: str | None = None, schema: str | None = None) -> Discovered:
    """Return what a source has beyond what is listed or excluded.

    :param source: an Airflow connection; None for that of ``tables.yaml``
    :param schema: one MySQL database; None for all
    """
    lists = read_table_lists()
    asked = source or _setting(lists.outline.defaults, "source")
    found = [each for each in list_tables(asked, schema) if not lists.knows(each.name)]
    entries = write_entries(_proposals(lists.outline, found), sizes=True).splitlines()
    return Discovered(asked, tuple(each.name for each in found), tuple(entries))


def resolve() -> Resolved:
    """Write ``tables.found.yaml``: what the wildcards stand for."""
    lists = read_table_lists()
    outline = lists.outline
    sources = {_setting({**outline.defaults, **w}, "source") for w in outline.wildcards.values()}
    found = [
        each
        for source in sorted(sources)
        for each in list_tables(source)
        if each.name not in outline.tables
        and outline.wildcards_of(each.name)
        and _setting({**outline.defaults, **outline.own(each.name)}, "source") == source
    ]
    proposals = _proposals(outline, found)
    path = write_found_tables(write_found(outline.wildcards, write_entries(proposals, sizes=False)))
    usable = {each.found.name for each in proposals if not each.blocked}
    return Resolved(
        path=path,
        tables=len(usable),
        came=tuple(sorted(usable - lists.found)),
        went=tuple(sorted(lists.found - usable)),
        left_out={each.found.name: each.blocked for each in proposals if each.blocked},
        empty=tuple(
            wildcard
            for wildcard in outline.wildcards
            if not any(wildcard in outline.wildcards_of(each.found.name) for each in proposals)
        ),
    )


def _proposals(outline: Outline, found: Sequence[Found]) -> list[Proposal]:
    proposals = []
    for table in found:
        settings = {**outline.defaults, **outline.own(table.name)}
        cursor, rows, key = (_setting(settings, name) for name in ("cursor", "chunk_rows", "key"))
        proposals.append(propose(table, cursor, rows, key))
    return proposals


def _setting(settings: Mapping[str, Any], name: str) -> Any:
    """A setting as it is written, or what a table gets where nothing is."""
    value = settings.get(name)
    return Table.model_fields[name].default if value is None else value
