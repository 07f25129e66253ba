"""What the next run of an ``append`` table reads, and what its document remembers. Pure."""

from datetime import datetime
from typing import NamedTuple

from tidemark.core.source.growing_keys import KeyWindow, Sighting, awaiting, promoted
from tidemark.core.source.windows import Window
from tidemark.core.storage.state import TableState


class Step(NamedTuple):
    """How far a table can go now.

    :ivar window: the source times between which the table becomes complete; None if the keys that
        were seen must wait for transactions that are open
    :ivar keys: what to read; None if no row came in the window
    :ivar waiting: the sighting to remember
    """

    window: Window | None
    keys: KeyWindow | None
    waiting: Sighting | None


def next_step(state: TableState, newest: Sighting, horizon: datetime) -> Step:
    """Decide what to read. The first batch of a table is read even if it is empty.

    :param newest: how far the keys go now
    :param horizon: the source time before which every transaction that could write has ended
    """
    taken = promoted([state.sighting, newest], horizon)
    waiting = awaiting(state.sighting, newest, taken)
    if taken is None:
        return Step(None, None, waiting)
    window = Window(state.watermark, taken.as_of)
    keys = KeyWindow(low=state.key_mark, high=taken.above)
    nothing = window.empty or (state.watermark is not None and keys.empty)
    return Step(window, None if nothing else keys, waiting)


def with_sighting(state: TableState, sighting: Sighting | None) -> TableState:
    """Remember how far the keys went; changes nothing else. True whatever happened meanwhile."""
    return state.model_copy(update={"sighting": sighting})
