"""A server that says again what a real one said, with some bytes changed."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence

_DEADLINE = 120.0


@contextlib.contextmanager
def recorder(host: str, port: int) -> Iterator[tuple[int, list[bytes]]]:
    """Yield a port that leads to the server, and the answers so far."""
    answers = [b""]
    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=_record, args=(door, (host, port), answers), daemon=True)
        thread.start()
        yield door.getsockname()[1], answers
        thread.join(_DEADLINE)


def _record(door: socket.socket, to: tuple[str, int], answers: list[bytes]) -> None:
    client, _ = door.accept()
    with client, socket.create_connection(to) as server:
        back = threading.Thread(target=_answer, args=(server, client, answers), daemon=True)
        back.start()
        with contextlib.suppress(ConnectionResetError):  # the client leaves without a word
            while message := client.recv(1 << 16):
                answers.append(b"")
                server.sendall(message)
        server.shutdown(socket.SHUT_WR)
        back.join(_DEADLINE)


def _answer(server: socket.socket, client: socket.socket, answers: list[bytes]) -> None:
    with contextlib.suppress(OSError):
        while data := server.recv(1 << 16):
            answers[-1] += data
            client.sendall(data)


@contextlib.contextmanager
def replayed(answers: Sequence[bytes]) -> Iterator[int]:
    """Yield the port of a server that gives these answers and hangs up after the last."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=_replay, args=(door, answers), daemon=True)
        thread.start()
        yield door.getsockname()[1]
        thread.join(_DEADLINE)


def _replay(door: socket.socket, answers: Sequence[bytes]) -> None:
    client, _ = door.accept()
    with client, contextlib.suppress(OSError):
        client.settimeout(_DEADLINE)
        client.sendall(answers[0])
        for answer in answers[1:]:
            if not client.recv(1 << 16):
                return
            client.sendall(answer)
        client.shutdown(socket.SHUT_WR)
        while client.recv(1 << 16):
            pass
