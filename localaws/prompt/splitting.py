"""Where one statement of a script ends and the next begins."""

from __future__ import annotations

import re

_PIECE = re.compile(
    r"""
      (?P<end>;)
    | '(?:[^'\\]|''|\\.)*'
    | "(?:[^"]|"")*"
    | --[^\n]*
    | /\*.*?\*/
    | (?P<open>'|"|/\*)
    | .
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


def split(script: str) -> tuple[list[str], str]:
    """Return the statements that end with `;`, without it, and what is left after the last one.

    A `;` in a string, a quoted name or a comment ends nothing.
    """
    statements: list[str] = []
    begin = 0
    for piece in _PIECE.finditer(script):
        if piece["open"]:
            break  # a string, name or comment that goes on: nothing behind it can be an end
        if piece["end"]:
            statements.append(script[begin : piece.start()].strip())
            begin = piece.end()
    return [each for each in statements if not is_blank(each)], script[begin:]


def is_blank(text: str) -> bool:
    """Whether there is nothing but spaces and comments."""
    return not _COMMENTS.sub("", text).strip()
