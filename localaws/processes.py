"""Child processes that start in the background, prove their health, and never outlive us.

A `Service` dies with the process that started it, even when that one is killed with SIGKILL: the
kernel sends it a signal through PR_SET_PDEATHSIG, see prctl(2). Three facts to know about that:

* It fires when the *thread* that called `start()` ends, not the process. Call `start()` from a
  thread that lives as long as the service should; the main thread is the safe choice.
* It reaches the child itself, not the child's own children. For a server whose children would go
  on, choose a `death_signal` that makes it end them.
* The kernel forgets it when a process changes its uid, so it is set by setpriv(1) after the change.

setpriv is in util-linux, which every Linux distribution installs. Where it is missing, services
run all the same, but survive a SIGKILL of their parent.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_KEEP_LOG_BYTES = 10 * 1024 * 1024
_TAIL_LINES = 20
_KILL_DEADLINE = 60.0

# A service that runs as another uid must still reach a data directory and a virtualenv that lie
# below a directory only root may enter, such as root's home: it keeps these two capabilities only.
# Containers may lack them; what we do not have we cannot hand on.
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2

_KEEPERS: list[socket.socket] = []
"""Of the ports that `free_port` gave away."""


class ServiceFailed(RuntimeError):
    """A service could not be started, or ended when it should not; the message says what to do."""


class Service:
    """One child process in its own session, with a log file and a health check.

    `healthy` is polled by `wait_healthy()`; it returns True when the service can be used, and False
    or an OSError while it cannot yet. It must not block for longer than a few seconds.
    `deadline` and `stop_deadline` are in seconds. `environment` is the whole environment of the
    child; None inherits ours. `uid` is used only when we are root. `death_signal` is what the
    kernel sends it when we are no more.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        healthy: Callable[[], bool] = lambda: True,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        uid: int | None = None,
        deadline: float = 120.0,
        stop_signal: int = signal.SIGTERM,
        stop_deadline: float = 15.0,
        death_signal: int = signal.SIGKILL,
    ) -> None:
        self.name = name
        self.log = log
        self._command = list(command)
        self._healthy = healthy
        self._environment = environment
        self._cwd = cwd
        self._uid = uid
        self._deadline = deadline
        self._stop_signal = stop_signal
        self._stop_deadline = stop_deadline
        self._death_signal = death_signal
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._log_offset = 0

    def start(self) -> None:
        """Start the process and return at once. A service that has ended may be started again."""
        if self.running:
            return
        self.stop()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _KEEP_LOG_BYTES:
            self.log.replace(self.log.with_name(self.log.name + ".1"))
        with self.log.open("ab") as log:
            self._log_offset = log.tell()
            self._started_at = time.monotonic()
            try:
                self._process = subprocess.Popen(
                    under_our_death(self._command, uid=self._uid, death_signal=self._death_signal),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=None if self._environment is None else dict(self._environment),
                    cwd=self._cwd,
                    start_new_session=True,
                )
            except OSError as error:
                raise ServiceFailed(f"{self.name} could not be started: {error}") from error

    def wait_healthy(self) -> None:
        """Return when the service is healthy; raise ServiceFailed if it ends or takes too long."""
        pause = 0.02
        while True:
            if not self.running:
                raise self.failure()
            try:
                if self._healthy():
                    return
            except OSError:
                pass  # not listening yet
            if time.monotonic() - self._started_at > self._deadline:
                raise ServiceFailed(
                    f"{self.name} was not healthy after {self._deadline:g} s.{self._tail()}"
                )
            time.sleep(pause)
            pause = min(pause * 1.5, 0.25)

    def wait_ended(self) -> None:
        """Wait for a process that does one thing; raise ServiceFailed unless it ends with 0.

        A process that takes longer than its deadline is stopped.
        """
        while self.running:
            if time.monotonic() - self._started_at > self._deadline:
                self.stop()
                raise ServiceFailed(
                    f"{self.name} took longer than {self._deadline:g} s.{self._tail()}"
                )
            time.sleep(0.02)
        if self._reap() != 0:
            raise self.failure()

    def failure(self) -> ServiceFailed:
        """Return the error that says how the process ended and what its log said last."""
        code = self._reap()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return ServiceFailed(f"{self.name} ended with {how}.{self._tail()}")

    @property
    def running(self) -> bool:
        """True while the process itself lives (its health is another question)."""
        if self._process is None or self._process.returncode is not None:
            return False
        # WNOWAIT leaves the zombie, and with it the group id, in place until `stop()`: a group id
        # that was given away could make us signal a stranger.
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._process.pid, flags) is None

    @property
    def pid(self) -> int | None:
        """The process id, or None when it does not run."""
        return self._process.pid if self._process is not None and self.running else None

    def stop(self) -> None:
        """End the whole process group: ask, wait `stop_deadline`, then SIGKILL. May be repeated."""
        if self._process is None or self._process.returncode is not None:
            return
        if self.running:
            self._signal_group(self._stop_signal)
            end = time.monotonic() + self._stop_deadline
            while self.running and time.monotonic() < end:
                time.sleep(0.02)
        self._reap()

    def _reap(self) -> int:
        if self._process is None:
            raise ServiceFailed(f"{self.name} was not started")
        if self._process.returncode is None:
            # Whatever is left of it, or whatever the leader of the group left behind.
            self._signal_group(signal.SIGKILL)
        return self._process.wait(timeout=_KILL_DEADLINE)

    def _signal_group(self, number: int) -> None:
        assert self._process is not None
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            return  # only a zombie is left of it

    def _tail(self) -> str:
        with self.log.open("rb") as log:
            log.seek(self._log_offset)
            lines = log.read().decode(errors="replace").splitlines()[-_TAIL_LINES:]
        if not lines:
            return f" It wrote nothing to its log {self.log}."
        return "\n".join([f" Its log {self.log} ends with:", *(f"  {line}" for line in lines)])


def under_our_death(
    command: Sequence[str], *, uid: int | None = None, death_signal: int = signal.SIGKILL
) -> list[str]:
    """Return `command` so that it dies with our thread, and runs as `uid` if we are root.

    Raises ServiceFailed when another uid is needed and setpriv(1) is not installed.
    """
    program = shutil.which(command[0]) or command[0]
    plain = [program, *command[1:]]
    setpriv = shutil.which("setpriv")
    changes_uid = uid is not None and uid != os.geteuid() and os.geteuid() == 0
    if setpriv is None:
        if changes_uid:
            raise ServiceFailed(
                f"{command[0]} must not run as root and setpriv is missing: install util-linux,"
                " or start the stack as an ordinary user"
            )
        return plain
    prefix = [setpriv, "--pdeathsig", signal.Signals(death_signal).name.removeprefix("SIG")]
    if changes_uid:
        prefix += [f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
        kept = _capabilities_to_keep()
        prefix += [f"--inh-caps={kept}", f"--ambient-caps={kept}"]
        # Without this, access(2) leaves the kept capabilities aside, and PostgreSQL asks access(2)
        # whether its own programs are there.
        prefix += ["--securebits=+no_setuid_fixup"]
    return [*prefix, "--", *plain]


def _capabilities_to_keep() -> str:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    permitted = next(
        int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapPrm:")
    )
    kept = ["-all"]
    if permitted >> _CAP_DAC_OVERRIDE & 1:
        kept.append("+dac_override")
    if permitted >> _CAP_DAC_READ_SEARCH & 1:
        kept.append("+dac_read_search")
    return ",".join(kept)


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do: a connection of the last run in TIME_WAIT is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except OSError:
            return False
        return True


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 on which nobody listens, kept until this process ends.

    A server may be minutes away from listening, and nobody who asks the kernel for a port, or opens
    a connection, shall get this one meanwhile. So a socket that never listens stays bound to it:
    that hinders no server that sets SO_REUSEADDR, as servers do; see socket(7). Where the system
    has it otherwise, the port is free for now, and no more.
    """
    keeper = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keeper.bind(("127.0.0.1", 0))
    port: int = keeper.getsockname()[1]
    if is_free(port):
        _KEEPERS.append(keeper)
    else:
        keeper.close()
    return port


def end_leftovers(directory: Path, program: str) -> None:
    """SIGKILL every process that runs `program` with `directory` as its working directory.

    Call it before a server takes over a data directory of ours, with the lock on our home held.
    The server of a killed stack is dead by then, but one of its own children may not have
    noticed yet. Does nothing where there is no /proc; raises ServiceFailed if one will not die.
    """
    wanted = os.path.realpath(program)
    end = time.monotonic() + _KILL_DEADLINE
    while leftovers := [
        entry
        for entry in Path("/proc").glob("[0-9]*")
        if _link(entry / "cwd") == str(directory.resolve()) and _link(entry / "exe") == wanted
    ]:
        if time.monotonic() > end:
            pids = ", ".join(entry.name for entry in leftovers)
            raise ServiceFailed(f"{directory} is still in use by process {pids}: end it and retry")
        for entry in leftovers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(entry.name), signal.SIGKILL)
        time.sleep(0.05)


def _link(path: Path) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None  # it has just ended, or belongs to somebody else
