"""A whole AWS-and-MySQL neighbourhood on one machine, without Docker: see README.md."""

from localaws.endpoints import Cluster, Endpoints, read_endpoints

__all__ = ["Cluster", "Endpoints", "read_endpoints"]
