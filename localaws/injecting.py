"""Order faults from a running stack; what there is to order: `python -m localaws fault known`.

    with inject(endpoints, "s3", "slow_down", operation="PutObject", times=2) as fault:
        ...what must survive it...
    assert fault.hits == 2

The standard library only, so that any test may use it.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from types import TracebackType
from typing import Any

from localaws.endpoints import Endpoints

SERVICES = ("s3", "sqs", "redshift-data")
_PATH = "/_localaws/faults"
_DEADLINE = 60.0
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class FaultRefused(ValueError):
    """The service does not know this fault or option; the message lists what it knows."""


class Injection:
    """A fault that a service has taken on; it ends with the `with` block or with `remove()`."""

    def __init__(self, url: str, taken: dict[str, Any]) -> None:
        self._url = f"{url}{_PATH}/{taken['id']}"
        self.id: str = taken["id"]
        self._last = taken

    @property
    def hits(self) -> int:
        """How many calls it has struck; readable after the end too."""
        return int(self._told()["hits"])

    @property
    def seen(self) -> int:
        """How many calls met its conditions, those spared included, until it was spent."""
        return int(self._told()["seen"])

    def remove(self) -> None:
        """End it and let go what it holds. May be repeated."""
        self._last = call("DELETE", self._url) or self._last

    def __enter__(self) -> Injection:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.remove()

    def _told(self) -> dict[str, Any]:
        self._last = call("GET", self._url) or self._last
        return self._last


def inject(endpoints: Endpoints, service: str, fault: str, **what: Any) -> Injection:
    """Have `service` ("s3", "sqs", "redshift-data") do something wrong from now on.

    `what` are fields of `localaws.faults.Fault`: operation, cluster, match, times, after,
    probability, seed, seconds, status, message. Raises FaultRefused for what it does not know,
    OSError when the service does not answer.
    """
    url = address(endpoints, service)
    taken = call("POST", url + _PATH, {"service": service, "fault": fault, **what})
    assert taken is not None
    return Injection(url, taken)


def faults(endpoints: Endpoints) -> dict[str, Any]:
    """Return all faults of all services (`faults`) and what each service knows (`known`)."""
    every: dict[str, Any] = {"faults": [], "known": {}}
    for url in dict.fromkeys(address(endpoints, service) for service in SERVICES):
        told = call("GET", url + _PATH) or {"faults": [], "known": {}}
        every["faults"] += told["faults"]
        every["known"] |= told["known"]
    return every


def clear_faults(endpoints: Endpoints, service: str = "") -> int:
    """Remove the faults of one service, or of all; return how many there were."""
    removed = 0
    for name in [service] if service else SERVICES:
        told = call("DELETE", f"{address(endpoints, name)}{_PATH}?service={name}")
        removed += told["removed"] if told else 0
    return removed


def address(endpoints: Endpoints, service: str) -> str:
    """Return where the faults of a service are ordered. Raises FaultRefused for an unknown one."""
    if service not in SERVICES:
        raise FaultRefused(f"no service {service!r}: there are {', '.join(SERVICES)}")
    if service == "redshift-data":
        return endpoints.redshift_data_endpoint_url
    return endpoints.aws_endpoint_url


def call(method: str, url: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
    """Return the answer; None for 404. Raises FaultRefused for 400."""
    request = urllib.request.Request(  # noqa: S310 - our own http address
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method=method,
    )
    try:
        with _DIRECT.open(request, timeout=_DEADLINE) as response:
            told: dict[str, Any] = json.load(response)
            return told
    except urllib.error.HTTPError as error:
        said = error.read().decode(errors="replace")
        if error.code == 404:
            return None
        if error.code == 400:
            raise FaultRefused(json.loads(said)["error"]) from None
        raise
