"""Load CSV and delimited text."""

from __future__ import annotations

import bz2
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, cast

import pyarrow as pa

from localaws.redshift.errors import StatementError
from localaws.redshift.loading.bad_value import delimiter_not_found, extra_columns
from localaws.redshift.loading.copy_command import Copy
from localaws.redshift.loading.load_log import LoadLog
from localaws.redshift.loading.row_load import RowLoad
from localaws.redshift.loading.store import SourceFile, Store
from localaws.redshift.loading.targets import Target, TargetColumn
from localaws.redshift.loading.text_records import RecordReader

if TYPE_CHECKING:
    from localaws.redshift.engine.session import Session

_CODECS = {"utf8": "utf-8", "utf16": "utf-16", "utf16le": "utf-16-le", "utf16be": "utf-16-be"}


def load_text(
    plan: Copy,
    target: Target,
    files: Sequence[SourceFile],
    store: Store,
    session: Session,
    log: LoadLog,
) -> None:
    """Load every file, in order; bad records are counted against MAXERROR.

    Raises StatementError when there are too many, or for a file that cannot be read at all.
    """
    load = RowLoad(plan, target, session, log)
    reader = RecordReader(plan.options)
    for file in files:
        started, before = log.now(), load.loaded
        with opened_text(plan, store, file) as lines:
            for record in reader.records(lines):
                if record.bad is not None:
                    load.reject(file, record.line, record.raw, record.bad)
                    continue
                values = _as_wide_as(target.columns, plan, record.fields)
                if values is None:
                    few = len(record.fields) < len(target.columns)
                    bad = delimiter_not_found() if few else extra_columns()
                    load.reject(file, record.line, record.raw, bad)
                    continue
                load.add(file, record.line, record.raw, values)
        load.flush()
        log.file(file.url, load.loaded - before, file.size, started)


def _as_wide_as(
    columns: Sequence[TargetColumn], plan: Copy, fields: tuple[str | None, ...]
) -> tuple[str | None, ...] | None:
    """Return the fields, one for each column; None when there are too few or too many."""
    surplus = len(fields) - len(columns)
    if surplus == 1 and not fields[-1] and "csv" not in plan.options:
        # "This field can be a delimiter", the last one of a record:
        # https://docs.aws.amazon.com/redshift/latest/dg/t_preparing-input-data.html
        return fields[:-1]
    if surplus < 0 and "fillrecord" in plan.options:
        # A missing VARCHAR is empty, everything else is NULL: FILLRECORD
        rest = ("" if column.type_name == "varchar" else None for column in columns[len(fields) :])
        return (*fields, *rest)
    return fields if surplus == 0 else None


@contextmanager
def opened_text(plan: Copy, store: Store, file: SourceFile) -> Iterator[IO[str]]:
    """Lend the file's lines; bytes that are not UTF-8 come as lone surrogates.

    Raises StatementError for a file that is not compressed or encoded as the COPY says.
    """
    codec = _CODECS[str(plan.options.get("encoding", "utf8"))]
    errors = "surrogateescape" if codec == "utf-8" else "strict"
    try:
        with store.opened(file) as local, _decompressed(plan, local) as body:
            yield io.TextIOWrapper(body, codec, errors, newline="\n")
    except (zlib.error, gzip.BadGzipFile, EOFError, pa.ArrowInvalid, pa.ArrowException) as error:
        # Wording unsourced.
        raise StatementError(f"ERROR: failed to inflate {file.url}: {error}") from error
    except UnicodeError as error:
        # 1221, "The file is encoded differently than specified"; wording unsourced
        raise StatementError(f"ERROR: {file.url} is not encoded in {codec}: {error}") from error


def _decompressed(plan: Copy, body: IO[bytes]) -> IO[bytes]:
    if "gzip" in plan.options:
        return cast("IO[bytes]", gzip.GzipFile(fileobj=body))
    if "bzip2" in plan.options:
        return cast("IO[bytes]", bz2.BZ2File(body))
    if "zstd" in plan.options:
        return cast("IO[bytes]", pa.CompressedInputStream(pa.PythonFile(body, "r"), "zstd"))
    return body
