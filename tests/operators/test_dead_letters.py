"""If these fail, events that were received too often are lost, or come back as others."""

from __future__ import annotations

import pytest
from tidemark.cli import main
from tidemark.operators import RedriveOperator
from tidemark.operators.drain.dead_letters import examine_queue
from tidemark.operators.stream import QueueStream

from localaws import inject
from tests.support.drains import DrainedQueue
from tests.support.event_queue import purchases
from tests.support.product import Product


@pytest.mark.runbook(
    "Messages are in the dead-letter queue, or somebody wants their events deleted"
)
def test_dead_letters_go_round_again_as_the_events_they_were(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    # As a message without an id of a receiver's: SQS gives it another when it is sent again.
    queue = DrainedQueue(product, events={"layout": "narrow", "key": "message_id"})
    queue.send(*purchases(12))
    queue.give_up_on_all()
    assert (queue.left(), queue.left(queue.dead)) == (0, 12)
    stream = QueueStream.open(queue.name)
    said = " ".join(finding.what for finding in examine_queue(stream))
    assert "about 12 messages are in its dead-letter queue" in said
    assert "maxReceiveCount is 2" not in said  # its runs are not tried again: two are enough
    for arguments in (["depth"], ["redrive", "--most", "5"], ["redrive"], ["redrive"], ["depth"]):
        assert main(["dlq", *arguments, "-q", queue.name]) == 0
    told = capsys.readouterr().out.splitlines()
    lines = [line for line in told if line.startswith(f"{queue.name}:")]  # others are the log's
    assert "dead-letter queue: about 12 messages" in lines[0]
    assert [line.split()[1] for line in lines[1:4]] == ["5", "7", "0"]
    assert "dead-letter queue: about 0 messages" in lines[4]
    queue.drain()
    queue.assert_users(12)


def test_an_event_that_was_loaded_after_all_counts_once(product: Product) -> None:
    queue = DrainedQueue(product, events={"layout": "narrow", "key": "message_id"})
    queue.send(*purchases(2))
    queue.start().go(until="load_primary")  # loaded, and still in the queue
    queue.reappear()
    queue.give_up_on_all()
    assert main(["dlq", "redrive", "-q", queue.name]) == 0
    queue.drain()  # the batch in flight, whose messages are gone
    queue.drain()
    queue.assert_users(2)
    assert queue.left() == queue.left(queue.dead) == 0


@pytest.mark.runbook("The queue cannot be reached, or refuses")
def test_a_queue_that_cannot_be_asked_is_told_from_one_that_refuses(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = DrainedQueue(product)
    asked = ["dlq", "depth", "-q", queue.name]
    with inject(product.stack, "sqs", "reset", match=f"{queue.name}$"):
        assert main(asked) == 75
    assert "SQS could not be asked for" in capsys.readouterr().err
    product.configure_queue(queue.name, queue_url=f"{queue.url}_gone")
    assert main(asked) == 1
    assert "SQS refused" in capsys.readouterr().err


def test_the_form_in_airflow_does_the_same(product: Product) -> None:
    queue = DrainedQueue(product)
    queue.send("no JSON", *purchases(1))
    queue.drain()
    queue.send(*purchases(2, first=1))
    queue.give_up_on_all()

    def fill_in(what: str) -> dict[str, int | None]:
        form = {"table": queue.name, "what": what}
        return RedriveOperator(task_id="act").execute({"params": form})  # type: ignore[typeddict-item]

    assert fill_in("look") == {"set_aside": 1, "dead_letters": 2}
    assert fill_in("set_aside") == {"rows": 1}
    assert fill_in("dead_letters") == {"moved": 2}
    assert fill_in("look") == {"set_aside": 0, "dead_letters": 0}
    queue.drain()
    queue.assert_users(3)
    assert fill_in("look") == {"set_aside": 1, "dead_letters": 0}  # it is no JSON still
