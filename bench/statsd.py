"""A StatsD server that keeps what it is sent."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_MARK, _END = b"mark", b"end"
_DEADLINE_S = 60.0


@dataclass(frozen=True)
class Sent:
    """One line: ``airflow.tidemark.rows_merged,table=s.a:3|c``.

    :param at: when it arrived, by `time.monotonic`
    """

    name: str
    tags: dict[str, str]
    value: float
    kind: str
    at: float


class Statsd:
    """What has arrived. A thread takes it at once: a socket holds some hundred lines only."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self._sent: list[Sent] = []
        self._marks: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._taking = threading.Thread(target=self._take, daemon=True)
        self._taking.start()

    @property
    def settings(self) -> Mapping[str, str]:
        """The environment of an Airflow that sends its metrics here."""
        return {
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(self._server.getsockname()[1]),
            "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True",
        }

    @property
    def sent(self) -> list[Sent]:
        """All that was sent before: lines arrive in the order in which they are sent."""
        self._send(_MARK)
        self._marks.get(timeout=_DEADLINE_S)
        return self._sent

    def end(self) -> None:
        self._send(_END)
        self._taking.join(_DEADLINE_S)

    def _send(self, mark: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(mark, self._server.getsockname())

    def _take(self) -> None:
        while (data := self._server.recv(65_535)) != _END:
            if data == _MARK:
                self._marks.put(None)
            else:
                self._sent += map(_parse, data.decode().splitlines())

    def of(self, name: str, **tags: str) -> list[Sent]:
        """What was sent under a name with these tags among its tags."""
        return [s for s in self.sent if s.name == name and tags.items() <= s.tags.items()]

    def sum(self, name: str, **tags: str) -> float:
        return sum(each.value for each in self.of(name, **tags))

    def last(self, name: str, **tags: str) -> float:
        return self.of(name, **tags)[-1].value


@contextlib.contextmanager
def receiving() -> Iterator[Statsd]:
    """Lend a server on a free port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 2**20)
        server.bind(("127.0.0.1", 0))
        statsd = Statsd(server)
        try:
            yield statsd
        finally:
            statsd.end()


def _parse(line: str) -> Sent:
    bucket, value, kind = line.replace("|", ":").split(":")[:3]
    name, *tags = bucket.split(",")
    named = dict(tag.split("=", 1) for tag in tags)
    return Sent(name.removeprefix("airflow."), named, float(value), kind, time.monotonic())
