"""If these fail, one slice of a warehouse loads while the others look on."""

from __future__ import annotations

import pytest
from tidemark.core.source.file_sizes import LEAST_FILE_BYTES, FileSizes

MIB = 2**20


def _files(sizes: FileSizes, total: int) -> list[int]:
    """The files of one chunk with so many bytes, if rows were as fine as dust."""
    files: list[int] = []
    while (rest := total - sum(files)) > 0:
        files.append(min(rest, sizes.next_file(sum(files))))
    return files


def test_a_small_batch_is_one_file() -> None:
    assert _files(FileSizes(64 * MIB, slices=16), 3 * MIB) == [3 * MIB]


@pytest.mark.parametrize("total", [64 * MIB, 100 * MIB, 500 * MIB, 5000 * MIB])
@pytest.mark.parametrize("slices", [2, 4, 16])
def test_every_slice_has_a_file_and_none_has_much_more_than_its_share(
    total: int, slices: int
) -> None:
    files = _files(FileSizes(64 * MIB, slices=slices), total)
    assert len(files) >= slices
    assert max(files) <= max(LEAST_FILE_BYTES, total // slices)


def test_a_chunk_knows_that_others_bring_files_too() -> None:
    alone = _files(FileSizes(64 * MIB, chunks=1, slices=16), 100 * MIB)
    of_many = _files(FileSizes(64 * MIB, chunks=100, slices=16), 100 * MIB)
    assert len(alone) > 16
    assert len(of_many) == 4
    assert of_many[:2] == [4 * MIB, 25 * MIB]


def test_a_file_is_never_larger_than_configured() -> None:
    assert max(_files(FileSizes(64 * MIB, chunks=50, slices=2), 900 * MIB)) == 64 * MIB
    assert set(_files(FileSizes(MIB, slices=2), 8 * MIB)) == {MIB}
