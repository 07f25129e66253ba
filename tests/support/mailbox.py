"""A mail server that keeps what it is sent.

with Mailbox() as mailbox:
    ...  # an smtp connection with mailbox.connection
    assert mailbox.letters[0]["Subject"] == "Tidemark"
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import threading
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.smtp import SMTP

_DEADLINE_S = 60.0


class Mailbox:
    """One server, for whoever is written to."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self._loop = asyncio.new_event_loop()
        self._serving = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._serving.start()
        listening = self._loop.create_server(lambda: SMTP(self), "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(_DEADLINE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._serving.join(_DEADLINE_S)
        self._loop.close()

    @property
    def connection(self) -> dict[str, Any]:
        """An Airflow connection to it."""
        host, port = self._server.sockets[0].getsockname()[:2]
        extra = {"from_email": "tidemark@example.org", "disable_ssl": True, "disable_tls": True}
        return {"conn_type": "smtp", "host": host, "port": port, "extra": extra}

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return "250 OK"
