"""Who may ask where the freshness API stands alone: whoever knows a token."""

import hmac
from collections.abc import Callable, Collection
from typing import Annotated

from fastapi import Header, HTTPException


class Everything:
    """May see every table."""

    def of(self, dag_ids: Collection[str]) -> Collection[str]:
        """Return all of these DAGs."""
        return dag_ids


def token_permit(tokens: tuple[bytes, ...]) -> Callable[..., Everything]:
    """Return the dependency that asks for ``Authorization: Bearer <token>``.

    :param tokens: those that are valid now
    """

    def permit(authorization: Annotated[str, Header()] = "") -> Everything:
        scheme, _, given = authorization.partition(" ")
        found = [hmac.compare_digest(given.encode(), token) for token in tokens]
        if scheme.lower() != "bearer" or not any(found):
            raise HTTPException(401, "A token is needed.", headers={"WWW-Authenticate": "Bearer"})
        return Everything()

    return permit
