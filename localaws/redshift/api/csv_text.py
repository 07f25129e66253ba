"""Results as CSV, as GetStatementResultV2 hands them out.

https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-calling-cli-get-statement-result.html
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

# "Results returned in CSV format are returned in 1 MB" (the page above).
MAX_BYTES = 1024 * 1024


class CsvText:
    """One chunk: the names first, then rows, each ending in CR LF.

    How the service writes NULL (here: nothing) and Booleans (here: true, false) is unsourced.
    """

    def __init__(self, names: Sequence[str] | None) -> None:
        self._lines: list[str] = []
        self._size = 0
        self._has_rows = False
        if names is not None:
            self._keep(_lines([names]))

    @property
    def value(self) -> str:
        """The text so far."""
        return "".join(self._lines)

    def add(self, rows: Sequence[Sequence[dict[str, Any]]]) -> bool:
        """Write these rows if they fit, all of them; a chunk without rows takes any."""
        text = _lines([_value(field) for field in row] for row in rows)
        if self._has_rows and self._size + len(text.encode()) > MAX_BYTES:
            return False
        self._keep(text)
        self._has_rows = True
        return True

    def _keep(self, text: str) -> None:
        self._lines.append(text)
        self._size += len(text.encode())


def _lines(rows: Any) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _value(field: dict[str, Any]) -> str:
    if "isNull" in field:
        return ""
    (value,) = field.values()
    return str(value).lower() if isinstance(value, bool) else str(value)
