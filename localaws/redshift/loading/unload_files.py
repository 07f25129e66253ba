"""The files of an UNLOAD while they are written: named, cut at MAXFILESIZE, put into S3.

Names: https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from localaws.redshift.loading.load_log import LoadLog
from localaws.redshift.loading.store import Store
from localaws.redshift.loading.unload_command import Unload
from localaws.redshift.loading.unload_rows import ResultColumn, parquet_type, to_parquet
from localaws.redshift.loading.unload_text import header_line, lines

_PIECE_BYTES = 1024 * 1024
_EXTENSIONS = {"bzip2": ".bz2", "gzip": ".gz", "zstd": ".zst"}
_CODECS = {"bzip2": "bz2", "gzip": "gzip", "zstd": "zstd"}


@dataclass(frozen=True, slots=True)
class Written:
    """One file that is in S3; `size` in bytes."""

    url: str
    rows: int
    size: int


@dataclass(slots=True)
class Output:
    """All files of one slice, or of one slice in one partition: parts 0, 1 …"""

    plan: Unload
    store: Store
    bucket: str
    prefix: str
    number: int
    columns: Sequence[ResultColumn]
    log: LoadLog
    written: list[Written] = field(default_factory=list)
    _local: IO[bytes] | None = None
    _writer: Any = None
    _pending: list[pa.RecordBatch] = field(default_factory=list)
    _rows: int = 0
    _started: Any = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows (texts), beginning a new file where the old one is full."""
        step = max(1, batch.num_rows * _PIECE_BYTES // max(batch.nbytes, 1))
        for start in range(0, batch.num_rows, step):
            piece = batch.slice(start, step)
            if self.plan.file_format == "parquet":
                self._append_rows(piece)
            else:
                self._append_lines(lines(self.plan, piece, self.columns), piece.num_rows)

    def _append_lines(self, data: bytes, rows: int) -> None:
        if self._local is not None and self._local.tell() + len(data) > self.plan.max_bytes:
            self.close()
        if self._local is None:
            self._open()
        self._writer.write(data)
        self._rows += rows

    def _append_rows(self, batch: pa.RecordBatch) -> None:
        if self._local is None:
            self._open()
        arrays = [
            to_parquet(array, column)
            for array, column in zip(batch.columns, self.columns, strict=True)
        ]
        self._pending.append(pa.RecordBatch.from_arrays(arrays, schema=self._schema()))
        self._rows += batch.num_rows
        if sum(each.nbytes for each in self._pending) >= self.plan.row_group_bytes:
            self._end_row_group()
            # Cut at whole row groups: r_UNLOAD, "FORMAT AS PARQUET clause"
            if self._local and self._local.tell() + self.plan.row_group_bytes > self.plan.max_bytes:
                self.close()

    def _end_row_group(self) -> None:
        if self._pending:
            rows = pa.Table.from_batches(self._pending)
            self._writer.write_table(rows, row_group_size=rows.num_rows)
            self._pending.clear()

    def close(self) -> None:
        """Put the open file into S3, if there is one."""
        if self._local is None:
            return
        self._end_row_group()
        self._writer.close()
        self._local.flush()
        size = self._local.seek(0, 2)
        self._local.seek(0)
        key = self.prefix + self._name()
        self.store.write(self.bucket, key, self._local)
        self._local.close()
        url = f"s3://{self.bucket}/{key}"
        self.written.append(Written(url, self._rows, size))
        self.log.file(url, self._rows, size, self._started)
        self._local, self._rows = None, 0

    def _open(self) -> None:
        self._started = self.log.now()
        self._local = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        if self.plan.file_format == "parquet":
            self._writer = pq.ParquetWriter(
                self._local, self._schema(), version="1.0", compression="snappy"
            )
            return
        unclosed = pa.PythonFile(_Unclosed(self._local), "w")
        codec = _CODECS.get(self.plan.compression)
        self._writer = pa.CompressedOutputStream(unclosed, codec) if codec else unclosed
        if "header" in self.plan.flags:
            self._writer.write(header_line(self.plan, self.columns))

    def _schema(self) -> pa.Schema:
        return pa.schema([pa.field(column.name, parquet_type(column)) for column in self.columns])

    def _name(self) -> str:
        extension = self.plan.text("extension", "")
        if extension:
            # "you still have to specify .gz in the extension": r_UNLOAD
            extension = f".{extension.removeprefix('.')}"
        elif self.plan.file_format == "parquet":
            extension = ".parquet"
        else:
            extension = _EXTENSIONS.get(self.plan.compression, "")
        part = len(self.written)
        if "serial" in self.plan.flags:
            return f"{part:03d}{extension}"
        return f"{self.number:04d}_part_{part:02d}{extension}"


class _Unclosed:
    """A file that stays open when its writer closes."""

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        return self._file.write(data)

    def tell(self) -> int:
        return self._file.tell()

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        """Leave the file open: it is read again."""
