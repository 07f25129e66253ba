"""Which requests a rule of the gate means, and what the gate has seen."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Literal

S3 = "s3"
DATA_API = "redshift-data"


@dataclass(slots=True)
class Request:
    """One request that passed the gate; `status` is 0 until something was answered.

    :param operation: the HTTP method for S3, the name of the call for the Data API
    :param target: path and query, still quoted
    :param body: as text, when it was small enough to be read; a call that asks about a statement
        has the body with which that was submitted behind its own
    :param cluster: the cluster that the call, or the statement it asks about, belongs to
    :param caller: address of the client's end of the connection
    :param statement: the id that the Data API gave it
    """

    service: str
    operation: str
    target: str
    body: str
    cluster: str
    caller: tuple[str, int]
    status: int = 0
    statement: str = ""
    at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Pattern:
    """Requests of one service; the texts are regular expressions that must be found.

    `operation` must match whole.
    """

    service: Literal["s3", "redshift-data"]
    operation: str = ".*"
    target: str = ""
    body: str = ""
    cluster: str = ""

    def matches(self, request: Request) -> bool:
        return (
            request.service == self.service
            and re.fullmatch(self.operation, request.operation) is not None
            and re.search(self.target, request.target) is not None
            and re.search(self.body, request.body) is not None
            and (not self.cluster or self.cluster == request.cluster)
        )


@dataclass(frozen=True, slots=True)
class Touching:
    """Every request that has to do with one table."""

    table: str

    def matches(self, request: Request) -> bool:
        return self.table in request.target or self.table in request.body


def s3(method: str = ".*", target: str = "", body: str = "") -> Pattern:
    """Requests to S3, by HTTP method, path and small body."""
    return Pattern(S3, method, target, body)


def data_api(operation: str = ".*", body: str = "", cluster: str = "") -> Pattern:
    """Calls of the Data API, by name, JSON body (statements, names) and cluster."""
    return Pattern(DATA_API, operation, body=body, cluster=cluster)
