"""Who is measured, and the virtualenv that the peers live in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_VENV = _ROOT / ".venv-bench"
_PINNED = _ROOT / "bench" / "requirements.txt"
_INSTALLING_S = 900

OURS, THEIRS = "bench.extraction.ours", "bench.extraction.peers"


@dataclass(frozen=True, slots=True)
class Participant:
    """One way to read.

    :ivar needs: packages of the peers' virtualenv
    :ivar rounds: how often it reads the wide table; slow ones less, for the patience of all
    :ivar everywhere: reads the longer and the narrow table too
    """

    key: str
    name: str
    module: str = THEIRS
    needs: tuple[str, ...] = ()
    rounds: int = 5
    everywhere: bool = False

    @property
    def ours(self) -> bool:
        """Whether it lives in the product's virtualenv."""
        return self.module == OURS

    @property
    def python(self) -> Path:
        """The interpreter that has what it needs."""
        return Path(sys.executable) if self.ours else _VENV / "bin" / "python"

    @property
    def decodes_nothing(self) -> bool:
        """Whether it writes no rows."""
        return self.key == "raw"


PARTICIPANTS = (
    Participant("raw", "raw wire, nothing decoded", OURS, everywhere=True),
    Participant("wire", "tidemark", OURS, everywhere=True),
    Participant("connectorx", "connectorx", needs=("connectorx", "pyarrow"), everywhere=True),
    Participant(
        "polars", "polars.read_database_uri", needs=("connectorx", "polars", "pyarrow"),
        everywhere=True,
    ),
    Participant("dlt-connectorx", "dlt, connectorx", needs=("dlt", "connectorx", "pymysql")),
    Participant("mysqlclient", "mysqlclient + pyarrow", needs=("mysqlclient", "pyarrow")),
    Participant("s3", "tidemark, Airflow to S3", OURS),
    Participant("driver", "tidemark, slow path", OURS, rounds=3),
    Participant("dlt-pyarrow", "dlt, pyarrow", needs=("dlt", "pymysql", "pyarrow"), rounds=3),
    Participant("operator", "SqlToS3Operator (pandas)", OURS, rounds=3),
    Participant("sling", "Sling, into CSV", needs=("sling-linux-amd64",), rounds=3),
)  # fmt: skip


def install(say: Callable[[str], None]) -> None:
    """Fill the peers' virtualenv as far as that succeeds; what is missing shows when it is used.

    If all at once cannot be installed, each participant's packages are tried alone.
    """
    stamp, wanted = _VENV / "installed-from", _PINNED.read_text(encoding="utf-8")
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    say(f"installing what is compared with into {_VENV.name}, about 900 MB")
    why = _call(sys.executable, "-m", "venv", "--clear", str(_VENV))
    if not why:
        why = _install("-r", str(_PINNED))
        for participant in PARTICIPANTS if why else ():
            if participant.needs:
                _install("-c", str(_PINNED), *participant.needs)
    if not why:
        stamp.write_text(wanted, encoding="utf-8")
    else:
        say(f"not everything could be installed: {why}")


def missing(participant: Participant) -> str:
    """Say what a participant lacks; nothing if it can run."""
    if not participant.python.exists():
        return f"not installed: {_VENV.name} is not there (make bench makes it)"
    if not participant.needs:
        return ""
    asking = "import importlib.metadata as m, sys; [m.version(name) for name in sys.argv[1:]]"
    why = _call(str(participant.python), "-c", asking, *participant.needs)
    return f"not installed: {why}" if why else ""


def versions() -> dict[str, str]:
    """Return the pinned version of every package that a participant needs."""
    pins = dict(
        line.split("==", 1)
        for line in _PINNED.read_text(encoding="utf-8").splitlines()
        if "==" in line
    )
    return {name: pins[name] for each in PARTICIPANTS for name in each.needs if name in pins}


def _install(*what: str) -> str:
    # pip reads the pip.conf of those who have a mirror; uv does not, and is ten times as fast.
    python = str(_VENV / "bin" / "python")
    if not _call(sys.executable, "-m", "uv", "pip", "install", "--python", python, *what):
        return ""
    return _call(python, "-m", "pip", "install", *what)


def _call(*command: str) -> str:
    """Run a command; return the last line of what it complains about, nothing if it succeeds."""
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_INSTALLING_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    lines = (ended.stderr or ended.stdout).strip().splitlines() or [f"exit {ended.returncode}"]
    return lines[-1][:200] if ended.returncode else ""
