"""Compile a function once for all processes, wherever the package is installed.

numba keeps what it compiled beside the source, else in the user's cache directory, and refuses to
work where it may write to neither: a read-only installation, a user without a home. There a
private directory below the temporary one is used. `NUMBA_CACHE_DIR` comes before all of these.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

Function = Callable[..., Any]
_config: Any = numba.config


def compiled(function: Function) -> Any:
    """Return the function, to be compiled at its first call; runs without the GIL."""
    return _compiled(function)


def inlined(function: Function) -> Any:
    """Return a function for other compiled ones, which take it in as if it stood there."""
    return _compiled(function, inline="always")


def _compiled(function: Function, **more: str) -> Any:
    settings: dict[str, Any] = {"nogil": True, "error_model": "numpy", **more}
    try:
        return numba.njit(cache=True, **settings)(function)
    except RuntimeError:  # nowhere to keep it
        directory = private_directory(Path(tempfile.gettempdir()))
        if directory is None:
            return numba.njit(**settings)(function)  # every process compiles for itself
    kept, _config.CACHE_DIR = _config.CACHE_DIR, str(directory)
    try:
        return numba.njit(cache=True, **settings)(function)
    finally:
        _config.CACHE_DIR = kept


def private_directory(below: Path) -> Path | None:
    """Return a directory that nobody else can write to: what lies in a cache is executed.

    None if there is none and none can be made.
    """
    directory = below / f"mysql_arrow-{os.getuid()}"
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        found = directory.lstat()
    except OSError:
        return None
    # A directory, ours, closed to all others: S_IFDIR with the permissions rwx------.
    ours = found.st_uid == os.getuid() and found.st_mode == 0o40700
    return directory if ours else None
