"""SELECT, INSERT, UPDATE, DELETE and LOCK, made ready for the engine.

INSERT, UPDATE, DELETE and COPY lock their table against other writers, as in
https://docs.aws.amazon.com/redshift/latest/dg/c_write_readwrite.html
"""

from __future__ import annotations

from collections.abc import Sequence

from localaws.redshift.definitions.create_tables import create_table
from localaws.redshift.engine.session import Plan
from localaws.redshift.errors import StatementError
from localaws.redshift.expressions.rewriting import rewrite
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import Token, quote_name
from localaws.redshift.sql.plans import RunSql
from localaws.redshift.sql.statements import Kind


def select(tokens: Sequence[Token]) -> Plan:
    """Plan a query; SELECT INTO is CREATE TABLE AS. Refuses statements that write inside WITH."""
    depth = 0
    for index, token in enumerate(tokens):
        depth += token.is_symbol("(") - token.is_symbol(")")
        opens = index > 0 and tokens[index - 1].is_symbol("(")
        if token.is_word("into") and depth == 0:
            return _select_into(tokens, index)
        # "A WITH clause subquery may not consist of a SELECT INTO statement":
        # https://docs.aws.amazon.com/redshift/latest/dg/r_WITH_clause.html
        if token.is_word("into") or (
            opens and token.is_word("insert", "update", "delete", "merge")
        ):
            raise StatementError(f'ERROR: syntax error at or near "{token.raw}"')
    return RunSql("SELECT", rewrite(tokens))


def _select_into(tokens: Sequence[Token], index: int) -> Plan:
    """Plan SELECT … INTO: https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_INTO.html"""
    cursor = Cursor(tokens[index + 1 :])
    temporary = cursor.skip_words("temp") or cursor.skip_words("temporary")
    cursor.skip_words("table")
    start = index + 1 + cursor.position
    cursor.table()
    end = index + 1 + cursor.position
    words = ["create", *(["temp"] if temporary else []), "table"]
    head = [Token("word", word, word) for word in words]
    query = [Token("word", "as", "as"), *tokens[:index], *tokens[end:]]
    return create_table([*head, *tokens[start:end], *query])


def insert(tokens: Sequence[Token]) -> Plan:
    """Plan an INSERT of values or of a query."""
    cursor = Cursor(tokens)
    cursor.expect_words("insert", "into")
    table = cursor.table()
    columns = ""
    if cursor.peek().is_symbol("(") and not cursor.peek(1).is_word("select", "with"):
        names = cursor.names_in_parentheses()
        columns = f" ({', '.join(quote_name(name) for name in names)})"
    head = f"INSERT INTO {table}{columns} "
    first = cursor.peek()
    if first.is_word("default"):
        cursor.expect_words("default", "values")
        cursor.expect_end()
        return RunSql("INSERT", head + "DEFAULT VALUES", write_lock=table)
    if first.is_word("values"):
        cursor.take()
        rows = cursor.rest()
        _check_rows(rows)
        return RunSql("INSERT", head + "VALUES " + rewrite(rows), write_lock=table)
    if not (first.is_word("select", "with") or first.is_symbol("(")):
        raise cursor.error()
    return RunSql("INSERT", head + rewrite(cursor.rest()), write_lock=table)


def _check_rows(tokens: Sequence[Token]) -> None:
    """Accept `(…), (…)` and nothing behind it, where the engine would take any query."""
    cursor = Cursor(tokens)
    while True:
        cursor.expect_symbol("(")
        cursor.balanced()
        cursor.expect_symbol(")")
        if not cursor.skip_symbol(","):
            break
    if not cursor.done:
        error = cursor.error()
        rewrite(cursor.rest())  # what it knows, it refuses by name
        raise error


def update(tokens: Sequence[Token]) -> Plan:
    """Plan an UPDATE: https://docs.aws.amazon.com/redshift/latest/dg/r_UPDATE.html"""
    table = _target(tokens, "update")
    depth = 0
    in_from = False
    for index, token in enumerate(tokens):
        depth += token.is_symbol("(") - token.is_symbol(")")
        if depth == 0:
            in_from = (in_from or token.is_word("from")) and not token.is_word("where")
            if in_from and token.is_word("left", "right", "full"):
                # The page's usage notes have the words.
                raise StatementError("ERROR: Target table must be part of an equijoin predicate")
        if depth == 1 and token.is_symbol("(") and tokens[index - 1].is_word("set"):
            # SET (a, b) = … is not in the syntax.
            raise StatementError('ERROR: syntax error at or near "("')
    return RunSql("UPDATE", rewrite(tokens), write_lock=table)


def delete(tokens: Sequence[Token]) -> Plan:
    """Plan a DELETE. The FROM may be left out, as Redshift allows."""
    start = _verb(tokens, "delete")
    cursor = Cursor(tokens[start + 1 :])
    cursor.skip_words("from")
    first = cursor.position
    table = cursor.table()
    named = [token.text for token in tokens[start + 1 :][first : cursor.position : 2]]
    if not (cursor.done or cursor.peek().is_word("using", "where")):
        # The syntax has no alias: https://docs.aws.amazon.com/redshift/latest/dg/r_DELETE.html
        raise cursor.error()
    before = rewrite(tokens[:start])
    target = [tuple(named[index:]) for index in range(len(named))]
    words = [before, "DELETE FROM", table, rewrite(cursor.rest(), target)]
    return RunSql("DELETE", " ".join(words), write_lock=table)


def lock(tokens: Sequence[Token]) -> Plan:
    """Plan a LOCK: the only statement that waits for a table without fixing the snapshot first."""
    cursor = Cursor(tokens)
    cursor.expect_words("lock")
    cursor.skip_words("table")
    tables = [cursor.table()]
    while cursor.skip_symbol(","):
        tables.append(cursor.table())
    cursor.expect_end()
    # Always ACCESS EXCLUSIVE: https://docs.aws.amazon.com/redshift/latest/dg/r_LOCK.html
    sql = f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE"
    return RunSql("LOCK", sql, takes_snapshot=False, refuse_in="autocommit")


def _verb(tokens: Sequence[Token], verb: str) -> int:
    depth = 0
    for index, token in enumerate(tokens):
        depth += token.is_symbol("(") - token.is_symbol(")")
        if depth == 0 and token.is_word(verb):
            return index
    raise StatementError("ERROR: syntax error at end of input")


def _target(tokens: Sequence[Token], verb: str) -> str:
    return Cursor(tokens[_verb(tokens, verb) + 1 :]).table()


KINDS = (
    Kind(
        "SELECT",
        (("select",),),
        "INTO, TOP, QUALIFY, set operations, PIVOT and UNPIVOT of subqueries that list their "
        "columns; no EXCLUDE, no CONNECT BY",
        select,
    ),
    Kind("INSERT", (("insert", "into"),), "VALUES or a query", insert),
    Kind("UPDATE", (("update",),), "with FROM", update),
    Kind("DELETE", (("delete",),), "with USING; the target takes no alias", delete),
    Kind("LOCK", (("lock",),), "in a batch only; takes no snapshot", lock),
)
