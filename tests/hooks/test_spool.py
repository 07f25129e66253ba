"""Failing here, an event that was answered 2xx is lost, or sent for ever."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tidemark.core.events.messages import Message, to_line
from tidemark.hooks.queues.spool import Spool, SpoolFull

ROOM = 1_000_000_000


def messages(first: int, last: int, size: int = 10) -> list[Message]:
    return [
        Message(str(number), "2026-11-22T10:00:00.000Z", "x" * size)
        for number in range(first, last)
    ]


def drained(spool: Spool) -> list[str]:
    ids = []
    while found := spool.oldest():
        ids += [each.message.id for each in found]
        spool.sent(found[-1])
    return ids


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def spool(directory: Path) -> Iterator[Spool]:
    spool = Spool(directory, ROOM)
    yield spool
    spool.close()


def test_first_in_first_out_and_nothing_left(spool: Spool, directory: Path) -> None:
    spool.append(messages(0, 25))
    spool.append(messages(25, 30))
    assert drained(spool) == [str(number) for number in range(30)]
    assert list(directory.iterdir()) == []
    assert spool.unsent_bytes == 0
    assert spool.oldest() == []


def test_what_is_not_yet_sent_is_returned_again(spool: Spool) -> None:
    spool.append(messages(0, 5))
    assert [each.message.id for each in spool.oldest()] == list("01234")
    spool.sent(spool.oldest()[2])
    assert [each.message.id for each in spool.oldest()] == list("34")


def test_large_events_and_many_segments(spool: Spool) -> None:
    quotes = Message("q", "2026-11-22T10:00:00.000Z", '"' * 1_000_000)  # twice as long in JSON
    spool.append([quotes])
    for number in range(30):
        spool.append(messages(number, number + 1, 400_000))
    assert drained(spool) == ["q", *map(str, range(30))]


def test_full_is_full_for_all_processes_together(directory: Path) -> None:
    ours, theirs = Spool(directory, 2_000), Spool(directory, 2_000)
    theirs.append(messages(0, 20))
    with pytest.raises(SpoolFull):
        ours.append(messages(20, 40))
    assert drained(ours) == []
    assert len(drained(theirs)) == 20
    ours.append(messages(20, 40))
    assert len(drained(ours)) == 20


def test_a_segment_has_one_owner_until_that_is_gone(directory: Path) -> None:
    first, second = Spool(directory, ROOM), Spool(directory, ROOM)
    first.append(messages(0, 5))
    assert second.adopt() == 0
    assert second.oldest() == []
    first.close()
    assert second.adopt() == 1
    assert drained(second) == list("01234")


def test_a_killed_owner_leaves_all_that_it_had_confirmed(directory: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from tidemark.core.events.messages import Message
from tidemark.hooks.queues.spool import Spool
spool = Spool(Path(sys.argv[1]), 10**9)
for number in range(20):
    spool.append([Message(str(number), "2026-11-22T10:00:00.000Z", "{}")])
spool.sent(spool.oldest()[4])
print(flush=True)
sys.stdin.read()
"""
    writer = subprocess.Popen(
        [sys.executable, "-c", script, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": "plugins"},
        cwd=Path(__file__).parents[2],
    )
    assert writer.stdout is not None
    assert writer.stdout.readline()
    after = Spool(directory, ROOM)
    assert after.oldest() == []
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert after.adopt() == 1
    assert drained(after) == [str(number) for number in range(5, 20)]


def test_a_line_cut_short_by_a_crash_was_never_confirmed(spool: Spool, directory: Path) -> None:
    spool.append(messages(0, 3))
    spool.close()
    (segment,) = directory.iterdir()
    with segment.open("ab") as file:
        file.write(to_line(messages(3, 4)[0])[:-5])
    after = Spool(directory, ROOM)
    assert drained(after) == list("012")
    assert list(directory.iterdir()) == []


def test_a_damaged_line_is_set_aside_and_stops_nobody(spool: Spool, directory: Path) -> None:
    spool.append(messages(0, 3))
    spool.close()
    (segment,) = directory.iterdir()
    content = segment.read_bytes()
    damaged = to_line(messages(1, 2)[0])
    segment.write_bytes(content.replace(damaged, damaged.replace(b'"1"', b'"\r"')))
    after = Spool(directory, ROOM)
    assert drained(after) == ["0", "2"]
    assert (directory / "damaged.lines").read_bytes() == damaged.replace(b'"1"', b'"\r"')


def test_a_write_that_failed_is_not_half_kept(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.append(messages(0, 2))

    def broken(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", broken)  # the operating system's, not ours
        with pytest.raises(OSError, match="Input/output"):
            spool.append(messages(2, 4))
    spool.append(messages(4, 6))
    assert drained(spool) == list("0145")
