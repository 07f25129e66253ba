"""If this fails, some order of changes, runs, faults and clears loses, doubles or mixes up rows.

TIDEMARK_SOAK_STEPS sets how many steps are taken (`make soak`); there the schedules are new ones
every time. A schedule that fails is printed step by step.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import Machine
from tests.support.product import Product

_USUAL_STEPS = 2000
_STEPS_EACH = 100  # at most
_STEPS_LEAST = 80  # on the average: Hypothesis ends a schedule that takes too many choices


_STEPS = int(os.environ.get("TIDEMARK_SOAK_STEPS", _USUAL_STEPS))


@pytest.mark.timeout(1800 if _STEPS == _USUAL_STEPS else 0)
def test_every_schedule_ends_well(product: Product) -> None:

    class Driven(Machine):
        pass

    Driven.product = product
    run_state_machine_as_test(
        Driven,
        settings=settings(
            max_examples=-(-_STEPS // _STEPS_LEAST),
            stateful_step_count=_STEPS_EACH,
            deadline=None,
            database=None,
            derandomize=_STEPS == _USUAL_STEPS,
            phases=[Phase.generate],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert Driven.steps >= _STEPS, f"only {Driven.steps} steps"
