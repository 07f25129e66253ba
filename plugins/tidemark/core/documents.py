"""Read a configuration text into a frozen value, or say which key of which table is wrong.

Pure: the text and the environment are arguments. ``${NAME}`` takes a variable that must be set and
not empty, ``${NAME:-default}`` one that may be absent; an empty value means "not given".
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from tidemark.core.errors import FixConfiguration

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")

# Each parse of a DAG file reads these texts; libyaml, where it is there, takes a tenth of the time.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Model = TypeVar("Model", bound=BaseModel)


class Frozen(BaseModel):
    """A value that is wrong at the door or never: unknown keys are errors, nothing changes."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


NAME = re.compile(r"[A-Za-z0-9_$]{1,127}")


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError("a name may hold letters, digits, _ and $, 127 at most")
    return value


Name = Annotated[str, AfterValidator(_name)]


def parse_document(text: str, file: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the mapping that `text` holds, with the environment filled in.

    Raises `FixConfiguration`, naming `file`, for what is not YAML, not a mapping, or needs a
    variable that is not set.
    """
    try:
        document = yaml.load(text, _LOADER)  # noqa: S506 - both are safe loaders
    except yaml.YAMLError as error:
        raise FixConfiguration(what=f"{file} is not YAML: {error}", do=f"Mend {file}.") from error
    if not isinstance(document, dict):
        raise FixConfiguration(what=f"{file} holds no mapping", do=f"Mend {file}.")
    if document.pop("version", None) != 1:
        raise FixConfiguration(
            what=f"{file}: version: this release reads version 1", do=f"Write version: 1 in {file}."
        )
    filled = _fill(document, file, "", environ)
    assert isinstance(filled, dict)
    return filled


def _fill(node: Any, file: str, path: str, environ: Mapping[str, str]) -> Any:
    match node:
        case dict():
            return {
                key: _fill(value, file, f"{path}.{key}".lstrip("."), environ)
                for key, value in node.items()
            }
        case list():
            return [_fill(item, file, f"{path}[{i}]", environ) for i, item in enumerate(node)]
        case str() if _VARIABLE.search(node):
            return _VARIABLE.sub(lambda match: _value(match, file, path, environ), node) or None
    return node


def _value(match: re.Match[str], file: str, path: str, environ: Mapping[str, str]) -> str:
    value = environ.get(match["name"], "")
    if value:
        return value
    if match["default"] is None:
        raise FixConfiguration(
            what=f"{file}: {path}: environment variable {match['name']} is not set",
            do=f"Set {match['name']}, or write the value into {file}.",
        )
    return match["default"]


def refuse_unknown(document: Mapping[str, Any], known: set[str], file: str) -> None:
    """Raise `FixConfiguration` for a top-level key that no release knows."""
    unknown = document.keys() - known
    if unknown:
        raise FixConfiguration(
            what=f"{file}: {', '.join(sorted(unknown))}: there is no such setting",
            do=f"Mend {file}.",
        )


def merge_defaults(document: Mapping[str, Any], group: str, file: str) -> dict[str, dict[str, Any]]:
    """Lay each entry of `group` over ``defaults``. Lists are replaced, not joined.

    Raises `FixConfiguration` for other top-level keys and for entries that are no mapping.
    """
    entries = document.get(group)
    if not isinstance(entries, dict) or not entries:
        raise FixConfiguration(
            what=f"{file}: {group}: at least one is needed", do=f"Add one to {file}."
        )
    defaults = document.get("defaults") or {}
    merged = {}
    for name, entry in entries.items():
        if not isinstance(entry, dict | None):
            raise FixConfiguration(
                what=f"{file}: {group}.{name}: expected a mapping", do=f"Mend {file}."
            )
        merged[str(name)] = {**defaults, **(entry or {})}
    return merged


def validate(model: type[Model], values: Mapping[str, Any], file: str, path: str) -> Model:
    """Build `model` from `values`. Raises `FixConfiguration` naming file and wrong keys."""
    given = {key: value for key, value in values.items() if value is not None}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        wrong = "; ".join(
            _place(path, item) + _say(item)
            for item in error.errors(include_url=False, include_input=False)
        )
        raise FixConfiguration(what=f"{file}: {wrong}", do=f"Mend {file}.") from error


def _place(path: str, item: Any) -> str:
    """Which key is wrong; nothing where several keys contradict each other."""
    place = ".".join([path, *map(str, item["loc"])]).strip(".")
    return f"{place}: " if place else ""


def _say(item: Any) -> str:
    if item["type"] == "extra_forbidden":
        return "there is no such setting"
    if item["type"] == "missing":
        return "is missing"
    return str(item["msg"]).removeprefix("Value error, ")
