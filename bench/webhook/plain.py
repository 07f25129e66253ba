"""What most people write: one event, one call to SQS, with FastAPI and boto3 as their manuals say.

FastAPI runs a plain function in one of 40 threads; the client gets a connection for each of them,
which boto3's own default (10) would not give it.
"""

import json
import os
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config
from fastapi import FastAPI

app = FastAPI()
_SQS = boto3.client("sqs", config=Config(max_pool_connections=40))
_URL = os.environ["BENCH_QUEUE_URL"]


@app.post("/webhook/appsflyer")
def take(event: dict[str, Any]) -> dict[str, Any]:
    """Put an event into the queue."""
    answer = _SQS.send_message(QueueUrl=_URL, MessageBody=json.dumps(event))
    now = datetime.now(UTC).isoformat()
    return {"success": True, "messageId": answer["MessageId"], "timestamp": now}
