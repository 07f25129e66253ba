"""The key of hashed columns: the password of an Airflow connection, nowhere else."""

from airflow.sdk import BaseHook

from tidemark.core.errors import FixConfiguration

SHORTEST = 16


def read_hash_secret(conn_id: str) -> str:
    """Return the key with which the source hashes columns.

    Raises `FixConfiguration` if Airflow has no such connection, or its password is shorter than 16
    characters: whoever can guess the key can guess the values.
    """
    try:
        secret = BaseHook.get_connection(conn_id).password or ""
    except Exception as error:  # Airflow has several kinds of "not found"
        raise FixConfiguration(
            what=f"columns are to be hashed, and Airflow has no connection {conn_id} ({error})",
            do=_advice(conn_id),
        ) from error
    if len(secret) < SHORTEST:
        raise FixConfiguration(
            what=f"the password of connection {conn_id} is shorter than {SHORTEST} characters, "
            "too short to keep hashes from being guessed",
            do=_advice(conn_id),
        )
    return secret


def _advice(conn_id: str) -> str:
    return (
        f"Give {conn_id} a random password (openssl rand -hex 32) and keep it: with another one "
        "equal values no longer have equal hashes."
    )
