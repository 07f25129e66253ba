"""Text that is not UTF-8: told as Redshift tells it, or replaced (ACCEPTINVCHARS).

https://docs.aws.amazon.com/redshift/latest/dg/multi-byte-character-load-errors.html
"""

from __future__ import annotations

_CONTINUATION = range(0x80, 0xC0)


def replaced(raw: bytes, replacement: str) -> str:
    """Return the text; every byte of an invalid character becomes the replacement character.

    https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html
    """
    pieces: list[str] = []
    rest = raw
    while True:
        try:
            return "".join([*pieces, rest.decode()])
        except UnicodeDecodeError as error:
            pieces.append(rest[: error.start].decode())
            pieces.append(replacement * (error.end - error.start))
            rest = rest[error.end :]


def reason(raw: bytes) -> str:
    """Return the err_reason for bytes that are not UTF-8 (error code 1220)."""
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        bad = raw[error.start : error.end]
        number = _number(raw, error.start)
        return (
            "String contains invalid or unsupported UTF8 codepoints. "
            f"Bad UTF8 hex sequence: {bad.hex(' ')} (error {number})"
        )
    raise ValueError("these bytes are UTF-8")


def not_single_byte(text: str) -> str:
    """Return the err_reason for a character that CHAR cannot hold (error code 1215)."""
    bad = next(char for char in text if not char.isascii())
    return (
        "Multibyte character not supported for CHAR (Hint: try using VARCHAR). "
        f"Invalid char: {bad.encode().hex(' ')}"
    )


def _number(raw: bytes, start: int) -> int:
    """Return which of the page's kinds of error this is."""
    first = raw[start]
    if first in _CONTINUATION or first >= 0xFE:
        return 3  # the first byte is out of range
    if first >= 0xF8:
        return 1  # longer than four bytes
    length = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    rest = raw[start + 1 : start + length]
    if len(rest) < length - 1 and all(byte in _CONTINUATION for byte in rest):
        return 2  # the string ends too early
    if any(byte not in _CONTINUATION for byte in rest):
        return 4  # a byte that does not continue the character
    # Surrogates and numbers above 10FFFF; that these are 5 and 6 is unsourced.
    return 5 if first == 0xED else 6
