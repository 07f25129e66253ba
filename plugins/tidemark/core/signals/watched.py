"""What the watch remembers from one look to the next: `signals/watched.json`. Pure."""

from collections.abc import Mapping

from pydantic import AwareDatetime, Field

from tidemark.core.documents import Frozen
from tidemark.core.signals.incidents import Incidents

KEY = "signals/watched.json"


class Aside(Frozen):
    """One record of rows that were set aside: read again only when it was changed.

    :param rows: those that were not sent round again
    """

    changed_at: AwareDatetime
    stream: str
    rows: int


class Watched(Frozen):
    """What was seen at the last look.

    :param dead_letters: by queue; :param aside: by the key of the record
    """

    incidents: Incidents = Incidents()
    dead_letters: dict[str, int] = Field(default_factory=dict)
    aside: dict[str, Aside] = Field(default_factory=dict)

    @property
    def rows_aside(self) -> dict[str, int]:
        """Rows that are set aside, by table or queue."""
        return rows_by_stream(self.aside)


def rows_by_stream(aside: Mapping[str, Aside]) -> dict[str, int]:
    """Add records up, by table or queue."""
    rows: dict[str, int] = {}
    for each in aside.values():
        rows[each.stream] = rows.get(each.stream, 0) + each.rows
    return rows
