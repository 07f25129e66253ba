"""MySQL, S3, SQS and two Redshift clusters on one machine, without Docker: see README.md."""

from localaws.endpoints import Cluster, Endpoints, read_endpoints
from localaws.injecting import FaultRefused, Injection, clear_faults, inject
from localaws.processes import ServiceFailed
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
