"""The operations that show databases, schemas, tables and columns, a page at a time.

Examples of the answers: https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-calling.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, TypeVar

import psycopg

from localaws.redshift.engine.clusters import Clusters
from localaws.redshift.engine.warehouses import warehouse_of
from localaws.redshift.errors import StatementError, invalid

Request = dict[str, Any]
Response = dict[str, Any]
Item = TypeVar("Item")

# The model's limit of MaxResults; that it is also the default is unsourced.
MAX_RESULTS = 1000

# pg_internal is shown by the service (see the examples) and has nothing in it here.
_SCHEMAS = """
SELECT name FROM (
  SELECT nspname::text AS name FROM pg_namespace
   WHERE nspname <> 'localaws' AND nspname NOT SIMILAR TO 'pg\\_(toast|temp)%%'
  UNION SELECT 'pg_internal') AS schemas
 WHERE name LIKE %(pattern)s
"""
_TABLES = """
SELECT table_name, table_schema,
       CASE WHEN table_schema NOT IN ('pg_catalog', 'information_schema')
              THEN CASE table_type WHEN 'VIEW' THEN 'VIEW' ELSE 'TABLE' END
            ELSE CASE table_type WHEN 'VIEW' THEN 'SYSTEM VIEW' ELSE 'SYSTEM TABLE' END
       END
  FROM svv_tables
 WHERE table_schema LIKE %(schema)s AND table_name LIKE %(table)s
   AND table_schema NOT SIMILAR TO 'pg\\_(toast|temp)%%'
"""
_COLUMNS = """
SELECT c.table_schema, c.table_name, c.ordinal_position, c.column_name, c.column_default,
       c.is_nullable, c.data_type, c.character_maximum_length, c.numeric_precision, c.numeric_scale
  FROM svv_columns AS c
 WHERE (%(schema)s::text IS NULL OR c.table_schema = %(schema)s)
   AND (%(table)s::text IS NULL OR c.table_name = %(table)s)
   AND c.table_schema NOT SIMILAR TO 'pg\\_(toast|temp)%%'
"""

# Type names as in the metadata of results, with the sizes that the JDBC driver gives such a column
# ( https://github.com/aws/amazon-redshift-jdbc-driver).
_TYPES: dict[str, tuple[str, int, int]] = {
    "smallint": ("int2", 5, 0), "integer": ("int4", 10, 0), "bigint": ("int8", 19, 0),
    "real": ("float4", 8, 8), "double precision": ("float8", 17, 17), "boolean": ("bool", 1, 0),
    "date": ("date", 13, 0), "timestamp without time zone": ("timestamp", 29, 6),
    "timestamp with time zone": ("timestamptz", 35, 6), "time without time zone": ("time", 15, 6),
    "time with time zone": ("timetz", 21, 6), "character varying": ("varchar", 0, 0),
    "character": ("bpchar", 0, 0), "numeric": ("numeric", 0, 0), "super": ("super", 0, 0),
    "binary varying": ("varbyte", 0, 0),
}  # fmt: skip
_NO_LIMIT = 2**31 - 1


class Metadata:
    """Each public method answers one operation, from any thread. Raises ApiError."""

    def __init__(self, clusters: Clusters) -> None:
        self._clusters = clusters

    def list_databases(self, request: Request) -> Response:
        """List the databases of a cluster."""
        cluster = warehouse_of(request, self._clusters)
        self._read(request, "SELECT 1", {})  # the named database must exist
        return _page("Databases", sorted(cluster.databases), request)

    def list_schemas(self, request: Request) -> Response:
        """List the schemas of a database whose names match a pattern."""
        rows = self._read(request, _SCHEMAS, {"pattern": request.get("SchemaPattern") or "%"})
        return _page("Schemas", sorted(name for (name,) in rows), request)

    def list_tables(self, request: Request) -> Response:
        """List the tables and views whose schema and name match patterns."""
        patterns = {
            "schema": request.get("SchemaPattern") or "%",
            "table": request.get("TablePattern") or "%",
        }
        rows = self._read(request, _TABLES, patterns)
        # The JDBC driver's order: by type, schema and name.
        tables = [
            {"name": name, "schema": schema, "type": kind}
            for name, schema, kind in sorted(rows, key=lambda row: (row[2], row[1], row[0]))
        ]
        return _page("Tables", tables, request)

    def describe_table(self, request: Request) -> Response:
        """List the columns of a table, or of every table that is asked for."""
        wanted = {"schema": request.get("Schema"), "table": request.get("Table")}
        rows = self._read(request, _COLUMNS, wanted)
        columns = [_column(row) for row in sorted(rows, key=lambda row: (row[0], row[1], row[2]))]
        response = _page("ColumnList", columns, request)
        return response | ({"TableName": request["Table"]} if request.get("Table") else {})

    def _read(self, request: Request, query: str, values: dict[str, Any]) -> list[Any]:
        cluster = warehouse_of(request, self._clusters)
        try:
            with cluster.connection(request.get("ConnectedDatabase") or request["Database"]):
                pass
            with cluster.connection(request["Database"]) as connection:
                return connection.execute(query.encode(), values).fetchall()
        except (StatementError, psycopg.Error) as error:
            # Which exception the service answers with here is unsourced.
            raise invalid(str(error).strip()) from error


def _page(name: str, items: Sequence[Item], request: Request) -> Response:
    start = position_in(request.get("NextToken"))
    end = start + (request.get("MaxResults") or MAX_RESULTS)
    response: Response = {name: list(items[start:end])}
    return response | ({"NextToken": token_for(end)} if end < len(items) else {})


def token_for(position: int) -> str:
    """Return the NextToken of a position: a text that clients cannot count with."""
    return base64.urlsafe_b64encode(f"at:{position}".encode()).decode()


def position_in(token: str | None, default: int = 0) -> int:
    """Return the position of a NextToken. Raises ValidationException, wording unsourced."""
    if not token:
        return default
    try:
        mark, _, position = base64.urlsafe_b64decode(token).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        mark, position = "", ""
    if mark != "at" or not position.isdigit():
        raise invalid("Invalid NextToken")
    return int(position)


def _column(row: Sequence[Any]) -> dict[str, Any]:
    schema, table, _, name, default, nullable, data_type, length, precision, scale = row
    type_name, size, digits = _TYPES.get(data_type, (data_type, _NO_LIMIT, 0))
    if type_name == "numeric":
        size, digits = precision or 0, scale or 0
    elif not size:
        size = length or _NO_LIMIT
    column = {
        # Never signed and one size for both numbers, as in the service's example of a text column;
        # that a number looks the same is unsourced.
        "isCaseSensitive": False, "isCurrency": False, "isSigned": False,
        "length": size, "name": name, "nullable": 1 if nullable == "YES" else 0,
        "precision": size, "scale": digits, "schemaName": schema, "tableName": table,
        "typeName": type_name,
    }  # fmt: skip
    return column | ({"columnDefault": default} if default is not None else {})
