"""List the tables of a source, for `discover`."""

from tidemark.core.source.catalogue import Found, group_catalogue
from tidemark.core.templates import render
from tidemark.hooks.mysql.connection import (
    SourceError,
    connection_settings,
    explained,
    fetch,
    open_session,
)


def list_tables(conn_id: str, schema: str | None = None) -> list[Found]:
    """Return every table that the connection's user may see, of one schema or of all.

    Raises `SourceError` if it shows none, or refuses, and `TryAgain` when the server is away.
    """
    asked = render("discover_tables.sql", "mysql", schema=schema)
    with open_session(conn_id) as session, explained(conn_id, connection_settings(conn_id)):
        answers = [fetch(session, asked[name]) for name in ("tables", "columns", "indexes")]
    if not answers[0]:
        raise SourceError(
            what=f"connection {conn_id} shows no table"
            + (f" in schema {schema}" if schema else " at all"),
            do="Correct the schema's name, or GRANT SELECT to the user of the connection.",
        )
    return group_catalogue(*answers)
