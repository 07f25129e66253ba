"""docker-compose.yaml, Dockerfile, .dockerignore and .env.example as values, for their tests.

Reads what these files use, not all that their formats allow; what it does not know it refuses.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]

# ${NAME}, ${NAME:-default}, ${NAME:?error}; $$ is a dollar.
REFERENCE = re.compile(r"(?<!\$)\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<text>[^}]*))?\}")
_SETTING = re.compile(r"(?P<off># )?(?P<name>[A-Z_][A-Z0-9_]*)=(?P<value>.*)")


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the Dockerfile.

    :param copied: path in the image -> path in the project, in the order of the file
    """

    name: str
    base: str
    copied: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of .env.example.

    :param off: whether it is commented out
    :param explained: whether words stand above it, or above the settings directly before it
    """

    name: str
    value: str
    off: bool
    explained: bool


def compose() -> dict[str, Any]:
    """The compose file, anchors merged, references left as they are."""
    document: dict[str, Any] = yaml.safe_load(_read("docker-compose.yaml"))
    return document


def services() -> dict[str, dict[str, Any]]:
    """The compose file's services by name."""
    found: dict[str, dict[str, Any]] = compose()["services"]
    assert found
    return found


def words(command: str | list[str]) -> list[str]:
    """A command as the list that Compose makes of it."""
    return shlex.split(command) if isinstance(command, str) else command


def stages() -> dict[str, Stage]:
    """The Dockerfile's stages by name, each with what the stages before it have copied."""
    found: dict[str, Stage] = {}
    stage = None
    for line in re.sub(r"\\\n", " ", _read("Dockerfile")).splitlines():
        match line.split():
            case ["FROM", base, "AS", name]:
                inherited = found[base].copied if base in found else {}
                stage = found[name] = Stage(name, base, dict(inherited))
            case ["COPY", *rest] if stage is not None:
                *sources, target = (word for word in rest if not word.startswith("--"))
                for source in sources:
                    into = target + Path(source).name if target.endswith("/") else target
                    stage.copied[into] = source
            case ["RUN" | "ENV" | "USER" | "WORKDIR", *_] if stage is not None:
                pass
            case [] | ["#", *_]:
                pass
            case _:
                raise AssertionError(f"Dockerfile: {line}: not known here")
    assert found
    return found


def sent_to_the_builder(path: str) -> bool:
    """Whether .dockerignore lets a path of the project through; its last matching line decides."""
    sent = True
    for line in _read(".dockerignore").splitlines():
        if line and not line.startswith("#"):
            pattern = line.removeprefix("!").removeprefix("**/")
            parts = Path(path).parts if "**/" in line else Path(path).parts[:1]
            if any(fnmatch(part, pattern) for part in parts):
                sent = line.startswith("!")
    return sent


def example() -> list[Setting]:
    """The settings of .env.example, on and off."""
    found: list[Setting] = []
    explained = False
    for line in _read(".env.example").splitlines():
        if match := _SETTING.fullmatch(line):
            off = match["off"] is not None
            found.append(Setting(match["name"], match["value"], off, explained))
        elif line.startswith("#"):
            explained = explained or not line.startswith("# ----")
        elif not line:
            explained = False
        else:
            raise AssertionError(f".env.example: {line}: neither a comment nor a setting")
    assert found
    return found


def pins(path: str) -> dict[str, str]:
    """Package -> version, of a lock."""
    found = dict(re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", _read(path), flags=re.MULTILINE))
    assert found
    return found


def _read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")
