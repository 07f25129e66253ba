"""The rows of a batch, by number: counted through all of its files, in their order."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate

import pyarrow as pa
import pyarrow.parquet as pq

from tidemark.core.loading.isolation import Cuts, Piece
from tidemark.core.storage.batches import StagedFile
from tidemark.hooks.storage.quarantine_store import read_file, sent_rows
from tidemark.hooks.storage.staging_bucket import StagingBucket


class StagedRows:
    """Reads the files of a batch again, one at a time; the last one read stays in memory.

    Raises `FixConfiguration` for a file that is gone, or not what was staged.
    """

    def __init__(self, bucket: StagingBucket, files: Sequence[StagedFile]) -> None:
        self._bucket, self._files = bucket, files
        self._first = [0, *accumulate(file.rows for file in files)]
        self._last: tuple[int, bytes] | None = None

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self._first[-1]

    @cached_property
    def cuts(self) -> Cuts:
        """Where files and row groups begin."""
        groups = []
        for place in range(len(self._files)):
            row = self._first[place]
            for count in _group_rows(self._open(place)):
                groups.append(row)
                row += count
        return Cuts(files=self._first[:-1], groups=groups)

    def named(self, name: str) -> list[Piece]:
        """Return the rows of the file that a warehouse named, perhaps by the start of its name.

        In whatever bucket: a target in another region loads a copy.
        """
        key = name.strip().removeprefix("s3://").partition("/")[2]
        return [
            Piece(self._first[place], self._first[place + 1])
            for place, file in enumerate(self._files)
            if key and file.key.startswith(key)
        ][:1]

    def groups(self) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Yield every row, a row group at a time, and the number of the first."""
        for place in range(len(self._files)):
            row, parquet = self._first[place], self._open(place)
            for number in range(parquet.num_row_groups):
                group = parquet.read_row_group(number).combine_chunks()
                for batch in group.to_batches():
                    yield row, batch
                    row += batch.num_rows

    def read(self, pieces: Sequence[Piece]) -> pa.Table:
        """Return some rows: `pieces` are growing, and apart from each other."""
        parts = self._parts(pieces)
        return pa.concat_tables([self._read(place, parts[place]) for place in sorted(parts)])

    def files(self, pieces: Sequence[Piece], key: Callable[[int], str]) -> tuple[StagedFile, ...]:
        """Return files that hold just these rows: those there are, where they hold no others.

        :param pieces: growing, and apart from each other
        :param key: the key of the new file 0, 1, 2, …; nobody else writes there
        """
        chosen: list[StagedFile] = []
        written = 0
        for place, parts in sorted(self._parts(pieces).items()):
            file = self._files[place]
            if sum(part.rows for part in parts) == file.rows:
                chosen.append(file)
            else:
                chosen.append(sent_rows(self._bucket, key(written), self._read(place, parts)))
                written += 1
        return tuple(chosen)

    def _parts(self, pieces: Sequence[Piece]) -> dict[int, list[Piece]]:
        """Say which rows of which file these are, by their numbers in the file."""
        parts: dict[int, list[Piece]] = {}
        for place, first in enumerate(self._first[:-1]):
            for piece in pieces:
                start, stop = max(piece.start, first), min(piece.stop, self._first[place + 1])
                if start < stop:
                    parts.setdefault(place, []).append(Piece(start - first, stop - first))
        return parts

    def _read(self, place: int, parts: Sequence[Piece]) -> pa.Table:
        parquet, row, tables = self._open(place), 0, []
        for number, count in enumerate(_group_rows(parquet)):
            slices = [
                (max(part.start, row) - row, min(part.stop, row + count) - row) for part in parts
            ]
            if any(start < stop for start, stop in slices):
                group = parquet.read_row_group(number)
                tables += [group.slice(a, b - a) for a, b in slices if a < b]
            row += count
        return pa.concat_tables(tables)

    def _open(self, place: int) -> pq.ParquetFile:
        if self._last is None or self._last[0] != place:
            self._last = None  # the old one goes before the new one comes
            self._last = (place, read_file(self._bucket, self._files[place]))
        return pq.ParquetFile(pa.BufferReader(self._last[1]))


def _group_rows(parquet: pq.ParquetFile) -> list[int]:
    metadata = parquet.metadata
    return [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
