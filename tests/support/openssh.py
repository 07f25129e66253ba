"""OpenSSH's server on loopback, without root and without being installed.

It is found on PATH, or in .local/openssh, where .ci/run unpacks Debian's package: to install that
would start a daemon on port 22.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from localaws.processes import Service, free_port

_UNPACKED = Path(__file__).parents[2] / ".local" / "openssh"
_NOBODY = 65534

MISSING = "sshd is not on PATH; .ci/run unpacks it into .local/openssh"


def sshd() -> Path | None:
    """Where the server is; None if it is nowhere."""
    found = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    unpacked = _UNPACKED / "usr" / "sbin" / "sshd"
    if found:
        return Path(found)
    return unpacked if unpacked.exists() else None


@contextlib.contextmanager
def openssh(permitted: int) -> Iterator[dict[str, Any]]:
    """Run it as a bastion that leads to one port of this machine, and to port 1, where nobody is.

    Yields Airflow's connection to it. As root, it runs as nobody.
    """
    program, port, as_root = sshd(), free_port(), os.geteuid() == 0
    assert program, MISSING
    # Not below pytest's folders, which only their owner may enter.
    with tempfile.TemporaryDirectory(prefix="bastion-") as name:
        home = Path(name)
        home.chmod(0o755)
        for key in ("host", "user"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / key)]
            subprocess.run(command, check=True, timeout=120)
        (home / "sshd_config").write_text(_configuration(home, port, permitted))
        server = home / "sshd"
        shutil.copy(program, server)  # nobody may not reach into root's home
        for library in _UNPACKED.glob("usr/lib/*/libwrap.so.0"):
            shutil.copy(library, home)
        if as_root:
            for file in home.iterdir():
                if file.is_file():
                    os.chown(file, _NOBODY, _NOBODY)
        service = Service(
            "sshd",
            [str(server), "-D", "-e", "-f", str(home / "sshd_config")],
            log=home / "sshd.log",
            healthy=lambda: _answers(port),
            environment={"LD_LIBRARY_PATH": str(home), "PATH": os.environ["PATH"]},
            uid=_NOBODY if as_root else None,
        )
        service.start()
        try:
            service.wait_healthy()
            yield {
                "conn_type": "ssh",
                "host": "127.0.0.1",
                "port": port,
                "login": pwd.getpwuid(_NOBODY).pw_name if as_root else getpass.getuser(),
                "extra": {
                    "private_key": (home / "user").read_text(),
                    "host_key": " ".join((home / "host.pub").read_text().split()[:2]),
                },
            }
        finally:
            service.stop()


def _configuration(home: Path, port: int, permitted: int) -> str:
    return f"""
Port {port}
ListenAddress 127.0.0.1
HostKey {home}/host
AuthorizedKeysFile {home}/user.pub
PidFile none
StrictModes no
# Else it takes accounts whose shadow entry it may not read for locked ones.
UsePAM yes
PasswordAuthentication no
KbdInteractiveAuthentication no
AllowTcpForwarding local
PermitOpen 127.0.0.1:{permitted} 127.0.0.1:1
"""


def _answers(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
