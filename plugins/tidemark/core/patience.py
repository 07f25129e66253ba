"""How long to wait before asking again."""

from collections.abc import Callable, Iterator

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 8.0


def waits(jitter: Callable[[], float]) -> Iterator[float]:
    """Yield pauses, in seconds, without end: they double, up to `LONGEST_SECONDS`.

    Each is shortened by up to half, so that those who failed together do not come back together.

    :param jitter: returns a number in [0, 1)
    """
    pause = FIRST_SECONDS
    while True:
        yield pause * (1 - jitter() / 2)
        pause = min(2 * pause, LONGEST_SECONDS)
