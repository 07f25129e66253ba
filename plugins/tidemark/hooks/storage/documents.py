"""Documents in the staging bucket that were written once and are read often."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from tidemark.core.errors import Damaged
from tidemark.core.wording import some

Document = TypeVar("Document", bound=BaseModel)


def parsed(
    text: bytes, key: str, model: type[Document], do: str = "Restore an earlier version of it."
) -> Document:
    """Return what a document says. Raises `Damaged`.

    :param do: what its reader can do about one that cannot be read
    """
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        count = some(error.error_count(), "error")
        raise Damaged(what=f"refusing to guess: {key} cannot be read ({count})", do=do) from error
