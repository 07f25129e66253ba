"""Process sessions that leave nothing behind, whatever happens to the one who started them.

Airflow's tasks put themselves in process groups of their own, so killing a component's group misses
them; a session (setsid(2)) is what a whole component shares, and a process cannot leave the one it
was born in without becoming the leader of a new one.

Run as a program, this file is the sentinel. It reads ``+<session>`` and ``-<session>`` lines, and
when its input ends, because its owner closed it or died, it kills what is left of the sessions
that were added and not taken back. Only the standard library is imported: it starts in 20 ms.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

_SWEEP_DEADLINE_S = 60.0


class Sentinel:
    """A small process that outlives us just long enough to sweep the sessions it was told of."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).resolve())],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C in the terminal must not reach it
        )

    def watch(self, session: int) -> None:
        self._tell(f"+{session}")

    def forget(self, session: int) -> None:
        self._tell(f"-{session}")

    def close(self) -> None:
        """Let it sweep what it still watches, and wait for it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=2 * _SWEEP_DEADLINE_S)

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()


def sweep(session: int) -> None:
    """SIGKILL every process of a session, until none is left.

    :raises TimeoutError: some are still there after a minute
    """
    end = time.monotonic() + _SWEEP_DEADLINE_S
    while left := list(_members(session)):
        if time.monotonic() > end:
            raise TimeoutError(f"processes {left} of session {session} do not die")
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue  # it ended by itself
        time.sleep(0.02)


def _members(session: int) -> Iterator[int]:
    """The living processes of a session, from /proc/<pid>/stat (proc(5))."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = Path("/proc", entry, "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # it ended while we looked
        # The second field is the program's name in parentheses and may hold anything.
        state, _parent, _group, its_session = stat.rpartition(")")[2].split()[:4]
        if int(its_session) == session and state not in "ZX":
            yield int(entry)


def _keep_watch(lines: Iterable[str]) -> None:
    watched: set[int] = set()
    for line in lines:
        session = int(line[1:])
        if line.startswith("+"):
            watched.add(session)
        else:
            watched.discard(session)
    for session in watched:
        sweep(session)


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    _keep_watch(sys.stdin)
