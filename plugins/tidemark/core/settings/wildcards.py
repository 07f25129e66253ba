"""Wildcards over schemas and tables: which settings a table gets, and from where.

    defaults  <  what `discover` found  <  wildcards, in their order  <  the table's own entry

Airflow parses its DAGs every few seconds and must not ask a source each time, so a wildcard means
the tables that `discover --write` found for it and wrote into a file of its own: reviewed and
committed like any other, it says what will be copied before it is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import yaml

from tidemark.core.documents import merge_defaults, parse_document, refuse_unknown
from tidemark.core.errors import FixConfiguration

FOUND_FILE = "tables.found.yaml"

Settings = Mapping[str, Any]

_RESOLVE = "Run python -m tidemark discover --write"


@dataclass(frozen=True, slots=True)
class Outline:
    """`tables.yaml` before its wildcards are resolved.

    :param tables: entries that name one table; :param wildcards: entries with ``*``, ``?`` or
        ``[…]``; both without the defaults
    :param exclude: names and wildcards of tables that no wildcard takes
    """

    defaults: Settings
    tables: dict[str, Settings]
    wildcards: dict[str, Settings]
    exclude: tuple[str, ...]

    def excludes(self, name: str) -> bool:
        """Whether a table is one that is never copied."""
        return any(fnmatchcase(name, each) for each in self.exclude)

    def wildcards_of(self, name: str) -> list[str]:
        """Return the wildcards that take a table, in their order; none if it is excluded."""
        if self.excludes(name):
            return []
        return [each for each in self.wildcards if fnmatchcase(name, each)]

    def own(self, name: str) -> dict[str, Any]:
        """Return what wildcards and its own entry, the last word, say of a table."""
        values: dict[str, Any] = {}
        for wildcard in self.wildcards_of(name):
            values |= self.wildcards[wildcard]
        return {**values, **self.tables.get(name, {})}

    def settings(self, found: "FoundTables", file: str) -> dict[str, dict[str, Any]]:
        """Return every table's settings: those listed first, then those found, by name.

        Raises `FixConfiguration` for a wildcard that was not resolved yet, and for a table that is
        both listed and excluded.
        """
        for name in self.tables:
            if self.excludes(name):
                raise FixConfiguration(
                    what=f"{file}: tables.{name} is listed, and exclude names it too",
                    do=f"Take it out of one of them in {file}.",
                )
        if unresolved := sorted(set(self.wildcards) - set(found.resolved)):
            raise FixConfiguration(
                what=f"{file}: tables.{unresolved[0]}: {FOUND_FILE} does not say which tables it "
                "stands for",
                do=f"{_RESOLVE}, look at {FOUND_FILE}, and commit it; or take the wildcard out.",
            )
        names = [*self.tables, *sorted(name for name in found.tables if name not in self.tables)]
        return {
            name: {**self.defaults, **found.tables.get(name, {}), **self.own(name)}
            for name in names
            if name in self.tables or self.wildcards_of(name)
        }


def parse_outline(text: str, environ: Mapping[str, str], file: str) -> Outline:
    """Read a `tables.yaml`. Raises `FixConfiguration` for what is no list of tables."""
    document = parse_document(text, file, environ)
    refuse_unknown(document, {"defaults", "tables", "exclude"}, file)
    defaults = document.get("defaults") or {}
    excluded = document.get("exclude") or []
    if not isinstance(excluded, list) or not all(isinstance(each, str) for each in excluded):
        raise FixConfiguration(what=f"{file}: exclude: expected a list", do=f"Mend {file}.")
    entries = merge_defaults({**document, "defaults": {}}, "tables", file)
    return Outline(
        defaults=defaults,
        tables={name: own for name, own in entries.items() if not _is_wildcard(name)},
        wildcards={name: own for name, own in entries.items() if _is_wildcard(name)},
        exclude=tuple(excluded),
    )


@dataclass(frozen=True, slots=True)
class FoundTables:
    """`tables.found.yaml`: the tables, and the wildcards that were looked up for them."""

    resolved: tuple[str, ...] = ()
    tables: Mapping[str, Settings] = field(default_factory=dict)


def parse_found(text: str, environ: Mapping[str, str]) -> FoundTables:
    """Read a `tables.found.yaml`, which may name no table at all. Raises `FixConfiguration`."""
    document = parse_document(text, FOUND_FILE, environ)
    refuse_unknown(document, {"resolved", "tables"}, FOUND_FILE)
    return FoundTables(
        resolved=tuple(document.get("resolved") or ()),
        tables=merge_defaults(document, "tables", FOUND_FILE) if document.get("tables") else {},
    )


def write_found(wildcards: Iterable[str], entries: str) -> str:
    """Return the text of a `tables.found.yaml` around entries of `write_entries`."""
    quoted = yaml.safe_dump(list(wildcards), default_flow_style=True, width=1_000).strip()
    return (
        "# The tables that the wildcards of tables.yaml stand for. Written by\n"
        "#     python -m tidemark discover --write\n"
        "# which replaces it; settings of your own belong in tables.yaml.\n"
        "version: 1\n"
        f"resolved: {quoted}\n"
        f"tables:\n{entries}"
    )


def _is_wildcard(name: str) -> bool:
    return any(sign in name for sign in "*?[")
