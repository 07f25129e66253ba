"""From the spool to the queue, once that is back."""

import asyncio
import logging
import random

from tidemark.core.events.messages import first_batch
from tidemark.hooks.queues.event_queue import QueueUnavailable
from tidemark.web.calling import Calls
from tidemark.web.disk import Disk

_LOG = logging.getLogger("tidemark.webhook")
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_LOOK_EVERY_S = 5.0
_TRIES = 5  # of what a call that succeeded did not take


async def drain(calls: Calls, disk: Disk) -> None:
    """Send what is in the spool, oldest first, for ever. The first success says: it is back."""
    pause = _FIRST_PAUSE_S
    while True:
        if not disk.spool.holds_any:
            calls.back()  # there is nothing to try it with but the next event
            await disk.wait(_LOOK_EVERY_S)
            continue
        try:
            if await _send_oldest(calls, disk):
                pause = _FIRST_PAUSE_S
                continue
        except QueueUnavailable as error:
            calls.failed(str(error))
        except OSError as error:
            _LOG.error(
                "the spool cannot be read", extra={"queue": calls.name, "error": error.strerror}
            )
        await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads, hides nothing
        pause = min(2 * pause, _LONGEST_PAUSE_S)


async def _send_oldest(calls: Calls, disk: Disk) -> bool:
    """Send a call's worth of the spool. Returns whether the queue took all of it."""
    found = await disk.oldest()
    found = found[: first_batch(each.message for each in found)]
    left = list(found)
    for _ in range(_TRIES):
        if not left:
            break
        not_taken = await calls.send([each.message for each in left])
        calls.back()
        for each in not_taken:
            if each.for_good:
                calls.refused(each)
                await disk.set_aside(left[each.number].message)
        left = [left[each.number] for each in not_taken if not each.for_good]
    if left:
        # Only a beginning can be forgotten; what follows is sent again, under the same ids.
        found = found[: found.index(left[0])]
    if found:
        await disk.sent(found[-1])
    return not left
