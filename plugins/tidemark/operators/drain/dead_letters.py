"""A queue's dead-letter queue, and what there is to say of both: asked and emptied by hand."""

from collections.abc import Sequence
from dataclasses import dataclass

from tidemark.core.errors import FixConfiguration, TryAgain
from tidemark.core.events.event_rows import Received, attributes_again
from tidemark.core.events.queue_settings import judge_queue
from tidemark.core.findings import Finding
from tidemark.hooks.queues.message_queue import MessageQueue
from tidemark.operators.stream import QueueStream

_HIDDEN_S = 300  # from the reception of ten messages until they are sent and deleted


@dataclass(frozen=True, slots=True)
class Depth:
    """About how many messages wait, as SQS counts; `dead` is None without dead-letter queue."""

    waiting: int
    dead: int | None


def depth(stream: QueueStream) -> Depth:
    """Return how many messages wait in a queue and in its dead-letter queue."""
    dead = stream.messages.dead_letters()
    return Depth(
        waiting=stream.messages.waiting() or 0,
        dead=(dead.waiting() or 0) if dead else None,
    )


def redrive_dead_letters(stream: QueueStream, most: int | None = None) -> int:
    """Send the messages of the dead-letter queue to their queue again; return how many.

    Each keeps its id and when it came in, so one that was loaded after all counts once, and one
    whose person asked for deletion stays away. Broken off anywhere, it may be done again.

    :param most: so many at most; None: as many as there are when it begins, so that what comes
        back meanwhile does not go round for ever
    :raises FixConfiguration: there is no dead-letter queue
    """
    dead = stream.messages.dead_letters()
    if dead is None:
        raise FixConfiguration(
            what="the queue has no dead-letter queue",
            do="Give it one: python -m tidemark doctor says how.",
            table=stream.table.name,
        )
    left = most if most is not None else dead.waiting() or 0
    moved = 0
    with dead.calls() as calls:
        while left > 0:
            found = dead.receive(
                calls, most=left, wait_seconds=1, visibility_seconds=_HIDDEN_S
            ).result()
            if not found:
                break
            _send_again(stream, dead, found)
            left -= len(found)
            moved += len(found)
    return moved


def _send_again(stream: QueueStream, dead: MessageQueue, found: Sequence[Received]) -> None:
    stream.messages.send(
        [(each.body, attributes_again(each.attributes, each.id, each.sent_at)) for each in found]
    )
    for _, kept in dead.delete([each.handle for each in found]):
        if kept:
            raise TryAgain(
                what=f"{kept[0]}: messages that were sent again are in the dead-letter queue "
                "too; they count once",
                do="Type the command again.",
                table=stream.table.name,
            )


def examine_queue(stream: QueueStream) -> list[Finding]:
    """Return what is to be said of a queue's settings. Raises if the queue cannot be asked."""
    dead = stream.messages.dead_letters()
    return judge_queue(
        stream.project.queues[stream.table.name],
        stream.drain,
        stream.messages.attributes(),
        dead.attributes() if dead else None,
    )
