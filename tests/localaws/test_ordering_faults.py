"""A failure here means that an ordered fault cannot be seen, or that nonsense is accepted."""

from __future__ import annotations

from typing import Any

import pytest

from localaws import Endpoints, FaultRefused, clear_faults, inject
from localaws.injecting import faults


def test_faults_of_all_services_are_listed_and_cleared(stack: Endpoints) -> None:
    clear_faults(stack)
    ordered = [
        inject(stack, "s3", "latency", operation="GetObject", seconds=2),
        inject(stack, "sqs", "throttle", probability=0.5, seed=3),
        inject(stack, "redshift-data", "throttle", cluster="secondary"),
    ]
    told = faults(stack)
    assert [fault["id"] for fault in told["faults"]] == [fault.id for fault in ordered]
    assert told["known"].keys() == {"s3", "sqs", "redshift-data"}
    assert clear_faults(stack, "sqs") == 1
    assert clear_faults(stack) == 2
    assert faults(stack)["faults"] == []


@pytest.mark.parametrize(
    ("service", "fault", "what", "said"),
    [
        ("s3", "stale_handle", {}, "it knows: access_denied, "),
        ("s3", "latency", {"cluster": "primary"}, "takes no 'cluster'"),
        ("sqs", "throttle", {"operation": "PutObject"}, "has no operation 'PutObject'"),
        ("ec2", "latency", {}, "there are s3, sqs, redshift-data"),
    ],
)
def test_what_cannot_be_ordered_is_refused_with_what_can(
    stack: Endpoints, service: str, fault: str, what: dict[str, Any], said: str
) -> None:
    with pytest.raises(FaultRefused, match=said):
        inject(stack, service, fault, **what)
