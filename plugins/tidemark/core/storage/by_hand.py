"""What people did to a state document, kept in it: who, when, and why. Pure."""

from pydantic import AwareDatetime

from tidemark.core.documents import Frozen
from tidemark.core.errors import FixConfiguration

REMEMBERED = 50
"""So many changes a document keeps; older ones are in the bucket's versions of it."""


class Change(Frozen):
    """One command of a person that changed a state document, written in the same moment.

    :param what: the command; :param who: who gave it, as the terminal or Airflow knows them
    :param watermark: where the watermark was before; :param epoch: which epoch that was
    """

    at: AwareDatetime
    who: str
    what: str
    why: str
    watermark: AwareDatetime | None
    epoch: int


class Hand(Frozen):
    """Who changes something now, and why."""

    at: AwareDatetime
    who: str
    why: str = ""

    def reasoned(self) -> "Hand":
        """Return it. Raises `FixConfiguration` if there is no reason: somebody will ask for it."""
        if not self.why.strip():
            raise FixConfiguration(
                what="a change of the watermark by hand needs a reason, which is kept with it",
                do='Give one: --reason "…"',
            )
        return self
