"""The spool: events on local disk while their queue cannot be reached.

A directory per queue, in it segments that are written to their end, sent from their beginning, and
removed once sent. A segment belongs to the process that holds its lock; the kernel drops the lock
when the process ends in whatever way, and the next one that looks takes the segment over.
"""

import fcntl
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tidemark.core.events.messages import Message, from_line, to_line
from tidemark.core.settings.queues import BATCH_MESSAGES, MESSAGE_BYTES

# The first line says how many bytes of the file are sent, itself included; it is written over.
_HEADER = b"tidemark spool 1 %020d\n"
_START = len(_HEADER % 0)
_SEGMENT_BYTES = 8 * 1024 * 1024
_READ_BYTES = 256 * 1024
_LONGEST_LINE = 4 * MESSAGE_BYTES  # JSON in JSON: each quote and backslash is two
_SUFFIX = ".spool"
_DAMAGED = "damaged.lines"
_REFUSED = "refused.lines"


class SpoolFull(Exception):
    """The spool holds as much as it may; nothing was written."""


@dataclass(slots=True)
class _Segment:
    path: Path
    descriptor: int
    sent: int
    end: int

    @property
    def begun(self) -> float:
        return int(self.path.name.partition("-")[0]) / 1e9


@dataclass(frozen=True, slots=True)
class Spooled:
    """A message in the spool, and where it ends there."""

    message: Message
    segment: _Segment
    position: int


class Spool:
    """The spool of one queue, as one process uses it. Not for several threads at once.

    :param directory: is created; must be on a disk that keeps what it has confirmed
    :param most_bytes: what all processes together may keep there; one more write may exceed it
    """

    def __init__(self, directory: Path, most_bytes: int) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory, self._most_bytes = directory, most_bytes
        self._segments: list[_Segment] = []
        self._writable: _Segment | None = None
        self._numbers = count()
        self.adopt()

    @property
    def holds_any(self) -> bool:
        """Whether this process has events to send."""
        return bool(self._segments)

    @property
    def has_room(self) -> bool:
        """Whether more may be written."""
        return self._kept_bytes() < self._most_bytes

    @property
    def unsent_bytes(self) -> int:
        """How many bytes this process has to send."""
        return sum(segment.end - segment.sent for segment in self._segments)

    @property
    def since(self) -> float | None:
        """When the oldest segment was begun, as Unix time; None where there is none."""
        return min((segment.begun for segment in self._segments), default=None)

    def append(self, messages: Sequence[Message]) -> None:
        """Write messages; when this returns they outlive a crash of the machine.

        Raises `SpoolFull`, or OSError as the disk does; none of the messages counts as kept then.
        """
        data = b"".join(map(to_line, messages))
        if self._kept_bytes() + len(data) > self._most_bytes:
            raise SpoolFull
        segment = self._writable or self._create()
        try:
            _write_all(segment.descriptor, data, segment.end)
            os.fdatasync(segment.descriptor)
        except OSError:
            # What the disk has of it is unknown. Nobody was told that it is kept, and the next
            # write goes to another file.
            self._writable = None
            with suppress(OSError):
                os.ftruncate(segment.descriptor, segment.end)
            raise
        segment.end += len(data)
        if segment.end >= _SEGMENT_BYTES:
            self._writable = None

    def oldest(self) -> list[Spooled]:
        """Return the next messages to send, in the order of their arrival, a call's worth at most.

        A damaged line is set aside in ``damaged.lines`` beside the segments.
        """
        while self._segments:
            if found := self._read(self._segments[0]):
                return found
        return []

    def sent(self, last: Spooled) -> None:
        """Forget the messages that `oldest` returned, up to `last`.

        This is not flushed to disk: after a crash of the machine some are sent again, under the
        same id.
        """
        self._advance(last.segment, last.position)

    def set_aside(self, message: Message) -> None:
        """Keep, in ``refused.lines``, a message that its queue will never take."""
        _append_line(self._directory / _REFUSED, to_line(message))

    def adopt(self) -> int:
        """Take over the segments of processes that are gone. Returns how many."""
        mine = {segment.path for segment in self._segments}
        adopted = 0
        for path in sorted(self._directory.glob(f"*{_SUFFIX}")):
            if path not in mine and (segment := _take(path)):
                self._segments.append(segment)
                adopted += 1
        if adopted:
            self._segments.sort(key=lambda segment: segment.path.name)
        return adopted

    def close(self) -> None:
        """Let go of all segments; what they hold is for the next process."""
        for segment in self._segments:
            os.close(segment.descriptor)
        self._segments, self._writable = [], None

    def _create(self) -> _Segment:
        name = f"{time.time_ns():020d}-{os.getpid()}-{next(self._numbers)}"
        draft = self._directory / f"{name}.draft"
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            os.write(descriptor, _HEADER % _START)
            path = draft.with_suffix(_SUFFIX)  # locked before others can see it
            draft.rename(path)
            _flush_directory(self._directory)
        except OSError:
            os.close(descriptor)
            raise
        segment = _Segment(path, descriptor, _START, _START)
        self._segments.append(segment)
        self._writable = segment
        return segment

    def _read(self, segment: _Segment) -> list[Spooled]:
        """Return the messages before the first damaged line; pass that line if it comes first."""
        found: list[Spooled] = []
        for line in _lines(segment):
            position = (found[-1].position if found else segment.sent) + len(line)
            if (message := from_line(line)) is None:
                if not found:
                    if line.endswith(b"\n"):
                        _append_line(self._directory / _DAMAGED, line)
                    # else cut short by a crash, and nobody was told that it is kept
                    self._advance(segment, position)
                break
            found.append(Spooled(message, segment, position))
        return found

    def _advance(self, segment: _Segment, position: int) -> None:
        segment.sent = position
        if segment.sent < segment.end:
            os.pwrite(segment.descriptor, _HEADER % segment.sent, 0)
            return
        self._segments.remove(segment)
        if self._writable is segment:
            self._writable = None
        segment.path.unlink(missing_ok=True)
        os.close(segment.descriptor)

    def _kept_bytes(self) -> int:
        total = 0
        for path in self._directory.iterdir():
            with suppress(FileNotFoundError):  # another process has just sent it all
                total += path.stat().st_size
        return total


def _take(path: Path) -> _Segment | None:
    """Lock a segment that nobody holds; None for one that is held, gone or no segment."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        status = os.fstat(descriptor)
        header = os.pread(descriptor, _START, 0).split()
        if status.st_nlink and len(header) == 4 and header[3].isdigit():
            sent = min(max(int(header[3]), _START), status.st_size)
            return _Segment(path, descriptor, sent, status.st_size)
    except BlockingIOError:
        pass
    os.close(descriptor)
    return None


def _lines(segment: _Segment) -> list[bytes]:
    """Return the next lines of a segment, one at least; a last one may lack its end."""
    for most in (_READ_BYTES, _LONGEST_LINE):
        length = min(most, segment.end - segment.sent)
        data = os.pread(segment.descriptor, length, segment.sent)
        lines = [line + b"\n" for line in data.split(b"\n", BATCH_MESSAGES)]
        rest = lines.pop()[:-1]
        if lines or length < most:
            break
    return lines or [rest]


def _write_all(descriptor: int, data: bytes, position: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, position)
        view, position = view[written:], position + written


def _append_line(path: Path, line: bytes) -> None:
    with path.open("ab") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
