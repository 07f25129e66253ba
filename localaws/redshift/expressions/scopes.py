"""What the names in an expression may stand for, as the FROM clauses around it say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Scope:
    """The relations of one FROM clause, and of those around it.

    `relations` are the names that may qualify a column, `values` the names given to what a FROM
    clause unnests. In an `open` scope nothing is known, and a qualified name is a column's.
    """

    relations: frozenset[tuple[str, ...]] = field(default_factory=frozenset)
    values: frozenset[str] = field(default_factory=frozenset)
    outer: Scope | None = None
    open: bool = False
    reads_tables: bool = False

    def column_length(self, names: Sequence[str]) -> int:
        """Return how many of these dotted names make the column; the rest is a path into it.

        https://docs.aws.amazon.com/redshift/latest/dg/query-super.html : a path starts with a
        column, and may have a table's name or alias before it.
        """
        if len(names) == 1:
            return 1
        scope: Scope | None = self
        while scope is not None:
            if names[0] in scope.values:
                return 1
            for length in (3, 2, 1):
                if len(names) > length and tuple(names[:length]) in scope.relations:
                    return length + 1
            if scope.open:
                return 2
            scope = scope.outer
        return 1

    def knows(self, name: str) -> bool:
        """Tell whether this name is a relation or a value here or further out."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.values or (name,) in scope.relations:
                return True
            scope = scope.outer
        return False

    def is_value(self, name: str) -> bool:
        """Tell whether this name is that of an unnested value."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.values:
                return True
            if (name,) in scope.relations:
                return False
            scope = scope.outer
        return False


OPEN = Scope(open=True)
