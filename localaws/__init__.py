"""MySQL, S3, SQS and two Redshift clusters on one machine, without Docker: see README.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localaws.endpoints import Cluster, Endpoints, read_endpoints
from localaws.injecting import FaultRefused, Injection, clear_faults, inject
from localaws.processes import ServiceFailed

if TYPE_CHECKING:
    from localaws.stack import AlreadyRunning, Stack

__all__ = [
    "AlreadyRunning",
    "Cluster",
    "Endpoints",
    "FaultRefused",
    "Injection",
    "ServiceFailed",
    "Stack",
    "clear_faults",
    "inject",
    "read_endpoints",
]


def __getattr__(name: str) -> Any:
    # Not before somebody asks: the stack brings two database drivers, and every service of it
    # imports this package too.
    if name in ("AlreadyRunning", "Stack"):
        from localaws import stack

        return getattr(stack, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
