"""What can go wrong while reading, beside the driver's own errors.

ReadError          the rows cannot be had this way
    Unsupported        a column, a connection or a server that this reader does not know
    BrokenStream       bytes that are no MySQL rows: never taken for values
    BadValue           a value that its column cannot hold, with the row that it stands in
"""

from collections.abc import Mapping
from typing import Any


class ReadError(Exception):
    """The rows cannot be had this way."""


class Unsupported(ReadError):
    """A column, a connection or a server that this reader does not know."""


class BrokenStream(ReadError):
    """The server's bytes are not the rows they should be. No row of them was given out."""


class BadValue(ReadError):
    """A value that its column cannot hold.

    :param column: its name
    :param row: the row's other values, as far as they could be read
    """

    def __init__(self, column: str, why: str, row: Mapping[str, Any]) -> None:
        super().__init__(f"{column}: {why}")
        self.column, self.why, self.row = column, why, row
