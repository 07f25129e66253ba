"""MERGE, with every restriction of its reference.

https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html ; what follows from that page is refused
in its words where it gives them, as a syntax error where its grammar has no place for it, and by
name where it leaves open what happens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from localaws.redshift.engine.results import Outcome
from localaws.redshift.engine.session import Plan, Session
from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.expressions.rewriting import rewrite
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import Token, quote_name
from localaws.redshift.sql.merge_conditions import (
    Names,
    chain,
    check_condition,
    refuse_partial_super,
)
from localaws.redshift.sql.statements import Kind

# All relations that some relations are or read from, through any number of views.
_USES_TARGET = """
WITH RECURSIVE used (oid) AS (
  SELECT to_regclass(name)::oid FROM unnest(%s::text[]) AS name
  UNION
  SELECT d.refobjid FROM used
    JOIN pg_rewrite r ON r.ev_class = used.oid
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
         AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> used.oid
)
SELECT 1 FROM used WHERE oid = to_regclass(%s)::oid
"""
_IS_PLAIN_TABLE = """
SELECT c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'localaws')
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass(%s)
"""

# The simplified mode, in three steps.
_MATCHES_TWICE = """
SELECT 1 FROM {target} JOIN {source} ON {on} GROUP BY {target}.ctid HAVING count(*) > 1 LIMIT 1
"""
_DELETE_MATCHED = "DELETE FROM {target} USING {source} WHERE {on}"
_INSERT_ALL = "INSERT INTO {target} SELECT * FROM {source}"


@dataclass(frozen=True, slots=True)
class Merge:
    """A MERGE: `sql` does it, unless it removes duplicates; `reads` are the tables it names."""

    target: str
    source: str
    named_source: str
    condition: str
    reads: tuple[str, ...]
    sql: str
    kind: str = "MERGE"

    def run(self, session: Session) -> Outcome:
        """Lock the target, check what only the catalogue knows, merge."""
        session.lock_for_writing(self.target)
        self._check_relations(session)
        return session.execute(self.sql) if self.sql else self._remove_duplicates(session)

    def _check_relations(self, session: Session) -> None:
        run = session.connection.execute
        if run(_IS_PLAIN_TABLE, (self.target,)).fetchone() != (True,):
            # The page's usage notes; wording unsourced.
            raise StatementError(f"ERROR: {self.target} is not a table that MERGE can change")
        same = "SELECT to_regclass(%s) = to_regclass(%s)"
        if self.named_source and run(same, (self.named_source, self.target)).fetchone() == (True,):
            # The page's usage notes; wording unsourced.
            raise StatementError("ERROR: Source and target of MERGE cannot be the same table")
        if run(_USES_TARGET, (list(self.reads), self.target)).fetchone():
            # The words are the page's.
            raise StatementError(
                "ERROR: Source view/subquery in Merge statement cannot reference target table."
            )

    def _remove_duplicates(self, session: Session) -> Outcome:
        """Replace what matches and add the rest: the "simplified mode" of the page."""
        run = session.connection.execute
        empty = "SELECT * FROM {} LIMIT 0"
        shapes = [
            run(empty.format(each).encode()).description or ()
            for each in (self.target, self.source)
        ]
        if len(shapes[0]) != len(shapes[1]):
            # "must have the same number of columns"; wording unsourced.
            raise StatementError(
                "ERROR: MERGE with REMOVE DUPLICATES needs tables with the same number of columns"
            )
        parts = {"target": self.target, "source": self.source, "on": self.condition}
        if run(_MATCHES_TWICE.format(**parts).encode()).fetchone():
            # "Rows in target_table can't match multiple rows in source_table". That this holds in
            # simplified mode too is unsourced.
            raise StatementError("ERROR: Found multiple matches to update the same tuple.")
        run(_DELETE_MATCHED.format(**parts).encode())
        return session.execute(_INSERT_ALL.format(**parts))


def merge(tokens: Sequence[Token]) -> Plan:
    """Plan a MERGE. Raises StatementError or NotSupported."""
    cursor = Cursor(tokens)
    # No WITH before it: the page's usage notes.
    cursor.expect_words("merge", "into")
    target, target_names = _relation(cursor)
    # No alias for the target; dbt writes around it:
    # https://github.com/dbt-labs/dbt-redshift (incremental_merge.sql)
    cursor.expect_words("using")
    named_source, source, source_names = _source(cursor)
    cursor.expect_words("on")
    names = (target_names, source_names)
    condition = cursor.balanced("when", "remove")
    check_condition(condition, names)
    on = rewrite(condition, [*target_names, *source_names])
    reads = tuple(_relations_read(tokens)) + ((named_source,) if named_source else ())
    if cursor.skip_words("remove", "duplicates"):
        cursor.expect_end()
        return Merge(target, source, named_source, on, reads, "")
    matched = _matched(cursor, names)
    if cursor.done:
        raise _single_when()
    values = _not_matched(cursor, names)
    cursor.expect_end()
    sql = f"MERGE INTO {target} USING {source} ON {on} {matched} {values}"
    return Merge(target, source, named_source, on, reads, sql)


def _relation(cursor: Cursor) -> tuple[str, set[tuple[str, ...]]]:
    """Take a table; return it quoted, and what its columns may be qualified with."""
    parts = [cursor.identifier()]
    while cursor.skip_symbol("."):
        parts.append(cursor.name())
    quoted = ".".join(quote_name(part) for part in parts)
    return quoted, {tuple(parts[start:]) for start in range(len(parts))}


def _source(cursor: Cursor) -> tuple[str, str, set[tuple[str, ...]]]:
    """Take the source; return its name if it is a relation, its SQL, and its qualifiers."""
    named = ""
    names: set[tuple[str, ...]] = set()
    if cursor.skip_symbol("("):
        query = cursor.balanced()
        cursor.expect_symbol(")")
        if any(token.is_word("with") for token in query):
            # The page's usage notes; wording unsourced.
            raise StatementError("ERROR: WITH clause is not supported in MERGE statement")
        sql = f"({rewrite(query)})"
    else:
        named, names = _relation(cursor)
        sql = named
    if cursor.skip_words("as") or not cursor.peek().is_word("on"):
        alias = cursor.identifier()
        return named, f"{sql} AS {quote_name(alias)}", {(alias,)}
    return named, sql, names


def _matched(cursor: Cursor, names: Names) -> str:
    cursor.expect_words("when")
    if cursor.peek().is_word("not"):
        rest = cursor.rest()
        if any(left.is_word("when") for left in rest):
            raise NotSupported("MERGE with WHEN NOT MATCHED before WHEN MATCHED")
        raise _single_when()
    # No AND between MATCHED and THEN: https://github.com/jOOQ/jOOQ/issues/18351
    cursor.expect_words("matched")
    cursor.expect_words("then")
    if cursor.skip_words("delete"):
        return "WHEN MATCHED THEN DELETE"
    cursor.expect_words("update", "set")
    changes: list[str] = []
    while True:
        # "Don't include the table name when specifying the target column": a dot is an error here.
        column = quote_name(cursor.identifier())
        cursor.expect_symbol("=")
        changes.append(f"{column} = {_expression(cursor, names)}")
        if not cursor.skip_symbol(","):
            break
    return f"WHEN MATCHED THEN UPDATE SET {', '.join(changes)}"


def _not_matched(cursor: Cursor, names: Names) -> str:
    cursor.expect_words("when", "not", "matched", "then", "insert")
    columns = ""
    if cursor.peek().is_symbol("("):
        columns = f" ({', '.join(quote_name(name) for name in cursor.names_in_parentheses())})"
    cursor.expect_words("values")
    cursor.expect_symbol("(")
    values = [_expression(cursor, names)]
    while cursor.skip_symbol(","):
        values.append(_expression(cursor, names))
    cursor.expect_symbol(")")
    return f"WHEN NOT MATCHED THEN INSERT{columns} VALUES ({', '.join(values)})"


def _expression(cursor: Cursor, names: Names) -> str:
    """Take one expression, up to a comma, a closing parenthesis or the next WHEN."""
    taken: list[Token] = []
    parentheses = cases = 0
    while not cursor.done:
        token = cursor.peek()
        inside = parentheses or cases
        if not inside and (token.text in (",", ")") or token.is_word("when")):
            break
        parentheses += token.is_symbol("(") - token.is_symbol(")")
        cases += token.is_word("case") - token.is_word("end")
        taken.append(cursor.take())
    if not taken:
        raise cursor.error()
    if taken[0].is_word("default") and len(taken) == 1:
        raise NotSupported("DEFAULT in MERGE")  # the page has expressions only
    refuse_partial_super(taken, names)
    return rewrite(taken, [*names[0], *names[1]])


def _relations_read(tokens: Sequence[Token]) -> Iterator[str]:
    """Yield what stands behind FROM or JOIN, or behind a comma after FROM; some may be columns."""
    cursor = Cursor(tokens)
    in_from = False
    while not cursor.done:
        token = cursor.take()
        if token.is_word("where", "group", "on", "select", "order", "set") or token.text == ")":
            in_from = False
        in_from = in_from or token.is_word("from")
        starts = token.is_word("from", "join") or (in_from and token.is_symbol(","))
        if starts and cursor.peek().kind in ("word", "name"):
            yield ".".join(quote_name(part) for part in chain(cursor))


def _single_when() -> StatementError:
    # https://github.com/jOOQ/jOOQ/issues/18351 has the words.
    return StatementError("ERROR: MERGE statement with a single WHEN clause is not enabled.")


KINDS = (
    Kind(
        "MERGE",
        (("merge",),),
        "WHEN MATCHED with WHEN NOT MATCHED, or REMOVE DUPLICATES; column = column in ON; "
        "the target takes no alias",
        merge,
    ),
)
