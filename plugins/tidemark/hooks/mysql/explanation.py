"""What a MySQL server or its driver says went wrong, told to whoever acts next."""

import ssl

import pymysql

from tidemark.core.errors import TidemarkError, TryAgain
from tidemark.hooks.mysql.errors import SourceError
from tidemark.hooks.mysql.settings import SourceSettings

# https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html
_NO_ACCESS = {1044, 1045, 1130, 1698, 1820, 1862, 3118, 3955, 4151}
_NO_GRANT = {1142, 1143, 1227, 1370}
_NO_SUCH_NAME = {1049, 1051, 1054, 1146, 1176}
_SYNTAX = 1064
_TIME_LIMIT = {1969, 3024}
_NO_CLEAR_TEXT = 3159


def explanation(
    error: pymysql.MySQLError, conn_id: str, settings: SourceSettings, table: str | None
) -> TidemarkError:
    """Return the error for whoever acts next: someone who mends a name or a grant, or a retry."""
    code, text = code_of(error), str(error.args[-1] if error.args else error)
    where = f"connection {conn_id} ({settings.address})"
    if code in _NO_ACCESS:
        # MariaDB says no more than this, too, to whoever comes without the encryption it demands.
        clear = "" if settings.tls else ", or give it an ssl_mode if the server demands encryption"
        return SourceError(
            what=f"{where} refuses the user {settings.user}: {text}",
            do=f"Correct login and password of {conn_id}{clear}, or create the user on the source.",
            table=table,
        )
    if code == _NO_CLEAR_TEXT:
        return SourceError(
            what=f"{where} accepts encrypted sessions only: {text}",
            do=f"Set ssl_mode in the extra of {conn_id} to REQUIRED, or better VERIFY_IDENTITY.",
            table=table,
        )
    if tls := _tls_failure(error):
        return SourceError(
            what=f"{where} and we cannot agree on encryption: {tls}",
            do=f"Correct ssl and ssl_mode in the extra of {conn_id}: ca is the file of whoever "
            "signed the server's certificate, and host must be a name in that certificate.",
            table=table,
        )
    if code in _NO_GRANT:
        return SourceError(
            what=f"{where} lacks a grant: {text}",
            do=f"GRANT SELECT on the table, PROCESS and REPLICATION CLIENT to {settings.user}: see "
            "docs/sources.md.",
            table=table,
        )
    if code in _NO_SUCH_NAME:
        return SourceError(
            what=f"{where} says: {text}",
            do="Correct the name in tables.yaml, or restore it on the source and clear the "
            "planning task.",
            table=table,
        )
    if code in _TIME_LIMIT:
        return SourceError(
            what=f"{where} ended the query at its time limit: {text}",
            do="Raise the limit (statement_timeout in the connection's extra; the account's or the "
            "server's max_statement_time on MariaDB, max_execution_time on MySQL), or set smaller "
            "chunk_rows.",
            table=table,
        )
    if isinstance(error, pymysql.ProgrammingError | pymysql.NotSupportedError) or code == _SYNTAX:
        return SourceError(
            what=f"{where} does not understand us: {text}",
            do="The source may be too old, or of another kind: report it with its version.",
            table=table,
        )
    return TryAgain(
        what=f"{where} failed: {text} (error {code})",
        do="See that the server runs and that host and port are right; then clear the task.",
        table=table,
    )


def code_of(error: pymysql.MySQLError) -> int:
    """Return the server's or the driver's error number; 0 if there is none."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def _tls_failure(error: pymysql.MySQLError) -> ssl.SSLError | None:
    """Return why the two sides do not agree on encryption; None if that is not what failed."""
    cause = getattr(error, "original_exception", None)
    if isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return None  # hung up in the middle of it, as a server does that is about to stop
    return cause if isinstance(cause, ssl.SSLError) else None
