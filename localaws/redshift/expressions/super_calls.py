"""Calls that build and take apart JSON: https://docs.aws.amazon.com/redshift/latest/dg/json-functions.html"""

from __future__ import annotations

import json
import re

from localaws.redshift.errors import NotSupported, StatementError
from localaws.redshift.expressions.arguments import Arguments
from localaws.redshift.expressions.terms import Term
from localaws.redshift.sql.cursor import Cursor
from localaws.redshift.sql.lexer import quote_string

_PATH = re.compile(r'"(?:[^"]|"")+"(?:\."(?:[^"]|"")+")*')
_PATH_NAME = re.compile(r'"((?:[^"]|"")+)"')


def _json_path(arguments: Arguments) -> Term:
    cursor = arguments.cursor
    document = arguments.next().sql
    steps: list[str] = []
    nullify = "false"
    while arguments.more():
        if cursor.peek().is_word("true", "false") and not cursor.peek(1).text:
            nullify = cursor.take().text
            break
        steps.append(f"({arguments.next().sql})::text")
    cursor.expect_end()
    if not 1 <= len(steps) <= 5:
        # One to five: https://docs.aws.amazon.com/redshift/latest/dg/JSON_EXTRACT_PATH_TEXT.html
        raise StatementError(
            f"ERROR: function json_extract_path_text with {len(steps)} path elements does not exist"
        )
    sql = f"redshift_json_path({document}, {nullify}, {', '.join(steps)})"
    return Term(sql, "json_extract_path_text", "redshift_json_path")


def _array(arguments: Arguments) -> Term:
    parts = ", ".join(f"super_part({each})::jsonb" for each in arguments.all())
    return Term(f"super_array({parts})", "array", "super_array")


def _object(arguments: Arguments) -> Term:
    given = arguments.all()
    if len(given) % 2:
        # https://docs.aws.amazon.com/redshift/latest/dg/r_object_function.html ; wording unsourced
        raise StatementError("ERROR: OBJECT needs a value for every key")
    parts = ", ".join(
        f"({key})::text, super_part({value})::jsonb"
        for key, value in zip(given[::2], given[1::2], strict=True)
    )
    return Term(f"super_object({parts})", "object", "super_object")


def _object_transform(arguments: Arguments) -> Term:
    cursor = arguments.cursor
    source = arguments.next("keep", "set").sql
    kept: list[list[str]] = []
    changes: list[str] = []
    if cursor.skip_words("keep"):
        kept.append(_quoted_path(cursor))
        while cursor.skip_symbol(","):
            kept.append(_quoted_path(cursor))
    if cursor.skip_words("set"):
        if not kept:
            # The page does not say what then becomes of the rest of the object.
            raise NotSupported("OBJECT_TRANSFORM with SET and without KEEP")
        while True:
            path = quote_string(json.dumps(_quoted_path(cursor)))
            cursor.expect_symbol(",")
            changes.append(f"{path}::jsonb, super_part({arguments.next().sql})::jsonb")
            if not cursor.skip_symbol(","):
                break
    cursor.expect_end()
    if not kept:
        return Term(source, "object_transform")
    paths = quote_string(json.dumps(kept))
    sql = (
        f"redshift_object_transform({source}, {paths}::jsonb, "
        f"jsonb_build_array({', '.join(changes)}))"
    )
    return Term(sql, "object_transform", "redshift_object_transform")


def _quoted_path(cursor: Cursor) -> list[str]:
    """Take a literal like '"a"."b"'."""
    text = cursor.string()
    if not _PATH.fullmatch(text):
        # Wording unsourced.
        raise StatementError(f"ERROR: OBJECT_TRANSFORM: invalid path {text}")
    return [name.replace('""', '"') for name in _PATH_NAME.findall(text)]


CALLS = {
    "array": _array,
    "json_extract_path_text": _json_path,
    "object": _object,
    "object_transform": _object_transform,
}
