"""How large the Parquet files of a batch become, so that every slice of a warehouse has work.

COPY gives each slice whole files (it splits a Parquet file only from 128 MB on), so a batch in one
file keeps one slice busy and the others idle. AWS advises about equal files of 1 to 125 MB after
compression, as many as the slices or a multiple:
https://docs.aws.amazon.com/redshift/latest/dg/c_best-practices-use-multiple-files.html

How large a batch becomes is known only when it has been read. So a chunk begins with small files
and lets them grow with what it has written: no file is much more than its slice's share.
"""

from dataclasses import dataclass

LEAST_FILE_BYTES = 4 * 2**20
"""Opening a smaller file costs COPY more than another slice's help saves."""


@dataclass(frozen=True, slots=True)
class FileSizes:
    """Sizes of the files of one chunk, in compressed bytes.

    :param most: no file is planned larger; where it is less than `least`, it counts
    :param chunks: chunks of the batch, each of them about as large as the others
    :param slices: slices of the warehouse, all warehouses considered
    """

    most: int
    chunks: int = 1
    slices: int = 1
    least: int = LEAST_FILE_BYTES

    def next_file(self, written: int) -> int:
        """Return at which size to close the file that begins when `written` bytes are finished."""
        share = written * self.chunks // self.slices
        return min(self.most, max(self.least, share))
