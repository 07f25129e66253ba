"""S3 and SQS: the emulator ministack behind a gateway that makes it answer as AWS does.

The gateway (`gateway/`) has the port; the emulator listens on a socket in its own directory.
It lives in a virtualenv of its own because of the botocore it pins.
The virtualenv `.venv-ministack` in the project root is made at the first start, from
requirements-ministack.txt, and made again whenever that file or the interpreter changes.

Buckets and objects are on disk as soon as a PUT is answered. Queues are written at an orderly stop
only: a SIGKILL loses them and the messages in them.
"""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import importlib.util
import logging
import os
import shutil
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localaws.processes import Service, ServiceFailed

_REQUIREMENTS = Path(__file__).with_name("requirements-ministack.txt")
_ROOT = Path(__file__).parents[1]
_VIRTUALENV = _ROOT / ".venv-ministack"
# Relative to the directory that both run in: a socket's whole path may have 107 bytes only.
_SOCKET = "unix:emulator.sock"
_STAMP = _VIRTUALENV / "made-from"
_INSTALL_DEADLINE = 300.0

log = logging.getLogger(__name__)


class Objects:
    """An S3 and SQS endpoint whose state lies in `<home>/objects`."""

    def __init__(self, home: Path, port: int, *, region: str) -> None:
        self._home = home
        self._state = home / "objects"
        self._port = port
        self._region = region

    def emulator(self) -> Service:
        """Return the emulator, not yet started. The virtualenv must be there: see `install()`."""
        scratch = self._state / "tmp"
        scratch.mkdir(parents=True, exist_ok=True)
        return Service(
            "objects",
            [
                *(str(_VIRTUALENV / "bin" / "python"), "-m", "hypercorn"),
                *(
                    "localaws.emulator.app:app",
                    "--bind",
                    _SOCKET,
                    "--workers",
                    "0",
                    "--keep-alive",
                    "75",
                ),
                *("--log-level", "WARNING"),
            ],
            log=self._home / "logs" / "objects.log",
            cwd=self._state,
            # A whole environment of our own: no AWS_* variable, profile or proxy of the user gets
            # in, and no Docker socket, whose containers the emulator would otherwise tidy up.
            environment={
                "PATH": os.defpath,
                "PYTHONPATH": str(_ROOT),
                "HOME": str(self._state),
                "TMPDIR": str(scratch),
                "DOCKER_HOST": f"unix://{scratch / 'no-docker'}",
                "GATEWAY_PORT": str(self._port),
                "MINISTACK_HOST": "127.0.0.1",
                "MINISTACK_REGION": self._region,
                "SERVICES": "s3,sqs,sts,sns,cloudwatch",
                "IOT_MTLS_ENABLED": "0",
                "SFTP_ENABLED": "0",
                "PERSIST_STATE": "1",
                "STATE_DIR": str(self._state / "state"),
                "S3_PERSIST": "1",
                "S3_DATA_DIR": str(self._state / "s3"),
                "LOG_LEVEL": "WARNING",
                "PYTHONUNBUFFERED": "1",
            },
            deadline=240,
            stop_deadline=30,  # what its queues hold is written down at the end
        )

    def gateway(self) -> Service:
        """Return the gateway, not yet started; it is healthy when the emulator is."""
        command = [sys.executable, "-m", "localaws.gateway", "--port", str(self._port)]
        return Service(
            "gateway",
            [*command, "--upstream", _SOCKET],
            log=self._home / "logs" / "gateway.log",
            healthy=lambda: answers(self._port, "/_localaws/health"),
            cwd=self._state,
            environment={
                "PATH": os.environ.get("PATH", os.defpath),
                "PYTHONPATH": str(_ROOT),
                "PYTHONUNBUFFERED": "1",
            },
            deadline=240,
            stop_deadline=5,
        )


def answers(port: int, path: str) -> bool:
    """True when http://127.0.0.1:`port``path` answers 200 in five seconds; may raise OSError."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except http.client.HTTPException:
        return False
    finally:
        connection.close()


def install(log_file: Path) -> None:
    """Make the emulator's virtualenv, unless it is there and up to date.

    Safe beside others who do the same at the same time. Raises ServiceFailed with the installer's
    last words when a package cannot be had; the next call then begins anew.
    """
    interpreter = f"{sys.base_prefix} {sys.version}".encode()
    wanted = hashlib.sha256(_REQUIREMENTS.read_bytes() + interpreter).hexdigest()
    if _installed(wanted):
        return
    with _alone():
        if _installed(wanted):
            return
        log.info("installing the S3/SQS emulator into %s (once, about 10 s)", _VIRTUALENV.name)
        venv.create(_VIRTUALENV, clear=True, with_pip=False, symlinks=True)
        python = str(_VIRTUALENV / "bin" / "python")
        installer = Service(
            "installing ministack",
            [*_installer(python), "--requirement", str(_REQUIREMENTS)],
            log=log_file,
            deadline=_INSTALL_DEADLINE,
        )
        try:
            installer.start()
            installer.wait_ended()
        except ServiceFailed as error:
            raise ServiceFailed(
                f"{error}\nA package index must be reachable for this one installation:"
                " run `python -m localaws install` where it is"
            ) from error
        finally:
            installer.stop()
        _STAMP.write_text(wanted + "\n", encoding="ascii")


def _installed(wanted: str) -> bool:
    return _STAMP.exists() and _STAMP.read_text(encoding="ascii").strip() == wanted


def _installer(python: str) -> list[str]:
    if importlib.util.find_spec("uv") is not None:
        return [sys.executable, "-m", "uv", "pip", "install", "--python", python]
    if (uv := shutil.which("uv")) is not None:
        return [uv, "pip", "install", "--python", python]
    return [sys.executable, "-m", "pip", "--python", python, "install"]


@contextmanager
def _alone() -> Iterator[None]:
    with _REQUIREMENTS.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
