"""Read a state document back, or stop: a wrong guess here would skip rows. Pure."""

from pydantic import ValidationError

from tidemark.core.errors import FixConfiguration
from tidemark.core.storage.state import TableState


def parse_state(text: bytes, key: str, table: str) -> TableState:
    """Read a document. Raises `FixConfiguration` for one that cannot be parsed: it is never taken
    for a first run."""
    try:
        state = TableState.model_validate_json(text)
    except ValidationError as error:
        raise FixConfiguration(
            what=f"refusing to guess: the state document {key} cannot be read "
            f"({error.error_count()} errors, first: {error.errors()[0]['msg']})",
            do=f"Restore an earlier version of {key}, or run: "
            f"python -m tidemark watermark recover -t {table}",
            table=table,
        ) from error
    if state.table_name != table:
        raise FixConfiguration(
            what=f"refusing to guess: {key} is the document of {state.table_name}",
            do=f"Restore the right version of {key}.",
            table=table,
        )
    return state
