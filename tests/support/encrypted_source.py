"""A MariaDB of its own that offers TLS, with an authority of its own."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from localaws.mariadb import MariaDb
from localaws.mysql import source_server
from localaws.processes import Service, free_port

_PASSWORD = "nobody-but-this-test"


@dataclass(frozen=True, slots=True)
class EncryptedSource:
    """
    :param authority: the certificate that the server's is signed with; made for 127.0.0.1
    :param service: the process, to be stopped and started
    """

    host: str
    port: int
    user: str
    password: str
    authority: Path
    service: Service


@contextlib.contextmanager
def encrypted_source(home: Path, *options: str) -> Iterator[EncryptedSource]:
    """Run the server below `home`, with more `options`, for as long as the block lasts."""
    home.mkdir(parents=True, exist_ok=True)
    authority, certificate, key = _certificates(home)
    server = source_server()(
        home,
        port := free_port(),
        admin_password=_PASSWORD,
        reader_password=_PASSWORD,
        options=(
            f"--ssl-ca={authority}",
            f"--ssl-cert={certificate}",
            f"--ssl-key={key}",
            *options,
        ),
    )
    if preparation := server.preparation():
        preparation.start()
        preparation.wait_ended()
        server.prepared()
    service = server.service()
    service.start()
    try:
        service.wait_healthy()
        yield EncryptedSource("127.0.0.1", port, MariaDb.admin_user, _PASSWORD, authority, service)
    finally:
        service.stop()


def _certificates(home: Path) -> tuple[Path, Path, Path]:
    authority, certificate, key = home / "ca.pem", home / "server.pem", home / "server.key"
    authority_key, request = home / "ca.key", home / "server.csr"
    names = home / "names.cnf"
    names.write_text("subjectAltName=IP:127.0.0.1\n")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    _openssl("req", "-x509", *new_key, "-subj", "/CN=authority", "-days", "2",
             "-keyout", authority_key, "-out", authority)  # fmt: skip
    _openssl("req", *new_key, "-subj", "/CN=source", "-keyout", key, "-out", request)
    _openssl("x509", "-req", "-in", request, "-CA", authority, "-CAkey", authority_key,
             "-CAcreateserial", "-days", "2", "-extfile", names, "-out", certificate)  # fmt: skip
    return authority, certificate, key


def _openssl(*arguments: str | Path) -> None:
    command = ["openssl", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
