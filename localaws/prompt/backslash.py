r"""The commands of the prompt that are no SQL, as in psql: `\dt`, `\c secondary`, `\x` …"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from localaws.endpoints import Cluster, Endpoints
from localaws.prompt.formats import FORMATS
from localaws.prompt.warehouse import Result, StatementFailed, Warehouse

HELP = r"""  \d                    list tables and views         \d [SCHEMA.]NAME   its columns
  \dt [PATTERN]         list tables; * and ? stand for any text and any character
  \dn                   list schemas                  \l                 list databases
  \c CLUSTER [DATABASE] go to another cluster         \conninfo          where this is
  \i FILE               run a file                    \x                 one column a line, or not
  \format FORMAT        table, expanded, csv, json    \timing            show times, or not
  \?                    this                          \q                 quit (or Ctrl-D)

A statement ends with `;`. Ctrl-C cancels what runs, or drops what is typed."""


@dataclass(slots=True)
class Settings:
    """What can be switched at the prompt."""

    form: str = "table"
    timing: bool = True


class Quit(Exception):
    """Leave the prompt."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command comes to: something to show, to say, or a script to run."""

    result: Result | None = None
    said: str = ""
    script: str = ""


class Commands:
    """Does the commands. Raises StatementFailed for what cannot be, Quit to end."""

    def __init__(self, endpoints: Endpoints, warehouse: Warehouse, settings: Settings) -> None:
        self._endpoints = endpoints
        self._warehouse = warehouse
        self._settings = settings

    def run(self, line: str) -> Answer:
        """Do the command of this line, which begins with a backslash."""
        try:
            name, *words = shlex.split(line.strip().rstrip(";").replace("\\", "", 1))
        except ValueError as error:
            raise StatementFailed(f"{line}: {error}") from None
        match name, words:
            case (("q" | "quit"), []):
                raise Quit
            case (("?" | "h" | "help"), []):
                return Answer(said=HELP)
            case "d", [table]:
                return self._describe(table)
            case (("d" | "dt"), [] | [_]):
                return self._tables(words[0] if words else "*")
            case "dn", []:
                return _named("schema", self._warehouse.schemas())
            case "l", []:
                return _named("database", self._warehouse.databases())
            case (("c" | "connect"), [cluster] | [cluster, _]):
                return self._connect(cluster, words[1] if len(words) > 1 else "")
            case "conninfo", []:
                return Answer(said=place(self._warehouse.cluster))
            case "i", [file]:
                return Answer(script=_read(file))
            case "x", []:
                self._settings.form = "table" if self._settings.form == "expanded" else "expanded"
                return Answer(said=f"format: {self._settings.form}")
            case "format", [form] if form in FORMATS:
                self._settings.form = form
                return Answer(said=f"format: {form}")
            case "timing", []:
                self._settings.timing = not self._settings.timing
                return Answer(said=f"timing is {'on' if self._settings.timing else 'off'}")
        raise StatementFailed(rf"no command {line.strip()}: \? shows what there is")

    def _connect(self, name: str, database: str) -> Answer:
        found = [each for each in self._endpoints.clusters if each.cluster_identifier == name]
        if not found:
            known = ", ".join(each.cluster_identifier for each in self._endpoints.clusters)
            raise StatementFailed(f"no cluster {name}: there are {known}")
        self._warehouse.connect(replace(found[0], database=database or found[0].database))
        return Answer(said=place(self._warehouse.cluster))

    def _tables(self, pattern: str) -> Answer:
        like = pattern.replace("*", "%").replace("?", "_")
        rows = [
            (each.get("schema"), each.get("name"), each.get("type"))
            for each in self._warehouse.tables(like)
            if each.get("schema") not in ("pg_catalog", "information_schema", "pg_internal")
        ]
        return Answer(Result(("schema", "table", "type"), ("name",) * 3, rows))

    def _describe(self, name: str) -> Answer:
        schema, _, table = name.rpartition(".")
        columns = self._warehouse.columns(schema or "public", table)
        if not columns:
            raise StatementFailed(f"no table {name}")
        rows = [
            (
                each.get("name"),
                _type(each),
                "not null" if each.get("nullable") == 0 else "",
                each.get("columnDefault"),
            )
            for each in columns
        ]
        return Answer(Result(("column", "type", "null", "default"), ("name",) * 4, rows))


def place(cluster: Cluster) -> str:
    """Say where statements go."""
    return (
        f"cluster {cluster.cluster_identifier}, database {cluster.database}, user {cluster.db_user}"
    )


def _named(heading: str, names: list[str]) -> Answer:
    return Answer(Result((heading,), ("name",), [(each,) for each in names]))


def _type(column: dict[str, object]) -> str:
    kind = str(column.get("typeName"))
    if kind in ("varchar", "bpchar", "varbyte"):
        return f"{kind}({column.get('length')})"
    if kind == "numeric":
        return f"numeric({column.get('precision')},{column.get('scale')})"
    return kind


def _read(file: str) -> str:
    try:
        return Path(file).expanduser().read_text(encoding="utf-8")
    except OSError as error:
        raise StatementFailed(f"{file}: {error.strerror}") from None
