"""JSON over HTTP with Airflow's habits: pages by limit and offset, errors with a reason."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx

_READ_ATTEMPTS = 4
_POLL_S = 0.25
_POLL_MOST_S = 0.5
_PAGE = 100  # Airflow's own upper bound: [api] maximum_page_limit


class Refused(RuntimeError):
    """The server answered with an error. The message holds request, status and reason."""

    def __init__(self, request: str, status: int, reason: str) -> None:
        self.status = status
        super().__init__(f"{request}: HTTP {status}: {reason[:2000]}")


class NotInTime(TimeoutError):
    """Something that was waited for did not come. The message says what was there instead."""


class Rest:
    """One server. Safe to share between threads.

    :param url: what every path is appended to
    :param timeout: seconds that one request may take
    """

    def __init__(self, url: str, *, timeout: float) -> None:
        self._http = httpx.Client(base_url=url, timeout=timeout, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def ask(self, path: str, *, timeout: float) -> Any:
        """GET, once.

        :raises Refused: the server answers with an error
        :raises httpx.TransportError: there is no answer
        """
        return _decoded(self._http.get(path, timeout=timeout))

    def read(self, path: str, **query: Any) -> Any:
        """GET, again after a broken connection or a server error: reading changes nothing."""
        for attempt in range(1, _READ_ATTEMPTS):
            try:
                answer = self._http.get(path, params=query)
            except httpx.TransportError:
                pass
            else:
                if not answer.is_server_error:
                    return _decoded(answer)
            time.sleep(random.uniform(0.1, 0.3) * 2**attempt)  # noqa: S311 (jitter, not a secret)
        return _decoded(self._http.get(path, params=query))

    def write(self, verb: str, path: str, body: Mapping[str, Any]) -> Any:
        """Sent once: nobody knows whether a request without an answer was carried out."""
        return _decoded(self._http.request(verb, path, json=body))

    def pages(self, path: str, rows: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every row of a list that comes in pages, under the key ``rows`` of each page."""
        offset = 0
        while True:
            page = self.read(path, limit=_PAGE, offset=offset, **query)[rows]
            yield from page
            if len(page) < _PAGE:
                return
            offset += _PAGE


def wait_until(done: Callable[[], bool], deadline: float, instead: Callable[[], str]) -> None:
    """Poll ``done`` for ``deadline`` seconds. After five of them it is asked more rarely: an
    answer takes whoever gives it time, and what takes long may be known a twentieth later.

    :param instead: says, when the time is up, what was there instead
    :raises NotInTime: the time is up
    """
    began = time.monotonic()
    while not done():
        waited = time.monotonic() - began
        if waited > deadline:
            raise NotInTime(f"after {deadline:.0f} s {instead()}")
        time.sleep(min(_POLL_MOST_S, max(_POLL_S, waited / 20)))


def _decoded(answer: httpx.Response) -> Any:
    if answer.is_error:
        request = f"{answer.request.method} {answer.request.url.path}"
        raise Refused(request, answer.status_code, answer.text)
    return answer.json() if answer.content else None
