"""S3 and SQS: bytes and messages a second."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config

from bench.figures import Figure, middle, rounds
from localaws import Endpoints

S3 = "S3"
SQS = "SQS"
_BUCKET = "bench-objects"
_LARGE = 8 * 2**20
_SMALL = 64 * 2**10
_SMALL_COUNT = 200
_THREADS = 8
_BATCHES = 100
_BATCH = 10


def measure(endpoints: Endpoints, figures: list[Figure]) -> None:
    """Append the figures of objects and of messages."""
    _objects(_client(endpoints, "s3"), figures)
    _messages(_client(endpoints, "sqs"), figures)


def _objects(s3: Any, figures: list[Figure]) -> None:
    s3.create_bucket(Bucket=_BUCKET)
    large, small = os.urandom(_LARGE), os.urandom(_SMALL)

    def put(key: str, body: bytes) -> None:
        s3.put_object(Bucket=_BUCKET, Key=key, Body=body)

    def get(key: str) -> None:
        s3.get_object(Bucket=_BUCKET, Key=key)["Body"].read()

    def each(call: Any) -> None:
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(call, range(_SMALL_COUNT)))

    megabytes = _LARGE / 1e6
    how = "8 MiB, one after the other"
    put_large = middle(rounds(lambda: put("large", large), 10))
    get_large = middle(rounds(lambda: get("large"), 10))
    put_small = middle(rounds(lambda: each(lambda number: put(f"small/{number}", small)), 3))
    get_small = middle(rounds(lambda: each(lambda number: get(f"small/{number}")), 3))
    threads = f"64 KiB, {_THREADS} threads"
    figures += [
        Figure(S3, "PUT", megabytes / put_large, "MB/s", note=how),
        Figure(S3, "GET", megabytes / get_large, "MB/s", note=how),
        Figure(S3, "PUT, small", _SMALL_COUNT / put_small, "/s", note=threads),
        Figure(S3, "GET, small", _SMALL_COUNT / get_small, "/s", note=threads),
    ]


def _messages(sqs: Any, figures: list[Figure]) -> None:
    queue = sqs.create_queue(QueueName="bench")["QueueUrl"]
    entries = [{"Id": str(number), "MessageBody": "x" * 500} for number in range(_BATCH)]

    def send() -> None:
        sqs.send_message_batch(QueueUrl=queue, Entries=entries)

    def receive() -> None:
        found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=_BATCH, WaitTimeSeconds=1)
        handles = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
            for number, message in enumerate(found["Messages"])
        ]
        sqs.delete_message_batch(QueueUrl=queue, Entries=handles)

    how = "batches of ten, one client"
    sent = sum(rounds(send, _BATCHES))
    received = sum(rounds(receive, _BATCHES))
    figures += [
        Figure(SQS, "send", _BATCHES * _BATCH / sent, "messages/s", note=how),
        Figure(SQS, "receive and delete", _BATCHES * _BATCH / received, "messages/s", note=how),
    ]


def _client(endpoints: Endpoints, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoints.aws_endpoint_url,
        region_name=endpoints.region,
        aws_access_key_id=endpoints.aws_access_key_id,
        aws_secret_access_key=endpoints.aws_secret_access_key,
        config=Config(max_pool_connections=_THREADS, s3={"addressing_style": "path"}),
    )
