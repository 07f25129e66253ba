"""Read MySQL and MariaDB into Arrow, exactly and fast."""

from mysql_arrow.errors import BadValue, BrokenStream, ReadError, Unsupported
from mysql_arrow.reading import Rows, SlowPath, rows

__all__ = ["BadValue", "BrokenStream", "ReadError", "Rows", "SlowPath", "Unsupported", "rows"]
