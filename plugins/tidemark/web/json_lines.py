"""Logs as JSON. Imports next to nothing: a worker needs it before it can say that it lives."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

# What every LogRecord has; the rest was given with `extra`.
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class JsonLines(logging.Formatter):
    """One JSON object a line: ``ts``, ``level``, ``msg``, and what else was said."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        said: dict[str, Any] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "msg": record.getMessage(),
            "worker": record.process,
        }
        said |= {name: value for name, value in vars(record).items() if name not in _PLAIN}
        if record.exc_info and record.exc_info[0]:
            # The type alone: an exception's words may hold what was sent.
            said["error_class"] = record.exc_info[0].__name__
        return json.dumps(said, default=str)
