"""SQS, as the drain needs it: receive, keep from others, delete. Decides nothing.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tidemark.core.errors import FixConfiguration, TidemarkError, TryAgain
from tidemark.core.events.event_rows import Received
from tidemark.core.events.queue_settings import dead_letter_arn
from tidemark.core.settings.queues import BATCH_MESSAGES, Queue
from tidemark.hooks.queues.queue_access import QueueHook
from tidemark.hooks.queues.queue_calls import AT_ONCE, Answer, QueueCalls

_LONGEST_POLL = 20
_CONFIG = Config(
    connect_timeout=10,
    read_timeout=_LONGEST_POLL + 20,
    retries={"max_attempts": 5, "mode": "standard"},
)
_MISCONFIGURED = {
    "QueueDoesNotExist",
    "NonExistentQueue",
    "AccessDenied",
    "AccessDeniedException",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "InvalidAddress",
}
# The message is not there, or its handle is of an earlier reception: whoever has it now deletes it.
_GONE = {"ReceiptHandleIsInvalid", "InvalidParameterValue", "MessageNotInflight"}


_DEPTHS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class MessageQueue:
    """One SQS queue. Every call has a deadline and bounded retries with jitter. Threads may share
    it once it is open.

    Raises `FixConfiguration` for a queue that is missing or closed to us, `TryAgain` for other
    failures.
    """

    def __init__(self, queue: Queue) -> None:
        assert queue.queue_url, queue.name
        self._queue, self._url = queue, queue.queue_url

    @cached_property
    def _hook(self) -> QueueHook:
        return QueueHook(
            aws_conn_id=self._queue.aws_conn_id,
            region_name=self._queue.lies_in,
            config=_CONFIG,
        )

    @property
    def _sqs(self) -> Any:
        return self._hook.conn

    def calls(self) -> QueueCalls:
        """Return what many calls at once are made with; asks Airflow for the connection."""
        with self._explained("open"):
            return QueueCalls(self._hook.access, self._explained)

    def waiting(self) -> int | None:
        """Return how many messages may be received now, about; None where nobody may ask."""
        try:
            told = self.attributes("ApproximateNumberOfMessages")
        except FixConfiguration as error:
            if "AccessDenied" in error.what:
                return None
            raise
        return int(told.get("ApproximateNumberOfMessages", 0))

    def nothing_left(self) -> bool:
        """Return whether there is no message, about: none that waits, is hidden, or comes later."""
        told = self.attributes(*_DEPTHS)
        return not any(int(told.get(name, 0)) for name in _DEPTHS)

    def attributes(self, *names: str) -> dict[str, str]:
        """Return attributes of the queue, by name."""
        with self._explained("get_queue_attributes"):
            answer = self._sqs.get_queue_attributes(
                QueueUrl=self._url, AttributeNames=list(names or ("All",))
            )
        return dict(answer.get("Attributes", {}))

    def dead_letters(self) -> "MessageQueue | None":
        """Return the dead-letter queue of this one; None where it has none."""
        arn = dead_letter_arn(self.attributes("RedrivePolicy"))
        if arn is None:
            return None
        account, name = arn.split(":")[-2:]
        with self._explained("get_queue_url"):
            found = self._sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)
        return MessageQueue(self._queue.model_copy(update={"queue_url": found["QueueUrl"]}))

    def receive(
        self,
        calls: QueueCalls,
        *,
        most: int,
        wait_seconds: int,
        visibility_seconds: int,
        taken: Callable[[Sequence[Received]], None] | None = None,
    ) -> Future[list[Received]]:
        """Ask for up to ten messages: none if none came while it was waited for them.

        :param taken: told of them at once, in the calls' own thread
        """
        arguments = {
            "QueueUrl": self._url,
            "MaxNumberOfMessages": min(most, BATCH_MESSAGES),
            "WaitTimeSeconds": min(wait_seconds, _LONGEST_POLL),
            "VisibilityTimeout": visibility_seconds,
            "MessageAttributeNames": ["All"],
            "MessageSystemAttributeNames": ["SentTimestamp", "ApproximateReceiveCount"],
        }

        def received(answer: Answer) -> list[Received]:
            found = [_received(message) for message in answer.get("Messages", ())]
            if taken:
                taken(found)
            return found

        return calls.submit("ReceiveMessage", arguments, received)

    def send(self, messages: Sequence[tuple[str, dict[str, str]]]) -> None:
        """Send bodies with attributes, one a call: they are few, and may be large.

        Raises `TryAgain` for the first that was not taken; those before it were.
        """
        for body, attributes in messages:
            with self._explained("send_message"):
                self._sqs.send_message(
                    QueueUrl=self._url,
                    MessageBody=body,
                    MessageAttributes={
                        name: {"DataType": "String", "StringValue": value}
                        for name, value in attributes.items()
                        if value
                    },
                )

    def keep_from_others(self, handles: Sequence[str], seconds: int) -> int:
        """Keep messages from others for so long from now; 0 gives them back at once.

        Returns how many could not be changed: they were given back already.
        """
        if not handles:
            return 0
        more = {"VisibilityTimeout": seconds}
        told = self._for_each_ten("ChangeMessageVisibilityBatch", handles, more)
        return sum(len(failed) for _, failed in told)

    def delete(self, handles: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
        """Delete messages, ten at a time; yield for each call how many it was about, and the codes
        of those that the queue did not delete.

        One that is gone, or that somebody else has received meanwhile, is none of them: it comes
        back, and is counted once by its key.
        """
        return self._for_each_ten("DeleteMessageBatch", handles, {})

    def _for_each_ten(
        self, operation: str, handles: Sequence[str], more: Mapping[str, Any]
    ) -> Iterator[tuple[int, list[str]]]:
        answers: deque[Future[tuple[int, list[str]]]] = deque()
        with self.calls() as calls:
            for at in range(0, len(handles), BATCH_MESSAGES):
                if len(answers) == 2 * AT_ONCE:
                    yield answers.popleft().result()
                ten = handles[at : at + BATCH_MESSAGES]
                entries = [{"Id": str(n), "ReceiptHandle": h, **more} for n, h in enumerate(ten)]
                arguments = {"QueueUrl": self._url, "Entries": entries}
                answers.append(calls.submit(operation, arguments, partial(_not_done, len(ten))))
            while answers:
                yield answers.popleft().result()

    @contextmanager
    def _explained(self, operation: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            code = _code(error.response.get("Error", {}))
            family: type[TidemarkError] = FixConfiguration if code in _MISCONFIGURED else TryAgain
            passing = "It is tried again while retries are left. If it lasts: "
            raise family(
                what=f"SQS refused {operation} on {self._url}: {error}",
                do=f"{passing if family is TryAgain else ''}Check queues.{self._queue.name}."
                f"queue_url in queues.yaml and what the connection {self._queue.aws_conn_id} may "
                "do there, then clear the task.",
                table=self._queue.name,
            ) from error
        except BotoCoreError as error:
            raise TryAgain(
                what=f"SQS could not be asked for {self._url}: {error}",
                do=f"Check the connection {self._queue.aws_conn_id} and the network, "
                "then clear the task.",
                table=self._queue.name,
            ) from error


def _not_done(count: int, answer: Answer) -> tuple[int, list[str]]:
    return count, _codes(answer.get("Failed", ()))


def _codes(failed: Sequence[dict[str, Any]]) -> list[str]:
    codes = [_code(entry) for entry in failed]
    return [code for code in codes if code not in _GONE]


def _code(said: dict[str, Any]) -> str:
    return str(said.get("Code", "")).removeprefix("AWS.SimpleQueueService.")


def _received(message: dict[str, Any]) -> Received:
    system = message.get("Attributes", {})
    return Received(
        id=message["MessageId"],
        handle=message["ReceiptHandle"],
        sent_at=datetime.fromtimestamp(int(system.get("SentTimestamp", 0)) / 1000, UTC),
        count=int(system.get("ApproximateReceiveCount", 1)),
        attributes={
            name: value["StringValue"]
            for name, value in message.get("MessageAttributes", {}).items()
            if "StringValue" in value
        },
        body=message["Body"],
    )
