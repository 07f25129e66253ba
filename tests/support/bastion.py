"""A bastion of the tests: a real SSH server on loopback, which forwards and does nothing else."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import asyncssh

_DEADLINE = 60.0
USER = "hopper"


class _Door(asyncssh.SSHServer):
    def __init__(self, bastion: Bastion) -> None:
        self._bastion = bastion

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._bastion.logins += 1

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == USER and key == self._bastion.key.convert_to_public()

    def connection_requested(
        self, dest_host: str, dest_port: int, orig_host: str, orig_port: int
    ) -> bool:
        self._bastion.asked_for.append((dest_host, dest_port))
        if dest_port in self._bastion.forbidden:  # in OpenSSH's words: PermitOpen does not name it
            code = asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED
            raise asyncssh.ChannelOpenError(code, "open failed")
        return True


class Bastion:
    """`with Bastion() as bastion:` starts it on a free port.

    :ivar logins: how many SSH connections were made
    :ivar asked_for: where channels were wanted to
    :ivar forbidden: ports that it does not forward to
    """

    def __init__(self) -> None:
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.logins = 0
        self.asked_for: list[tuple[str, int]] = []
        self.forbidden: set[int] = set()
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="bastion", daemon=True)
        self._started = threading.Event()

    def __enter__(self) -> Bastion:
        self._thread.start()
        assert self._started.wait(_DEADLINE), "the bastion did not open"
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(_DEADLINE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_DEADLINE)
        self._loop.close()

    def connection(self, port: int | None = None, **extra: Any) -> dict[str, Any]:
        """Airflow's connection to it, perhaps by another port that leads here."""
        public = self.host_key.export_public_key().decode().split()
        settings = {
            "private_key": self.key.export_private_key("openssh").decode(),
            "host_key": " ".join(public[:2]),
            "look_for_keys": "false",
        }
        return {
            "conn_type": "ssh",
            "host": "127.0.0.1",
            "port": port or self.port,
            "login": USER,
            "extra": {name: value for name, value in (settings | extra).items() if value},
        }

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._listener = self._loop.run_until_complete(
            asyncssh.listen(
                "127.0.0.1",
                0,
                server_factory=lambda: _Door(self),
                server_host_keys=[self.host_key],
            )
        )
        self.port = self._listener.get_port()
        self._started.set()
        self._loop.run_forever()

    async def _close(self) -> None:
        self._listener.close()
        await self._listener.wait_closed()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
