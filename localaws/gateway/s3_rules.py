"""What S3 refuses and the emulator lets through."""

from __future__ import annotations

import binascii
import html
import re
from base64 import b64decode
from urllib.parse import unquote

from aiohttp import web
from multidict import CIMultiDict

from localaws.gateway.s3_errors import s3_error
from localaws.gateway.s3_requests import S3Request
from localaws.gateway.upstream import Upstream, end_to_end

_ACCOUNT = "000000000000"
_ACCESS_KEY = re.compile(r"Credential=([^/,\s]+)/|^AWS ([^:]+):")
_TWELVE_DIGITS = re.compile(r"\d{12}")
_READS = re.compile(r"<Part>(.*?)</Part>", re.DOTALL)
_WRITES = {"PutObject", "CopyObject", "CreateMultipartUpload"}
_MAX_KEY_BYTES = 1024
_MAX_METADATA_BYTES = 2048
_MAX_LISTED = 1000
_MIN_PART = 5 * 1024 * 1024
# "If the Range header is malformed, the whole object": only a single range of bytes counts.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
_RANGE = re.compile(r"bytes=(\d+-\d*|-\d+)")
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
_CHANGES_BY_COPY = (
    "x-amz-metadata-directive",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-customer-algorithm",
)
_COPY_TO_ITSELF = (
    "This copy request is illegal because it is trying to copy an object to itself without changing"
    " the object's metadata, storage class, website redirect location or encryption attributes."
)


def refusal(request: web.Request, call: S3Request) -> web.Response | None:
    """Return the error of a request whose head says enough, else None."""
    owner = request.headers.get("x-amz-expected-bucket-owner")
    if owner is not None and owner != _account(request):
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
        return s3_error(request, "AccessDenied")
    if call.operation in _WRITES:
        return _too_big(request, call) or _copied_to_itself(request, call)
    token = call.query.get("continuation-token")
    if call.operation == "ListObjectsV2" and token is not None and not _is_base64(token):
        return s3_error(
            request,
            "InvalidArgument",
            "The continuation token provided is incorrect",
            ArgumentName="continuation-token",
        )
    return None


def refusal_of_body(request: web.Request, call: S3Request, body: bytes) -> web.Response | None:
    """Return the error of a request that its body shows, else None."""
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html: up to 1,000 keys
    keys = len(re.findall(rb"<Object>", body))
    if call.operation == "DeleteObjects" and not 1 <= keys <= _MAX_LISTED:
        return s3_error(request, "MalformedXML")
    return None


async def refusal_of_parts(
    request: web.Request, call: S3Request, body: bytes, upstream: Upstream
) -> web.Response | None:
    """Return the error of a CompleteMultipartUpload, else None.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
    """
    listed = [
        (int(_element(part, "PartNumber") or 0), (_element(part, "ETag") or "").strip('"'))
        for part in _READS.findall(body.decode("utf-8", errors="replace"))
    ]
    if not listed:
        return s3_error(request, "MalformedXML")
    numbers = [number for number, _ in listed]
    if numbers != sorted(set(numbers)):
        return s3_error(request, "InvalidPartOrder", UploadId=call.query["uploadId"])
    sizes = await _uploaded(request, call, upstream)
    if sizes is None:
        return None  # no such upload, or completed before: the emulator knows which
    for number, tag in listed:
        if sizes.get(number, ("", 0))[0] != tag:
            return s3_error(
                request,
                "InvalidPart",
                UploadId=call.query["uploadId"],
                PartNumber=number,
                ETag=tag,
            )
    for number, tag in listed[:-1]:
        if sizes[number][1] < _MIN_PART:
            # https://github.com/apache/arrow-rs-object-store/issues/211
            return s3_error(
                request,
                "EntityTooSmall",
                ProposedSize=sizes[number][1],
                MinSizeAllowed=_MIN_PART,
                PartNumber=number,
                ETag=tag,
            )
    return None


def corrected(request: web.Request, call: S3Request) -> tuple[str, CIMultiDict[str]]:
    """Return path and headers as the emulator must see them to answer as S3 does."""
    raw_path, headers = request.raw_path, end_to_end(request.headers)
    if "Range" in headers and not _RANGE.fullmatch(headers["Range"].strip()):
        del headers["Range"]
    if call.operation.startswith("List"):
        # https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html: never above 1,000
        raw_path = re.sub(
            r"(?<=[?&]max-keys=)\d+",
            lambda found: str(min(int(found[0]), _MAX_LISTED)),
            raw_path,
        )
    return raw_path, headers


async def _uploaded(
    request: web.Request, call: S3Request, upstream: Upstream
) -> dict[int, tuple[str, int]] | None:
    """ETag and size of each part that was uploaded; None when there is no such upload."""
    path = request.raw_path.partition("?")[0]
    who = {
        name: request.headers[name] for name in ("Host", "Authorization") if name in request.headers
    }
    found: dict[int, tuple[str, int]] = {}
    marker = "0"
    while True:
        query = f"uploadId={call.query['uploadId']}&part-number-marker={marker}"
        answer = await upstream.ask("GET", f"{path}?{query}", who)
        if answer.status != 200:
            return None
        text = answer.body.decode()
        for part in _READS.findall(text):
            tag = (_element(part, "ETag") or "").strip('"')
            found[int(_element(part, "PartNumber") or 0)] = (tag, int(_element(part, "Size") or 0))
        if _element(text, "IsTruncated") != "true":
            return found
        marker = _element(text, "NextPartNumberMarker") or ""


def _too_big(request: web.Request, call: S3Request) -> web.Response | None:
    key_bytes = len(call.key.encode())
    if key_bytes > _MAX_KEY_BYTES:
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
        return s3_error(request, "KeyTooLongError", Size=key_bytes, MaxSizeAllowed=_MAX_KEY_BYTES)
    prefix = "x-amz-meta-"
    metadata = sum(
        len(name) - len(prefix) + len(value.encode())
        for name, value in request.headers.items()
        if name.lower().startswith(prefix)
    )
    if metadata > _MAX_METADATA_BYTES:
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
        return s3_error(
            request, "MetadataTooLarge", Size=metadata, MaxSizeAllowed=_MAX_METADATA_BYTES
        )
    return None


def _copied_to_itself(request: web.Request, call: S3Request) -> web.Response | None:
    source = request.headers.get("x-amz-copy-source", "").lstrip("/")
    itself = call.operation == "CopyObject" and unquote(source) == call.place
    changed = any(request.headers.get(name, "COPY").upper() != "COPY" for name in _CHANGES_BY_COPY)
    if itself and not changed:
        return s3_error(request, "InvalidRequest", _COPY_TO_ITSELF)
    return None


def _account(request: web.Request) -> str:
    found = _ACCESS_KEY.search(request.headers.get("Authorization", ""))
    key = (found[1] or found[2]) if found else ""
    return key if _TWELVE_DIGITS.fullmatch(key) else _ACCOUNT


def _element(text: str, name: str) -> str | None:
    found = re.search(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)
    return html.unescape(found[1]) if found else None


def _is_base64(token: str) -> bool:
    try:
        b64decode(token, validate=True).decode()
    except (binascii.Error, ValueError):
        return False
    return bool(token)
