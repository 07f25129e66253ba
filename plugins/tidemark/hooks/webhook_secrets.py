"""What a sender of events, or who asks how fresh data is, must know: the password of an Airflow
connection, nowhere else."""

from airflow.sdk import BaseHook

from tidemark.core.errors import FixConfiguration

SHORTEST = 16


def read_webhook_secrets(queue: str, conn_id: str) -> tuple[bytes, ...]:
    """Return the secrets with which a queue's events may be sent now, as `read_secrets` does."""
    return read_secrets(conn_id, f"queue {queue} is sent to with a secret")


def read_secrets(conn_id: str, why: str) -> tuple[bytes, ...]:
    """Return the secrets that are valid now: the current one and, during a rotation, the previous.

    :param why: what they are for, in words for people
    Raises `FixConfiguration` if there is no such connection, or a secret is shorter than 16
    characters.
    """
    try:
        connection = BaseHook.get_connection(conn_id)
    except Exception as error:  # Airflow has several kinds of "not found"
        raise FixConfiguration(
            what=f"{why}, and Airflow has no connection {conn_id} ({type(error).__name__})",
            do=_advice(conn_id),
        ) from error
    given = (connection.password, connection.extra_dejson.get("previous"))
    secrets = tuple(secret.encode() for secret in given if secret)
    if not connection.password or min(map(len, secrets)) < SHORTEST:
        raise FixConfiguration(
            what=f"a secret of connection {conn_id} is shorter than {SHORTEST} characters",
            do=_advice(conn_id),
        )
    return secrets


def _advice(conn_id: str) -> str:
    return (
        f"Give {conn_id} a random password (openssl rand -hex 32), by environment "
        f"AIRFLOW_CONN_{conn_id.upper()} or in Airflow, and the sender the same."
    )
