"""`python -m mysql_arrow`: compile the loops now, so that no reader waits for it."""

import struct

import numpy as np
import pyarrow as pa

from mysql_arrow import kernels
from mysql_arrow.columns import ColumnDefinition
from mysql_arrow.decoding import Decoder
from mysql_arrow.receiving import Filled

_TIME, _VARCHAR, _UTF8MB4 = 11, 253, 45


def main() -> None:
    """Walk over one packet of one row and decode it. Raises if the row is not what it should be."""
    row = b"\0\0" + b"\0" + b"\1a"  # no NULL; the time 00:00:00; the text "a"
    packet = struct.pack("<I", len(row)) + row
    memory = np.zeros(len(packet) + kernels.PADDING, np.uint8)
    memory[: len(packet)] = np.frombuffer(packet, np.uint8)
    starts, sizes = np.empty((2, 4), np.int32)
    address = memory.ctypes.data
    state, _, _, count = kernels.walk(address, 0, len(packet), 0, starts, sizes, 0)
    columns = [
        ColumnDefinition("t", _TIME, _UTF8MB4, 10, 0, 0),
        ColumnDefinition("v", _VARCHAR, _UTF8MB4, 4, 0, 0),
    ]
    schema = pa.schema([("t", pa.string()), ("v", pa.string())])
    found = Decoder(columns, schema).decode(Filled(memory, starts[:count], sizes[:count]))
    if state != kernels.MORE or found.to_pylist() != [{"t": "00:00:00", "v": "a"}]:
        raise SystemExit(f"mysql_arrow reads nonsense on this machine: {found.to_pylist()}")


if __name__ == "__main__":
    main()
