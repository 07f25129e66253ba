"""Check a request against the service's own model, as the service's front end does.

The model is the one that ships with botocore. The sentences are those of the AWS request validator.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from botocore.model import Shape
from botocore.session import Session

from localaws.redshift.errors import invalid

_MODEL = Session().get_service_model("redshift-data")

OPERATIONS = frozenset(_MODEL.operation_names)
TARGET_PREFIX = str(_MODEL.metadata["targetPrefix"])

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "long": (int,), "boolean": (bool,), "list": (list,),
    "structure": (dict,), "double": (int, float), "timestamp": (int, float), "blob": (str,),
}  # fmt: skip


def check_request(operation: str, request: dict[str, Any]) -> None:
    """Raise ValidationException, naming every member that breaks the model."""
    shape = _MODEL.operation_model(operation).input_shape
    problems = list(_problems(shape, request, ""))
    if problems:
        many = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise invalid(many + "; ".join(problems))


def _problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if not _has_type(value, shape.type_name):
        yield _broken(value, path, f"Member must be of type {shape.type_name}")
        return
    match shape.type_name:
        case "structure":
            for name in shape.required_members:
                if value.get(name) is None:
                    yield _broken(None, _join(path, name), "Member must not be null")
            for name, member in value.items():
                if name not in shape.members:
                    yield f"localaws does not know the member '{_join(path, name)}'"
                elif member is not None:
                    yield from _problems(shape.members[name], member, _join(path, name))
        case "list":
            yield from _bounds(shape, len(value), value, path, "length")
            for index, member in enumerate(value, start=1):
                yield from _problems(shape.member, member, f"{path}.{index}.member")
        case "string":
            yield from _bounds(shape, len(value), value, path, "length")
            pattern = shape.metadata.get("pattern")
            if pattern and not re.fullmatch(pattern, value):
                yield _broken(
                    value, path, f"Member must satisfy regular expression pattern: {pattern}"
                )
            allowed = shape.metadata.get("enum")
            if allowed and value not in allowed:
                yield _broken(
                    value, path, f"Member must satisfy enum value set: [{', '.join(allowed)}]"
                )
        case "integer" | "long":
            yield from _bounds(shape, value, value, path, "value")


def _has_type(value: Any, type_name: str) -> bool:
    if isinstance(value, bool):
        return type_name == "boolean"
    return isinstance(value, _PYTHON_TYPES[type_name])


def _bounds(shape: Shape, size: int, value: Any, path: str, what: str) -> Iterator[str]:
    lowest, highest = shape.metadata.get("min"), shape.metadata.get("max")
    have = "have length" if what == "length" else "have value"
    if lowest is not None and size < lowest:
        yield _broken(value, path, f"Member must {have} greater than or equal to {lowest}")
    if highest is not None and size > highest:
        yield _broken(value, path, f"Member must {have} less than or equal to {highest}")


def _join(path: str, name: str) -> str:
    name = name[0].lower() + name[1:]
    return f"{path}.{name}" if path else name


def _broken(value: Any, path: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"
