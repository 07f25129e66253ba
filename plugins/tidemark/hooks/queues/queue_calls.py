"""Many calls to SQS at once, each at a third of the processor time that botocore's takes.

Ten messages are the most that SQS takes or gives in a call, so a drain of 100,000 is 20,000 calls,
and what a call costs here is what a drain costs. Endpoint, region, credentials and signature are
botocore's; its serializers and events are left out.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html
"""

import asyncio
import json
import random
import ssl
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError, HTTPClientError, SSLError
from botocore.utils import get_environ_proxies

from tidemark.core.patience import waits
from tidemark.hooks.queues.queue_access import QueueAccess

AT_ONCE = 32
"""Connections, so calls under way at once. One is about ten messages, and mostly the way to SQS and
back; more would wait for this process's processor."""

_ATTEMPTS = 5
_DEADLINE = aiohttp.ClientTimeout(total=60, sock_connect=10, sock_read=40)  # a poll takes 20 s
# Beside HTTP 5xx:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
_PASSING = {"RequestThrottled", "ThrottlingException", "Throttling", "KmsThrottled"}

T = TypeVar("T")
Answer = Mapping[str, Any]


class QueueCalls:
    """A context manager; the calls run in a thread of its own. Threads may share it.

    Leaving the block waits for the calls under way: what SQS gave must not be lost sight of.

    :param explained: in which a call fails, with botocore's errors, by the operation's name
    """

    def __init__(
        self, access: QueueAccess, explained: Callable[[str], AbstractContextManager[None]]
    ) -> None:
        self._access, self._explained = access, explained
        self._under_way: set[Future[Any]] = set()
        self._opened: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve()), name="queue-calls", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        self._loop = self._opened.result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        wait(list(self._under_way))
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def submit(
        self, operation: str, arguments: Mapping[str, Any], then: Callable[[Answer], T]
    ) -> Future[T]:
        """Make a call; the future has what `then` makes of its answer, in the calls' own thread.

        Tried again, five times in all, while SQS cannot be reached, is out of order or throttles.
        """
        body = json.dumps(arguments).encode()
        call = asyncio.run_coroutine_threadsafe(self._done(operation, body, then), self._loop)
        self._under_way.add(call)
        call.add_done_callback(self._under_way.discard)
        return call

    async def _serve(self) -> None:
        try:
            connector = aiohttp.TCPConnector(limit=AT_ONCE, ssl=self._trusted())
            proxies = get_environ_proxies(self._access.endpoint)
            self._proxy = proxies.get(self._access.endpoint.partition(":")[0])
            self._end = asyncio.Event()
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=_DEADLINE,
                auto_decompress=False,
                headers={"User-Agent": self._access.user_agent, "Accept-Encoding": "identity"},
            )
        except BaseException as error:
            self._opened.set_exception(error)
            raise
        async with self._session:
            self._opened.set_result(asyncio.get_running_loop())
            await self._end.wait()

    def _trusted(self) -> ssl.SSLContext | bool:
        if self._access.authorities is None:
            return False
        return ssl.create_default_context(cafile=self._access.authorities)

    async def _done(self, operation: str, body: bytes, then: Callable[[Answer], T]) -> T:
        with self._explained(operation):
            pauses = waits(random.random)
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    return then(await self._answer(operation, body))
                except (ClientError, HTTPClientError) as error:
                    if attempt == _ATTEMPTS or not _passing(error):
                        raise
                await asyncio.sleep(next(pauses))
        raise AssertionError("the last attempt returns or raises")

    async def _answer(self, operation: str, body: bytes) -> Answer:
        """Raises `ClientError` for what SQS refuses, `SSLError` if nobody vouches for it,
        `HTTPClientError` without an answer."""
        try:
            async with self._session.post(
                self._access.endpoint,
                data=body,
                headers=self._signed(operation, body),
                proxy=self._proxy,
                allow_redirects=False,
            ) as response:
                text = await response.read()
                if response.status == 200:
                    answer: Answer = json.loads(text)
                    return answer
        except aiohttp.ClientSSLError as error:
            raise SSLError(endpoint_url=self._access.endpoint, error=error) from error
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise HTTPClientError(error=error) from error
        raise _refusal(operation, response.status, response.headers, text)

    def _signed(self, operation: str, body: bytes) -> dict[str, str]:
        given = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"AmazonSQS.{operation}",
        }
        request = AWSRequest("POST", self._access.endpoint, headers=given, data=body)
        now = self._access.credentials.get_frozen_credentials()  # asks for new ones when they end
        SigV4Auth(now, "sqs", self._access.region).add_auth(request)
        return dict(request.headers.items())


def _refusal(operation: str, status: int, headers: Mapping[str, str], text: bytes) -> ClientError:
    try:
        told = json.loads(text)
        code, message = str(told["__type"]), str(told.get("message", told.get("Message", "")))
    except (ValueError, TypeError, KeyError, AttributeError):
        code, message = str(status), ""
    # The name that SQS had for it before it spoke JSON, as botocore tells it too.
    before = headers.get("x-amzn-query-error", "").partition(";")[0]
    said = {"Code": before or code.rpartition("#")[2], "Message": message}
    metadata = {
        "HTTPStatusCode": status,
        "RequestId": headers.get("x-amzn-requestid", ""),
        "HTTPHeaders": dict(headers),
        "RetryAttempts": 0,
        "HostId": "",
    }
    return ClientError({"Error": said, "ResponseMetadata": metadata}, operation)


def _passing(error: ClientError | HTTPClientError) -> bool:
    if isinstance(error, HTTPClientError):
        return True
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return status >= 500 or error.response["Error"]["Code"].rpartition(".")[2] in _PASSING
