"""The two ways in which a call can go wrong.

ApiError         the call itself is refused; the client gets an exception of that name
StatementError   the statement is accepted and ends FAILED (a COPY may leave load errors)
    NotSupported     the stand-in does not do this: refused by name
"""

from __future__ import annotations

from dataclasses import dataclass

from localaws.redshift.long_names import in_full


class ApiError(Exception):
    """A refused call: `code` is the name of the modelled exception, `resource` its ResourceId."""

    def __init__(self, code: str, message: str, *, resource: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.resource = resource


def invalid(message: str) -> ApiError:
    """Return the exception for a request that can never succeed as it is."""
    return ApiError("ValidationException", message)


@dataclass(frozen=True, slots=True)
class LoadError:
    """One row for stl_load_errors: which file, line and column a COPY could not load, and why.

    `line` is 0 for formats without lines; `position` counts from 0 within the line. `parsed` are
    the values of the line up to the bad one, for stl_loaderror_detail.
    """

    file_name: str
    column_name: str
    column_type: str
    column_length: str
    code: int
    message: str
    line: int = 0
    position: int = 0
    raw_line: str = ""
    raw_value: str = ""
    parsed: tuple[str, ...] = ()


class StatementError(Exception):
    """A statement that failed, with the text that DescribeStatement shows as its Error."""

    def __init__(self, text: str, *, load_error: LoadError | None = None) -> None:
        self.text = in_full(text)
        super().__init__(self.text)
        self.load_error = load_error


class NotSupported(StatementError):
    """Redshift may well do this; the stand-in does not, and says so instead of guessing."""

    def __init__(self, what: str) -> None:
        super().__init__(f"ERROR: localaws does not support {what}")


def detailed(headline: str, code: int, context: str, location: str) -> str:
    """Write an error with the block of detail that Redshift's engine adds to its own errors.

    The shape is that of https://github.com/transferwise/pipelinewise-target-redshift/pull/59 and
    https://github.com/rudderlabs/rudder-server/pull/3178; query and process numbers are left out.
    """
    line = "-" * 47
    return (
        f"ERROR: {headline}\n  Detail: \n  {line}\n  error:  {headline}\n  code:      {code}\n"
        f"  context:   {context}\n  location:  {location}\n  {line}"
    )
