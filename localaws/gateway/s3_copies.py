"""Copies of S3 objects get the checksum that their request asks for; the emulator forgets it.

S3 computes the sum of the copy as a whole, whatever the source had, and however it was uploaded:
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html (x-amz-checksum-algorithm) and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html . Done for
SHA-256 only.
"""

from __future__ import annotations

import base64
import hashlib
import re

from aiohttp import web
from multidict import CIMultiDict

from localaws.gateway.upstream import Answer, Upstream

_KEPT = ("content-type", "content-encoding", "cache-control", "content-disposition")
_TAG = re.compile(rb"<ETag>.*?</ETag>", re.DOTALL)


def wants_sum(request: web.Request) -> bool:
    """Whether a CopyObject asks for a SHA-256 of the copy."""
    return request.headers.get("x-amz-checksum-algorithm", "").upper() == "SHA256"


async def copied_with_sum(
    request: web.Request, raw_path: str, headers: CIMultiDict[str], upstream: Upstream
) -> web.Response:
    """Copy, then write the copy once more with its SHA-256; answer as the copy was answered."""
    answer = await upstream.ask("PUT", raw_path, headers)
    if answer.status == 200:
        answer = await _summed(request, raw_path, answer, upstream)
    return web.Response(
        status=answer.status,
        body=answer.body,
        headers={name: answer.headers[name] for name in answer.headers if _goes_back(name)},
    )


async def _summed(
    request: web.Request, raw_path: str, answer: Answer, upstream: Upstream
) -> Answer:
    who = {name: request.headers[name] for name in ("Host", "Authorization")}
    copy = await upstream.ask("GET", raw_path, who)
    total = base64.b64encode(hashlib.sha256(copy.body).digest()).decode()
    kept = {
        name: value
        for name, value in copy.headers.items()
        if name.lower() in _KEPT or name.lower().startswith("x-amz-meta-")
    }
    put = await upstream.ask(
        "PUT", raw_path, {**who, **kept, "x-amz-checksum-sha256": total}, copy.body
    )
    if put.status != 200:
        return put
    said = f"<ETag>{put.headers['ETag']}</ETag><ChecksumSHA256>{total}</ChecksumSHA256>"
    return Answer(200, answer.headers, _TAG.sub(said.encode(), answer.body, count=1))


def _goes_back(name: str) -> bool:
    return name.lower() not in {"content-length", "transfer-encoding", "connection"}
