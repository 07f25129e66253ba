"""A failure here leaves orphans that hold ports and data, or a start that hangs in silence."""

import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from localaws.processes import Service, ServiceFailed, end_leftovers, free_port, is_free

ROOT = Path(__file__).parents[2]
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


def eventually(condition: Callable[[], bool], deadline: float = 120.0) -> bool:
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "service.log"


@pytest.fixture
def parent(log: Path) -> Iterator[Service]:
    """A service that starts a child of its own, which ignores SIGTERM, and prints its pid."""
    script = (
        "import subprocess, sys, time;"
        f"child = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]);"
        "print(child.pid, flush=True); time.sleep(600)"
    )
    service = Service("parent", [sys.executable, "-c", script], log=log)
    yield service
    service.stop()


def test_stop_ends_the_children_of_the_service_too(parent: Service) -> None:
    parent.start()
    assert eventually(lambda: parent.log.read_text().strip() != "")
    pid, child = parent.pid, int(parent.log.read_text())
    assert pid is not None
    parent.stop()
    assert eventually(lambda: gone(pid) and gone(child))
    assert not parent.running
    assert parent.pid is None
    parent.stop()  # a second stop finds nothing to do


def test_a_service_that_ignores_the_signal_is_killed_after_its_deadline(log: Path) -> None:
    service = Service("stubborn", [sys.executable, "-c", STUBBORN], log=log, stop_deadline=0.2)
    service.start()
    pid = service.pid
    service.stop()
    assert pid is not None
    assert gone(pid)


def test_a_service_that_ends_tells_its_exit_code_and_its_last_words(log: Path) -> None:
    service = Service(
        "broken", ["sh", "-c", "echo port is taken; exit 3"], log=log, healthy=lambda: False
    )
    service.start()
    with pytest.raises(ServiceFailed, match=r"(?s)broken ended with exit code 3.*port is taken"):
        service.wait_healthy()


def test_a_service_that_ends_without_a_word_is_said_to(log: Path) -> None:
    service = Service("mute", ["sh", "-c", "exit 3"], log=log, healthy=lambda: False)
    service.start()
    with pytest.raises(ServiceFailed, match=f"It wrote nothing to its log {log}"):
        service.wait_healthy()


def test_the_last_words_are_of_this_start_and_twenty_lines_at_most(log: Path) -> None:
    log.parent.mkdir()
    log.write_text("words of an earlier start\n")
    service = Service("broken", ["sh", "-c", "seq 1 30; kill -9 $$"], log=log)
    service.start()
    with pytest.raises(ServiceFailed) as failure:
        service.wait_ended()
    message = str(failure.value)
    assert "ended with signal 9" in message
    assert str(log) in message
    assert "earlier start" not in message
    assert message.split()[-20:] == [str(number) for number in range(11, 31)]


def test_a_service_that_never_gets_healthy_fails_at_the_deadline(log: Path) -> None:
    service = Service("deaf", ["sleep", "600"], log=log, healthy=lambda: False, deadline=0.2)
    service.start()
    try:
        with pytest.raises(ServiceFailed, match="deaf was not healthy after"):
            service.wait_healthy()
        assert service.running  # it is the caller's to stop: its log may be worth a look
    finally:
        service.stop()


def test_a_health_check_may_raise_oserror_until_the_service_listens(log: Path) -> None:
    port = free_port()

    def connects() -> bool:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True

    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    service = Service("web", command, log=log, healthy=connects, cwd=log.parent.parent)
    service.start()
    try:
        service.wait_healthy()
    finally:
        service.stop()


def test_a_service_may_be_started_again_after_a_crash(log: Path) -> None:
    service = Service("sleeper", ["sleep", "600"], log=log)
    service.start()
    first = service.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: not service.running)
    service.start()
    try:
        assert service.running
        assert service.pid != first
    finally:
        service.stop()


@pytest.mark.parametrize("uid", ["None", "pwd.getpwnam('nobody').pw_uid"])
def test_a_service_dies_when_its_owner_is_killed(tmp_path: Path, uid: str) -> None:
    owner = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import pwd, time; from pathlib import Path; from localaws.processes import Service;"
            f"s = Service('s', ['sleep', '600'], log=Path({str(tmp_path / 'log')!r}), uid={uid});"
            "s.start(); print(s.pid, flush=True); time.sleep(600)",
        ],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert owner.stdout is not None
    child = int(owner.stdout.readline())
    assert eventually(lambda: psutil.Process(child).name() == "sleep")  # past setpriv
    owner.kill()
    owner.wait(timeout=120)
    owner.stdout.close()
    assert eventually(lambda: gone(child))


def test_another_uid_still_reaches_what_lies_below_a_private_directory(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    (private / "file").write_text("reached\n")
    nobody = pwd.getpwnam("nobody").pw_uid
    service = Service(
        "reader",
        # test(1) asks access(2), as PostgreSQL does, which looks at more than the capabilities.
        ["sh", "-c", f"id -u; cat {private}/file; test -r {private}/file && echo readable"],
        log=tmp_path / "log",
        uid=nobody,
    )
    service.start()
    service.wait_ended()
    uid = nobody if os.geteuid() == 0 else os.geteuid()
    assert (tmp_path / "log").read_text().split() == [str(uid), "reached", "readable"]


def test_leftovers_are_known_by_program_and_directory(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    theirs.mkdir()
    sleep = "/bin/sleep"
    leftover = subprocess.Popen([sleep, "600"], cwd=ours)
    elsewhere = subprocess.Popen([sleep, "600"], cwd=theirs)
    other_program = subprocess.Popen(["/usr/bin/tail", "-f", os.devnull], cwd=ours)
    try:
        assert eventually(lambda: psutil.Process(leftover.pid).name() == "sleep")
        end_leftovers(ours, sleep)
        assert leftover.wait(timeout=120) == -signal.SIGKILL
        assert elsewhere.poll() is None
        assert other_program.poll() is None
    finally:
        for process in (leftover, elsewhere, other_program):
            process.kill()
            process.wait(timeout=120)


def test_a_free_port_is_kept_for_a_server_and_given_to_nobody_else() -> None:
    port = free_port()
    for _ in range(2):  # a server may be started again
        assert is_free(port)
        with socket.create_server(("127.0.0.1", port)):
            assert not is_free(port)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    # As whoever asks the kernel for any port at all, and would have got this one.
    with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
        stranger.bind(("127.0.0.1", port))
