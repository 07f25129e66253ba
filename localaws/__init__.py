"""MySQL, S3, SQS and two Redshift clusters on one machine, without Docker: see README.md."""

from localaws.endpoints import Cluster, Endpoints, read_endpoints
from localaws.processes import ServiceFailed
from localaws.stack import AlreadyRunning, Stack

__all__ = ["AlreadyRunning", "Cluster", "Endpoints", "ServiceFailed", "Stack", "read_endpoints"]
