"""Where the processes that the tests start keep their files."""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from localaws import read_endpoints

LENT = "TIDEMARK_TEST_STACK"
"""The environment variable that names the home of a running stack, to be used by a session that
then starts none of its own."""

_WORKER = "PYTEST_XDIST_WORKER"
_USUAL = Path(__file__).parents[2] / ".local" / "test"


def empty_home(purpose: str = "") -> Path:
    """Return a directory that nobody else uses; what an earlier run left there is gone.

    TIDEMARK_TEST_HOME moves it, so that two sessions can run side by side, and each of the
    processes that share a session's tests has one of its own.
    """
    parts = [os.environ.get(_WORKER, ""), purpose]
    usual = Path(os.environ.get("TIDEMARK_TEST_HOME", _USUAL))
    home = usual.with_name("-".join([usual.name, *filter(None, parts)]))
    assert read_endpoints(home) is None, f"a stack already runs in {home}; end it first"
    shutil.rmtree(home, ignore_errors=True)
    return home


def airflow_home() -> Path:
    """Where Airflow in this process keeps its configuration, which its first import writes: of the
    processes that share a session's tests none shall read what another has half written."""
    return _USUAL.with_name("-".join(filter(None, ["airflow", os.environ.get(_WORKER)])))


def numbers() -> Iterator[int]:
    """Count on from a number that makes names new on the stack, also where it is lent and other
    sessions have been there."""
    return itertools.count(1 + (secrets.randbelow(10**6) * 1000 if LENT in os.environ else 0))
