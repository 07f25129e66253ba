"""JSONPaths: which element of a document goes into which column.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html ("JSONPaths file")
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from localaws.redshift.errors import StatementError
from localaws.redshift.loading.bad_value import BadValue

Step = str | int

_DOT = re.compile(r"\.([^'.\[\]]+)|\[(\d+)\]")
_BRACKET = re.compile(r"\['((?:[^'\\]|\\.)+)'\]|\[(\d+)\]")


def read_paths(body: bytes, columns: int) -> list[tuple[Step, ...]] | None:
    """Return one path for each column; None when the file has another key, which means 'auto'.

    Raises StatementError for a file that is malformed.
    """
    try:
        document = json.loads(body)
    except ValueError as error:
        raise _bad_file("it is not one JSON object") from error
    if not isinstance(document, dict):
        raise _bad_file("it is not one JSON object")
    if "jsonpaths" not in document:
        return None
    paths = document["jsonpaths"]
    if not isinstance(paths, list) or not all(isinstance(path, str) and path for path in paths):
        raise _bad_file("an element is empty or not a string")
    if len(paths) != columns:
        # https://github.com/awslabs/aws-lambda-redshift-loader/issues/32
        raise StatementError(
            "ERROR: Number of jsonpaths and the number of columns should match. JSONPath size: "
            f"{len(paths)}, Number of columns in table or column list: {columns}"
        )
    dotted = [path for path in paths if "." in _BRACKET.sub("", path)]
    bracketed = [path for path in paths if "['" in path]
    if dotted and bracketed:
        raise _bad_file("it mixes bracket notation and dot notation")
    return [_steps(path) for path in paths]


def element(document: Any, path: Sequence[Step]) -> Any:
    """Return what a path leads to; None for a name that is not there. Raises BadValue."""
    found = document
    for step in path:
        if isinstance(step, int):
            if not isinstance(found, list) or step >= len(found):
                # The sentence is the page's; the code is unsourced.
                raise BadValue(1216, "Invalid JSONPath format: Not an array or index out of range.")
            found = found[step]
        elif found is None:
            return None
        elif not isinstance(found, dict):
            # Words of public logs: unsourced by AWS.
            raise BadValue(1216, "Invalid JSONPath format: Member is not an object.")
        else:
            found = found.get(step)
    return found


def _steps(path: str) -> tuple[Step, ...]:
    if not path.startswith("$"):
        raise _bad_file(f"{path} does not start with $")
    pattern = _BRACKET if "['" in path else _DOT
    steps: list[Step] = []
    position = 1
    while position < len(path):
        found = pattern.match(path, position)
        if not found:
            raise _bad_file(f"{path} is not a path to one element")
        steps.append(int(found[2]) if found[2] is not None else found[1])
        position = found.end()
    return tuple(steps)


def _bad_file(why: str) -> StatementError:
    return StatementError(f"ERROR: Invalid JSONPath format: {why}")  # wording unsourced
