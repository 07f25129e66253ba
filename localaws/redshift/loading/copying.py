"""Run one COPY, inside whatever transaction is open on the session."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from localaws.redshift.engine.postgres_errors import in_redshift_words
from localaws.redshift.errors import LoadError, StatementError
from localaws.redshift.loading.copy_command import Copy, FileFormat
from localaws.redshift.loading.json_load import load_json
from localaws.redshift.loading.load_log import LoadLog
from localaws.redshift.loading.manifest import find_files
from localaws.redshift.loading.parquet_load import load_parquet
from localaws.redshift.loading.store import SourceFile, Store
from localaws.redshift.loading.targets import Target, find_target
from localaws.redshift.loading.text_load import load_text
from localaws.redshift.loading.unload_command import Unload
from localaws.redshift.loading.unloading import unload

if TYPE_CHECKING:
    from localaws.redshift.engine.session import Session

_COLUMN_IN_CONTEXT = re.compile(r"column (\w+)")
_ANALYZE_FROM_ROWS = 1_000
_LOADERS: dict[FileFormat, Callable[..., None]] = {
    "parquet": load_parquet,
    "json": load_json,
    "csv": load_text,
    "text": load_text,
}


@dataclass(frozen=True, slots=True)
class S3Copier:
    """What COPY and UNLOAD need beside a session: S3, and the one role that may be named."""

    store: Store
    iam_role: str
    user_arn: str

    def run(self, plan: Copy, session: Session) -> int:
        """Load every file and return the number of rows.

        Raises StatementError for a file that does not fit; why is then in stl_load_errors.
        """
        connection = session.connection
        try:
            session.lock_for_writing(plan.table)
        except psycopg.errors.UndefinedTable as error:
            # https://github.com/estuary/connectors (materialize-redshift) looks for this text
            name = plan.table.split(".")[-1].strip('"')
            raise StatementError(f"ERROR: Cannot COPY into nonexistent table {name}") from error
        plan.access.require(self.iam_role, self.user_arn)
        target = find_target(plan, connection)
        log = LoadLog(session, "COPY", plan.source, plan.file_format, target.oid, target.name)
        with log.kept():
            try:
                self._load(plan, target, session, log)
            except StatementError as error:
                if error.load_error is not None:
                    log.errors.append(error.load_error)
                raise
        if log.rows >= _ANALYZE_FROM_ROWS and plan.options.get("statupdate", True):
            # COPY updates statistics too: https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-load.html
            connection.execute(f"ANALYZE {plan.table}")
        return log.rows

    def unload(self, plan: Unload, session: Session) -> int:
        """Write the files of an UNLOAD and return the number of rows."""
        plan.access.require(self.iam_role, self.user_arn)
        return unload(plan, session, self.store)

    def _load(self, plan: Copy, target: Target, session: Session, log: LoadLog) -> None:
        files = find_files(self.store, plan)
        try:
            load = _LOADERS[plan.file_format]
            load(plan, target, files, self.store, session, log)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            raise _value_refused(error, files, session.connection.info.backend_pid) from error


def _value_refused(error: psycopg.Error, files: list[SourceFile], pid: int) -> StatementError:
    """Return the failure for a value that only the engine found wrong, such as a zero byte."""
    text = in_redshift_words(error, pid=pid)
    place = _COLUMN_IN_CONTEXT.search(error.diag.context or "")
    # The engine does not know of files: with several, the row does not say which.
    name = files[0].url if len(files) == 1 else files[0].url.rpartition("/")[0] + "/"
    column = place.group(1) if place else ""
    return StatementError(text, load_error=LoadError(name, column, "", "", 1220, text))
