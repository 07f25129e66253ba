"""What a term of an expression becomes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """A term's SQL, and the labels that Redshift and the engine would give a column made of it.

    An empty label is that of an operator or a literal, `?column?` in both.
    """

    sql: str
    label: str = ""
    engine_label: str = ""
    literal: bool = False
