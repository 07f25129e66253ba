"""The error of a source that does not do what was asked."""

from tidemark.core.errors import FixConfiguration


class SourceError(FixConfiguration):
    """The source refused what was asked: a name, a grant or the connection is wrong."""
