"""If these fail: a task of a stopped Airflow goes on writing beside the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from onebox.rest import wait_until
from onebox.sessions import sweep

ROOT = Path(__file__).parents[2]
# Prints the ids of a leader and of a child that left its process group and ignores SIGTERM.
_FAMILY = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child:
    os.setpgid(child, child)
    print(os.getpid(), child, flush=True)
time.sleep(600)
"""
_OWNER = f"""
import signal, subprocess, sys
from onebox.sessions import Sentinel
family = subprocess.Popen([sys.executable, "-c", {_FAMILY!r}], start_new_session=True)
Sentinel().watch(family.pid)
print("watched", flush=True)
signal.pause()
"""


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def test_sweeping_a_session_reaches_every_process_group() -> None:
    family = subprocess.Popen(
        [sys.executable, "-c", _FAMILY], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert family.stdout is not None
    leader, child = map(int, family.stdout.readline().split())
    assert os.getpgid(child) != os.getpgid(leader)
    sweep(leader)
    assert not is_running(leader)
    assert not is_running(child)
    assert family.wait(timeout=60) == -signal.SIGKILL


def test_the_sentinel_sweeps_when_its_owner_is_killed() -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert owner.stdout is not None
    said = {owner.stdout.readline(), owner.stdout.readline()}  # who comes first is anybody's guess
    said.remove("watched\n")
    family = [int(pid) for pid in said.pop().split()]
    assert all(map(is_running, family))
    owner.kill()
    owner.wait(timeout=60)
    wait_until(
        lambda: not any(map(is_running, family)),
        120,
        lambda: f"still running: {[pid for pid in family if is_running(pid)]}",
    )
