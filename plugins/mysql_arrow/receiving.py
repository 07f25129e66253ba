"""A thread that receives row packets into large buffers and finds where each row lies."""

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pymysql.constants import CR
from pymysql.err import OperationalError

from mysql_arrow import kernels
from mysql_arrow.errors import BrokenStream
from mysql_arrow.wire import FULL_PACKET, Wire

BUFFER_BYTES = 8 * 1024 * 1024
"""A buffer is handed on when it is full, and becomes one batch."""

MOST_ROWS = 131_072
LEAST_ROWS = 1_024
DECODED_BYTES = 16 * 1024 * 1024
"""A buffer is handed on too when it has `MOST_ROWS`, or as many rows as need `DECODED_BYTES` for
what every row has. A NULL is one bit in a packet and up to sixteen bytes in Arrow."""

_BUFFERS = 3  # one is filled, one waits, one is decoded
_NEARLY_FULL = 65_536
_GREATEST_ROW = 1 << 30  # max_allowed_packet ends there
_IDLE_SECONDS = 0.5  # a server that pauses so long must not keep back the rows it has sent

_Memory = npt.NDArray[np.uint8]


@dataclass(slots=True)
class Filled:
    """Rows of one buffer: `starts` and `sizes` of their packets' payloads."""

    memory: _Memory
    starts: npt.NDArray[np.int32]
    sizes: npt.NDArray[np.int32]


class Receiver:
    """Reads until the end of the rows. Give every buffer back, so that it can be filled again.

    :param row_bytes: what every row needs in Arrow, whatever its values are
    """

    def __init__(self, wire: Wire, row_bytes: int) -> None:
        self._wire = wire
        self._most_rows = max(LEAST_ROWS, min(MOST_ROWS, DECODED_BYTES // max(1, row_bytes)))
        self._free: queue.SimpleQueue[_Memory | None] = queue.SimpleQueue()
        self._filled: queue.SimpleQueue[Filled | BaseException | None] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._ended = False
        for _ in range(_BUFFERS):
            self._free.put(None)
        self._thread = threading.Thread(target=self._run, name="mysql-receiver", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Filled]:
        """Yield filled buffers. Raises what the server or the network broke off with."""
        while True:
            filled = self._filled.get()
            if isinstance(filled, Filled):
                yield filled
                continue
            self._filled.put(filled)  # whoever asks again gets the same answer
            if filled is None:
                return
            raise filled

    def give_back(self, memory: _Memory) -> None:
        """Let a buffer be filled again; one made for a long row makes room for another."""
        self._free.put(memory if len(memory) == BUFFER_BYTES + kernels.PADDING else None)

    def stop(self) -> None:
        """End the thread; unless it has received all there is, by breaking off the connection."""
        if not self._ended:
            self._stopped.set()
            self._wire.interrupt()
            self._free.put(None)  # it may be waiting for a buffer
        self._thread.join()
        if not self._ended:
            self._wire.break_off()

    def _run(self) -> None:
        try:
            self._receive()
            self._filled.put(None)
        except OSError as error:
            lost = OperationalError(CR.CR_SERVER_LOST, f"while reading rows: {error}")
            lost.__cause__ = error
            self._filled.put(lost)
        except BaseException as error:  # whatever it is, the reader must not wait for ever
            self._filled.put(error)

    def _receive(self) -> None:
        carried = b""
        while True:
            state, carried = self._fill(carried)
            if state == kernels.HUGE:
                carried = self._huge_row(carried)
            elif state == kernels.END:
                return

    def _fill(self, carried: bytes) -> tuple[int, bytes]:
        """Fill one buffer and hand it on; return why it ended and the bytes behind its rows."""
        memory = self._take_buffer(len(carried))
        address, view = memory.ctypes.data, memory.data
        room = len(memory) - kernels.PADDING
        starts, sizes = np.empty((2, self._most_rows), np.int32)
        view[: len(carried)] = carried
        limit, position, count = len(carried), 0, 0
        sequence = self._wire.sequence
        while True:
            state, position, sequence, count = kernels.walk(
                address, position, limit, sequence, starts, sizes, count
            )
            if state != kernels.MORE:
                break
            if count and room - limit < _NEARLY_FULL:
                break
            if limit == room:
                memory, room = self._grown(memory, limit)
                address, view = memory.ctypes.data, memory.data
            if count and not self._wire.has_more_within(_IDLE_SECONDS):
                break
            received = self._wire.socket.recv_into(view[limit:room])
            if not received:
                raise OperationalError(CR.CR_SERVER_LOST, "the server hung up while sending rows")
            limit += received
        self._wire.sequence = sequence
        behind = bytes(view[position:limit])
        if state == kernels.BROKEN:
            raise BrokenStream("the server sent something that is no row")
        if count:
            self._filled.put(Filled(memory, starts[:count], sizes[:count]))
        else:
            self.give_back(memory)
        if state in (kernels.ERROR, kernels.END):
            self._end(state, behind)
        return state, behind

    def _end(self, state: int, begun: bytes) -> None:
        """Take the packet that ends the rows: the last one, after which the server waits."""
        payload, behind = self._payload(begun)
        if behind:
            raise BrokenStream("the server sent more than the end of the rows")
        if state == kernels.END:
            self._wire.check_end(payload)
        self._ended = True
        if state == kernels.ERROR:
            self._wire.raise_for(payload)

    def _take_buffer(self, least: int) -> _Memory:
        """Wait for one of the buffers that may exist at once; return it, or one that is larger."""
        memory = self._free.get()
        if not self._stopped.is_set():
            if least > BUFFER_BYTES - _NEARLY_FULL:
                return _memory(least + BUFFER_BYTES)
            return _memory(BUFFER_BYTES) if memory is None else memory
        raise OperationalError(CR.CR_SERVER_LOST, "closed before all rows were read")

    def _grown(self, memory: _Memory, used: int) -> tuple[_Memory, int]:
        """Return a larger buffer with the same bytes, for a row that does not fit."""
        if used > _GREATEST_ROW:
            raise BrokenStream(f"a row of more than {_GREATEST_ROW:,} bytes")
        larger = _memory(2 * used)
        larger[:used] = memory[:used]
        return larger, 2 * used

    def _huge_row(self, carried: bytes) -> bytes:
        """Join a row that is spread over packets, hand it on, return the bytes behind it."""
        row, behind = self._payload(carried)
        memory = self._take_buffer(len(row))
        memory[: len(row)] = np.frombuffer(row, np.uint8)
        if row[0] != 0:
            raise BrokenStream("the server sent something that is no row")
        self._filled.put(
            Filled(memory, np.zeros(1, np.int32), np.array([len(row)], dtype=np.int32))
        )
        return behind

    def _payload(self, begun: bytes) -> tuple[bytes, bytes]:
        """Return the payload that begins here, joined if it is spread, and the bytes behind it."""
        buffer, payload = bytearray(begun), bytearray()
        while True:
            self._receive_until(buffer, 4)
            size = int.from_bytes(buffer[:3], "little")
            if buffer[3] != self._wire.sequence or len(payload) > _GREATEST_ROW:
                raise BrokenStream(f"a packet of {size} bytes, number {buffer[3]}")
            self._wire.sequence = (self._wire.sequence + 1) & 0xFF
            self._receive_until(buffer, 4 + size)
            payload += buffer[4 : 4 + size]
            del buffer[: 4 + size]
            if size < FULL_PACKET:
                return bytes(payload), bytes(buffer)

    def _receive_until(self, buffer: bytearray, size: int) -> None:
        while len(buffer) < size:
            part = self._wire.socket.recv(max(size - len(buffer), _NEARLY_FULL))
            if not part:
                raise OperationalError(CR.CR_SERVER_LOST, "the server hung up while sending rows")
            buffer += part


def _memory(size: int) -> _Memory:
    return np.empty(size + kernels.PADDING, np.uint8)
