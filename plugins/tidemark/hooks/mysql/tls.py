"""What the extra of an Airflow MySQL connection says about encryption.

`ssl_mode` has MySQL's own words and `ssl` (a mapping, or its JSON) the files. The driver's own
reading of them is not used: without a CA file it checks no name, whatever it was told.
https://dev.mysql.com/doc/refman/8.0/en/connection-options.html#option_general_ssl-mode
"""

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidemark.hooks.mysql.errors import SourceError

_MODES = ("DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")
_FILES = {"ca", "capath", "cert", "key", "password", "cipher"}
_CHECKS = {"check_hostname", "verify_mode"}


@dataclass(frozen=True, slots=True)
class Tls:
    """How to encrypt.

    :param insist: refuse a server that does not offer it, before the password is sent
    """

    context: ssl.SSLContext
    insist: bool


def read_tls(conn_id: str, extra: Mapping[str, Any]) -> Tls | None:
    """Return how the connection's extra wants to be encrypted; None: not at all.

    Without a word about it, encryption is used where the server offers it, like MySQL's own clients
    do. Raises `SourceError` for a mode, a key or a file that cannot be used.
    """
    files = _files(conn_id, extra)
    mode = str(extra.get("ssl_mode") or _implied_mode(files)).upper()
    if mode not in _MODES:
        raise SourceError(
            what=f"connection {conn_id} has ssl_mode {mode}, which MySQL does not know",
            do=f"Choose one of {', '.join(_MODES)}.",
        )
    if mode == "DISABLED":
        return None
    try:
        context = _context(files, mode)
    except (OSError, ssl.SSLError, ValueError, TypeError) as error:
        raise SourceError(
            what=f"the TLS files of connection {conn_id} cannot be used: {error}",
            do="Correct ssl in the connection's extra; the files must lie where the tasks run.",
        ) from error
    return Tls(context, insist=mode != "PREFERRED")


def _files(conn_id: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    given = extra.get("ssl") or {}
    try:
        files = json.loads(given) if isinstance(given, str) else given
    except ValueError as error:
        raise SourceError(
            what=f"ssl in the extra of connection {conn_id} is no JSON: {error}",
            do='Write it as a mapping, for instance {"ca": "/etc/ssl/certs/rds.pem"}.',
        ) from error
    if not isinstance(files, Mapping) or (unknown := set(files) - _FILES - _CHECKS):
        wrong = ", ".join(sorted(unknown)) if isinstance(files, Mapping) else repr(files)
        raise SourceError(
            what=f"ssl in the extra of connection {conn_id} has {wrong}, which means nothing",
            do=f"Use only {', '.join(sorted(_FILES | _CHECKS))}.",
        )
    top = {name: extra[f"ssl_{name}"] for name in ("ca", "cert", "key") if extra.get(f"ssl_{name}")}
    return {**top, **files}


def _implied_mode(files: Mapping[str, Any]) -> str:
    """Return what `ssl` asks for where there is no `ssl_mode`."""
    if not files:
        return "PREFERRED"
    named = files.get("ca") or files.get("capath")
    if not files.get("verify_mode", bool(named)):
        return "REQUIRED"
    return "VERIFY_IDENTITY" if files.get("check_hostname", True) else "VERIFY_CA"


def _context(files: Mapping[str, Any], mode: str) -> ssl.SSLContext:
    # Not `create_default_context`: that reads the machine's certificates (20 ms, for each session)
    # even where none is checked, and is so strict in Python 3.13 that certificates which MySQL
    # makes for itself do not pass.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if files.get("ca") or files.get("capath"):
        context.load_verify_locations(files.get("ca"), files.get("capath"))
    elif mode.startswith("VERIFY"):
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    context.check_hostname = mode == "VERIFY_IDENTITY"
    context.verify_mode = ssl.CERT_REQUIRED if mode.startswith("VERIFY") else ssl.CERT_NONE
    if files.get("cert"):
        context.load_cert_chain(files["cert"], files.get("key"), files.get("password"))
    if files.get("cipher"):
        context.set_ciphers(files["cipher"])
    return context
