"""Ask Tidemark which warehouse is fresh enough. One file, standard library only: copy it.

    client = FreshnessClient("https://airflow.example.com/tidemark", token=…)
    route = client.route("shop.orders", max_lag_seconds=300)
    connection = connections[route.target]                    # yours, by the target's name
    connection.execute(f"SELECT … FROM {route.relation}")
    page.footer = route.banner or f"Data as of {route.as_of:%H:%M} UTC"

After a write of your own, pass its commit time, by the database's clock, as `after`: only a copy
that has it is named. `StaleDataError` says that none will do, and how long to wait.
"""

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

__all__ = ["FreshnessClient", "FreshnessUnavailable", "Route", "StaleDataError"]

Consistency = Literal["strong", "bounded", "eventual"]


class StaleDataError(Exception):
    """No target is fresh enough.

    :param wait_seconds: when one is likely to be; None if nobody knows
    :param on_breach: what the table's budget says to do, e.g. ``display_as_of``
    :param passed_over: why each target was not named
    """

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(answer.get("message", ""))
        self.error: str = answer.get("error", "")
        self.wait_seconds: float | None = answer.get("wait_seconds")
        self.on_breach: str | None = answer.get("on_breach")
        self.passed_over: dict[str, str] = answer.get("passed_over", {})


class FreshnessUnavailable(Exception):
    """Nobody answered, or the answer was no answer: the service, the token, or the table's name.

    :param status: the HTTP status; None if there was none
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Route:
    """Where to read.

    :param relation: ``<schema>.<table>`` there
    :param as_of: the source time up to which it is complete
    :param degraded: whether it is the best there is, not what was asked for
    :param banner: what to show to people; empty while all is well
    :param metadata: source, lag_seconds, consistency and last_updated
    """

    target: str
    relation: str
    as_of: datetime
    lag_seconds: float
    degraded: bool
    banner: str
    metadata: dict[str, Any] = field(default_factory=dict)


class FreshnessClient:
    """Asks the freshness API.

    :param base_url: what comes before ``/freshness``
    :param token: of the standalone service, or an Airflow token
    :param timeout: seconds that an answer may take
    """

    def __init__(self, base_url: str, token: str | None = None, timeout: float = 5.0) -> None:
        if not base_url.startswith(("http://", "https://")):
            raise ValueError(f"not an HTTP address: {base_url}")
        self._base, self._timeout = base_url.rstrip("/"), timeout
        self._headers = {"Accept": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def route(
        self,
        table: str,
        consistency: Consistency = "bounded",
        max_lag_seconds: float | None = None,
        after: datetime | None = None,
    ) -> Route:
        """Return where to read a table now.

        :param max_lag_seconds: the greatest lag that will do; None is what the table's budget says
        :param after: a commit that must be seen; with a time zone
        :raises StaleDataError: no target will do
        :raises FreshnessUnavailable: there was no answer
        """
        if after is not None and after.tzinfo is None:
            raise ValueError("after has no time zone")
        asked = {
            "consistency": consistency,
            "max_lag_seconds": max_lag_seconds,
            "after": after.isoformat() if after else None,
        }
        given = {name: value for name, value in asked.items() if value is not None}
        answer = self._get(
            f"/freshness/{urllib.parse.quote(table, safe='')}/route?{urllib.parse.urlencode(given)}"
        )
        return Route(
            target=answer["target"],
            relation=answer["relation"],
            as_of=datetime.fromisoformat(answer["as_of"]),
            lag_seconds=answer["lag_seconds"],
            degraded=answer["degraded"],
            banner=answer["banner"],
            metadata=answer["_metadata"],
        )

    def table(self, table: str) -> dict[str, Any]:
        """Return how fresh a table is on every target. Raises `FreshnessUnavailable`."""
        found: dict[str, Any] = self._get(f"/freshness/{urllib.parse.quote(table, safe='')}")
        return found["table"]  # type: ignore[no-any-return]

    def overview(self) -> dict[str, Any]:
        """Return how fresh every table is on every target. Raises `FreshnessUnavailable`."""
        return self._get("/freshness")

    def _get(self, path: str) -> dict[str, Any]:
        request = urllib.request.Request(self._base + path, headers=self._headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as response:  # noqa: S310
                return _object(response.read(), response.status)
        except urllib.error.HTTPError as error:
            answer = _object(error.read(), error.code)
            if error.code == 409:
                raise StaleDataError(answer) from None
            said = answer.get("message") or answer.get("detail") or error.reason
            raise FreshnessUnavailable(f"{error.code}: {said}", error.code) from None
        except OSError as error:
            raise FreshnessUnavailable(f"no answer from {self._base}: {error}") from error


def _object(text: bytes, status: int) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise FreshnessUnavailable(f"{status}: not an answer of Tidemark", status)
    return answer
