"""Documents in the staging bucket that were written once and are read often."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from tidemark.core.errors import TryAgain

Document = TypeVar("Document", bound=BaseModel)


class Damaged(TryAgain):
    """A document is there and cannot be read."""


def parsed(
    text: bytes, key: str, model: type[Document], do: str = "Restore an earlier version of it."
) -> Document:
    """Return what a document says. Raises `Damaged`.

    :param do: what its reader can do about one that cannot be read
    """
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise Damaged(
            what=f"refusing to guess: {key} cannot be read ({error.error_count()} errors)", do=do
        ) from error
