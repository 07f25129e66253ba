"""What can go wrong in S3 beside the connection: refusals, and objects unlike what was stored."""

from __future__ import annotations

import re
import time
from typing import NoReturn
from urllib.parse import unquote

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from localaws.faults import Fault, FaultKind, FaultList
from localaws.gateway import common_faults
from localaws.gateway.s3_errors import s3_error
from localaws.gateway.s3_requests import OPERATIONS, S3Request
from localaws.gateway.upstream import Upstream, end_to_end

_REFUSALS = {
    "slow_down": "SlowDown",
    "internal_error": "InternalError",
    "access_denied": "AccessDenied",
}
READS = frozenset({"GetObject", "HeadObject"})
LISTS = frozenset({"ListObjects", "ListObjectsV2"})
WRITES = frozenset({"PutObject", "CopyObject", "CompleteMultipartUpload"})
_KINDS = (
    *common_faults.KINDS,
    FaultKind("slow_down", "503 SlowDown: reduce your request rate", {"message": ""}),
    FaultKind("internal_error", "500 InternalError", {"message": ""}),
    FaultKind("access_denied", "403 AccessDenied", {"message": ""}),
    FaultKind("missing_object", "GetObject, HeadObject: 404, although it is there and is listed"),
    FaultKind("truncated_object", "GetObject, HeadObject: the object is half as long as it was"),
    FaultKind("cut_short", "GetObject: the connection ends after half of what was announced"),
    FaultKind(
        "late_object",
        "PutObject, CopyObject, CompleteMultipartUpload: stored, but neither listed nor found for"
        " `seconds` (S3 itself is consistent; replicas and other stores are not)",
        {"seconds": 5.0},
    ),
)


def s3_faults() -> FaultList:
    """Return the empty list of S3's faults."""
    return FaultList("s3", _KINDS, operations=OPERATIONS)


def refused(request: web.Request, fault: Fault) -> web.Response:
    """Return the answer of a fault of `REFUSALS`."""
    return s3_error(request, _REFUSALS[fault.fault], fault.message)


REFUSALS = frozenset(_REFUSALS)


class LateObjects:
    """Objects that were written and are not to be seen yet."""

    def __init__(self, faults: FaultList) -> None:
        self._faults = faults
        self._until: dict[str, tuple[float, Fault]] = {}

    def hide(self, place: str, fault: Fault) -> None:
        """Hide `bucket/key` for the fault's time."""
        self._until[place] = (time.monotonic() + (fault.seconds or 0.0), fault)

    def hides(self, place: str) -> bool:
        """Whether the object is not to be seen; a fault that is removed shows all at once."""
        if place not in self._until:
            return False
        until, fault = self._until[place]
        if time.monotonic() < until and self._faults.holds(fault):
            return True
        del self._until[place]
        return False

    def without(self, listing: bytes, bucket: str) -> bytes:
        """Return an answer of ListObjects or ListObjectsV2 without the hidden ones."""
        if not self._until:
            return listing
        text, hidden = listing.decode(), 0

        def kept(entry: re.Match[str]) -> str:
            nonlocal hidden
            key = re.search(r"<Key>(.*?)</Key>", entry[0])
            found = key is not None and self.hides(f"{bucket}/{_plain(key[1], text)}")
            hidden += found
            return "" if found else entry[0]

        text = re.sub(r"<Contents>.*?</Contents>", kept, text, flags=re.DOTALL)
        count = re.search(r"(?<=<KeyCount>)\d+", text)
        if count:
            text = text.replace(f"<KeyCount>{count[0]}<", f"<KeyCount>{int(count[0]) - hidden}<", 1)
        return text.encode()


async def cut_short(request: web.Request, answer: aiohttp.ClientResponse) -> NoReturn:
    """Announce the whole object, send half of it, and end the connection."""
    back = web.StreamResponse(status=answer.status, headers=end_to_end(answer.headers))
    await back.prepare(request)
    left = int(answer.headers.get("Content-Length", "0")) // 2
    async for piece in answer.content.iter_any():
        await back.write(piece[:left])
        left -= len(piece)
        if left <= 0:
            break
    if request.transport is not None:
        request.transport.close()  # sends what is written; abort() would take it back
    raise ConnectionResetError


async def truncated(
    request: web.Request,
    raw_path: str,
    headers: CIMultiDict[str],
    upstream: Upstream,
) -> web.StreamResponse:
    """Answer as if the object were half as long, ranges included."""
    asked = headers.popall("Range", [])
    whole = await upstream.ask("GET", raw_path, headers)
    told = end_to_end(whole.headers)
    for name in [name for name in told if name.lower().startswith("x-amz-checksum")]:
        del told[name]
    told.popall("Content-Length", None)
    if whole.status != 200:
        return web.Response(status=whole.status, headers=told, body=whole.body)
    body = whole.body[: len(whole.body) // 2]
    if not asked:
        return _part(request, 200, told, body)
    first, last = _range(asked[0], len(body))
    if first >= len(body):
        return s3_error(
            request,
            "InvalidRange",
            "The requested range is not satisfiable",
            416,
            RangeRequested=asked[0],
            ActualObjectSize=len(body),
        )
    told["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
    return _part(request, 206, told, body[first : last + 1])


def missing(request: web.Request, call: S3Request) -> web.Response:
    """Return what S3 says of an object that is not there."""
    return s3_error(request, "NoSuchKey", Key=call.key)


def _part(
    request: web.Request, status: int, headers: CIMultiDict[str], body: bytes
) -> web.Response:
    if request.method == "HEAD":
        headers["Content-Length"] = str(len(body))
        return web.Response(status=status, headers=headers)
    return web.Response(status=status, headers=headers, body=body)


def _range(asked: str, length: int) -> tuple[int, int]:
    first, _, last = asked.removeprefix("bytes=").partition("-")
    if not first:
        return max(0, length - int(last)), length - 1
    return int(first), min(int(last) if last else length - 1, length - 1)


def _plain(key: str, listing: str) -> str:
    return unquote(key) if "<EncodingType>url</EncodingType>" in listing else key
