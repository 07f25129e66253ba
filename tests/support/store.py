"""The staging bucket as an operator sees it, not through the gate."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import boto3
from botocore.config import Config

from localaws import Endpoints


class Store:
    """State documents and batches of the streams in one bucket."""

    def __init__(self, endpoints: Endpoints, bucket: str) -> None:
        self.bucket = bucket
        self._client = boto3.client(
            "s3",
            endpoint_url=endpoints.aws_endpoint_url,
            region_name=endpoints.region,
            aws_access_key_id=endpoints.aws_access_key_id,
            aws_secret_access_key=endpoints.aws_secret_access_key,
            config=Config(s3={"addressing_style": "path"}),
        )

    def create_bucket(self, region: str | None = None) -> None:
        """Make the bucket, in the stack's region if none is named."""
        place = {"CreateBucketConfiguration": {"LocationConstraint": region}} if region else {}
        self._client.create_bucket(Bucket=self.bucket, **place)

    def state_key(self, stream: str) -> str:
        return f"watermark/{'tables' if '.' in stream else 'queues'}/{stream}.json"

    def state(self, stream: str) -> dict[str, Any]:
        """The state document, parsed."""
        document: dict[str, Any] = json.loads(self.get(self.state_key(stream)))
        return document

    def watermark(self, stream: str) -> datetime | None:
        """The watermark, or None before the first commit."""
        text = self.state(stream)["watermark"]
        return datetime.fromisoformat(text) if text else None

    def debt(self, stream: str, target: str = "secondary") -> list[str]:
        """The batches that the target owes."""
        owed: list[str] = self.state(stream)["targets"][target]["debt"]
        return owed

    def keys(self, prefix: str) -> list[str]:
        """All keys below a prefix."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix
        )
        return [item["Key"] for page in pages for item in page.get("Contents", ())]

    def batches(self, stream: str) -> dict[str, list[str]]:
        """The keys of each batch, sealed or not, by batch id."""
        found: dict[str, list[str]] = {}
        for key in self.keys(f"staging/{stream}/"):
            found.setdefault(key.split("/")[-2], []).append(key)
        return found

    def document(self, stream: str, batch_id: str, name: str = "batch.json") -> dict[str, Any]:
        """One document of a batch, parsed."""
        (key,) = [k for k in self.batches(stream)[batch_id] if k.endswith(f"/{name}")]
        parsed: dict[str, Any] = json.loads(self.get(key))
        return parsed

    def get(self, key: str) -> bytes:
        body: bytes = self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def put(self, key: str, body: bytes) -> None:
        self._client.put_object(Bucket=self.bucket, Key=key, Body=body)

    def delete(self, *keys: str) -> None:
        for key in keys:
            self._client.delete_object(Bucket=self.bucket, Key=key)
