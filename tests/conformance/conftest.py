"""Every test here runs against every kind of warehouse; some at every isolation that it knows."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator

import pytest

from localaws import Endpoints
from tests.conformance.houses import LEVELS, House, opened

_ALL = [(kind, level) for kind, levels in LEVELS.items() for level in levels]
_USUAL = [(kind, levels[0]) for kind, levels in LEVELS.items()]


Find = Callable[[str, str], House]


@pytest.fixture(scope="session")
def find_house(stack: Endpoints) -> Iterator[Find]:
    """Opens each when it is first asked for."""
    with contextlib.ExitStack() as open_now:
        yield functools.cache(
            lambda kind, level: open_now.enter_context(opened(stack, kind, level))
        )


@pytest.fixture(params=_USUAL, ids=[" ".join(each) for each in _USUAL])
def house(find_house: Find, request: pytest.FixtureRequest) -> House:
    """Every kind, at its usual isolation."""
    return find_house(*request.param)


@pytest.fixture(params=_ALL, ids=[" ".join(each) for each in _ALL])
def isolated(find_house: Find, request: pytest.FixtureRequest) -> House:
    """Every kind, at every isolation: for what depends on it."""
    return find_house(*request.param)
