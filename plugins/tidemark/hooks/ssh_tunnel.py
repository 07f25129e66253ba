"""Reach a server behind a bastion, through an Airflow SSH connection.

Airflow's `SSHHook` makes the SSH connection: keys, known hosts and proxies are its business. Its
own tunnel is not used: that listens on a port of this machine, where anybody may connect, waits an
hour for the bastion to open a channel, and cannot tell a dead bastion from a quiet one.

Here one SSH connection is shared by all sessions of a process, each in a channel of its own, which
looks like a connected socket. The bastion is asked every `PROBE_SECONDS` whether it is still there:
the question keeps firewalls from forgetting the connection, and no answer within `ANSWER_SECONDS`
breaks the connection off, so that nobody waits for rows that cannot come. `probe_seconds` and
`answer_seconds` in the extra of the SSH connection override them.
"""

import atexit
import contextlib
import logging
import os
import socket
import threading
from typing import Any

import paramiko
from airflow.exceptions import AirflowException
from airflow.providers.ssh.hooks.ssh import SSHHook

from tidemark.core.errors import FixConfiguration, TryAgain

CONNECT_SECONDS = 10
PROBE_SECONDS = 15.0
ANSWER_SECONDS = 30.0

_CARRY_BYTES = 128 * 1024
_FORBIDDEN = 1  # https://www.rfc-editor.org/rfc/rfc4254#section-5.1
_UNKNOWN_HOST = "not found in known_hosts"

log = logging.getLogger(__name__)
logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # what fails is raised, in our own words


class BastionRefused(FixConfiguration):
    """The bastion does not let us in, is not the one we know, or does not lead where we want."""


def open_channel(ssh_conn_id: str, host: str, port: int) -> socket.socket:
    """Return a socket that is connected to `host:port` as seen from the bastion.

    It breaks as a socket does when the bastion or the way to it is lost. Raises `BastionRefused`
    for what a retry cannot mend, `TryAgain` when the bastion or the server behind it is away.
    """
    with _one_at_a_time:
        bastion = _bastions.get(ssh_conn_id)
        if bastion is None or not bastion.alive(CONNECT_SECONDS):
            bastion = _bastions[ssh_conn_id] = _Bastion(ssh_conn_id)
    return bastion.open_channel(host, port)


def close_tunnels() -> None:
    """End this process's SSH connections, and with them every channel."""
    with _one_at_a_time:
        for bastion in _bastions.values():
            bastion.close()
        _bastions.clear()


class _Bastion:
    """One SSH connection, and the thread that asks whether it lives."""

    def __init__(self, conn_id: str) -> None:
        self.conn_id = conn_id
        self._hook, extra = _hook(conn_id)
        self._probe_seconds = float(extra.get("probe_seconds", PROBE_SECONDS))
        self._answer_seconds = float(extra.get("answer_seconds", ANSWER_SECONDS))
        self._transport = _connect(conn_id, self._hook)
        self._asking = threading.RLock()
        self._closed = threading.Event()
        threading.Thread(target=self._probe, name=f"ssh-probe-{conn_id}", daemon=True).start()

    def open_channel(self, host: str, port: int) -> socket.socket:
        where = f"{host}:{port} through SSH connection {self.conn_id}"
        try:
            channel = self._transport.open_channel(
                "direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=CONNECT_SECONDS
            )
        except paramiko.ChannelException as error:
            if error.code == _FORBIDDEN:
                raise BastionRefused(
                    what=f"the bastion may not forward to {where}",
                    do="Allow it there (sshd_config: AllowTcpForwarding, PermitOpen), or correct "
                    "host and port of the MySQL connection.",
                ) from error
            raise TryAgain(
                what=f"the bastion cannot reach {where}: {error.text or error}",
                do="See that the server runs and lets the bastion in; then clear the task.",
            ) from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise _away(self.conn_id, error) from error
        ours, theirs = socket.socketpair()
        for side in (ours, theirs):
            side.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 * _CARRY_BYTES)
        threading.Thread(
            target=_carry, args=(ours, channel), name=f"ssh-{self.conn_id}", daemon=True
        ).start()
        return theirs

    def alive(self, patience: float) -> bool:
        """Ask the bastion; a connection that gives no answer in time is broken off."""
        with self._asking:
            if not self._transport.is_active():
                return False
            deadline = threading.Timer(patience, self._give_up, [patience])
            deadline.daemon = True
            deadline.start()
            try:
                # Any answer will do; OpenSSH's is "I do not know this request".
                self._transport.global_request("keepalive@openssh.com", wait=True)
            except (paramiko.SSHException, OSError, EOFError):
                return False
            finally:
                deadline.cancel()
            return bool(self._transport.is_active())

    def close(self) -> None:
        self._closed.set()
        self._transport.close()

    def _give_up(self, patience: float) -> None:
        log.warning("Bastion %s has not answered for %s s: breaking off", self.conn_id, patience)
        self.close()

    def _probe(self) -> None:
        while not self._closed.wait(self._probe_seconds):
            if not self.alive(self._answer_seconds):
                self.close()


def _hook(conn_id: str) -> tuple[SSHHook, dict[str, Any]]:
    try:
        hook = SSHHook(conn_id, conn_retry_attempts=1, keepalive_interval=0)
        extra = SSHHook.get_connection(conn_id).extra_dejson
    except Exception as error:  # Airflow and paramiko have many kinds of "wrong"
        raise BastionRefused(
            what=f"the SSH connection {conn_id} cannot be used: {error}",
            do=f"Add or correct it, for instance as AIRFLOW_CONN_{conn_id.upper()}.",
        ) from error
    hook.conn_timeout = hook.conn_timeout or CONNECT_SECONDS
    hook.auth_timeout = hook.auth_timeout or CONNECT_SECONDS
    hook.banner_timeout = CONNECT_SECONDS
    # The hook compresses unless told otherwise, which costs more time than it saves on any network
    # between a bastion and Airflow.
    hook.compress = str(extra.get("compress", "false")).lower() == "true"
    return hook, extra


def _connect(conn_id: str, hook: SSHHook) -> paramiko.Transport:
    try:
        transport = hook.get_conn().get_transport()
    except paramiko.AuthenticationException as error:
        raise BastionRefused(
            what=f"the bastion refuses the user {hook.username} of SSH connection {conn_id}: "
            f"{error}",
            do="Correct its login and its private_key, key_file or password.",
        ) from error
    except paramiko.BadHostKeyException as error:
        raise BastionRefused(
            what=f"the bastion of SSH connection {conn_id} shows another host key than the known "
            f"one: {error}",
            do="If it was replaced on purpose, correct host_key in the extra of the connection.",
        ) from error
    except (paramiko.SSHException, AirflowException, OSError, EOFError) as error:
        if _UNKNOWN_HOST in str(error):
            raise BastionRefused(
                what=f"the host key of the bastion of SSH connection {conn_id} is not known",
                do="Put it into the extra as host_key: ssh-keyscan on a machine you trust shows "
                "it, without the host's name.",
            ) from error
        raise _away(conn_id, error) from error
    if transport is None:
        raise _away(conn_id, "it hung up")
    return transport


def _away(conn_id: str, error: object) -> TryAgain:
    return TryAgain(
        what=f"the bastion of SSH connection {conn_id} cannot be reached: {error or 'it hung up'}",
        do="See that it runs, and that host and port are right; then clear the task.",
    )


def _carry(ours: socket.socket, channel: paramiko.Channel) -> None:
    """Carry bytes both ways until either side ends; what was sent before can still be read."""
    up = threading.Thread(target=_carry_up, args=(ours, channel), daemon=True)
    up.start()
    with contextlib.suppress(OSError, EOFError, paramiko.SSHException), ours:
        try:
            while data := channel.recv(_CARRY_BYTES):
                ours.sendall(data)
        finally:
            _end(ours, channel)
            up.join()


def _carry_up(ours: socket.socket, channel: paramiko.Channel) -> None:
    # One side is gone; the other learns it now.
    with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
        while data := ours.recv(_CARRY_BYTES):
            channel.sendall(data)
    _end(ours, channel)


def _end(ours: socket.socket, channel: paramiko.Channel) -> None:
    with contextlib.suppress(OSError):
        ours.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
        channel.close()


_bastions: dict[str, _Bastion] = {}
_of_parents: list[dict[str, _Bastion]] = []
_one_at_a_time = threading.RLock()  # a task that is killed asks for a channel in a signal handler


def _forget() -> None:
    """In a forked child the threads are not there, and the connections are the parent's."""
    global _bastions, _one_at_a_time
    _of_parents.append(_bastions)  # kept, because the last look at one would end it
    _bastions = {}
    _one_at_a_time = threading.RLock()


os.register_at_fork(after_in_child=_forget)
atexit.register(close_tunnels)
