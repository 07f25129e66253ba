"""Answers of S3 that are errors, as XML.

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import base64
import secrets
import uuid
from html import escape

from aiohttp import web

_STATUS = {"AccessDenied": 403, "NoSuchKey": 404, "InternalError": 500, "SlowDown": 503}
_MESSAGES = {
    "AccessDenied": "Access Denied",
    "EntityTooSmall": "Your proposed upload is smaller than the minimum allowed size",
    "InternalError": "We encountered an internal error. Please try again.",
    "InvalidPart": "One or more of the specified parts could not be found.  The part may not have"
    " been uploaded, or the specified entity tag may not match the part's entity tag.",
    "InvalidPartOrder": "The list of parts was not in ascending order. Parts must be ordered by"
    " part number.",
    "KeyTooLongError": "Your key is too long",
    "MalformedXML": "The XML you provided was not well-formed or did not validate against our"
    " published schema",
    "MetadataTooLarge": "Your metadata headers exceed the maximum allowed metadata size",
    "NoSuchKey": "The specified key does not exist.",
    "SlowDown": "Please reduce your request rate.",
}


def s3_error(
    request: web.Request, code: str, message: str = "", status: int | None = None, **more: object
) -> web.Response:
    """Return the error; `more` are elements beside code and message."""
    told = {
        "Code": code,
        "Message": message or _MESSAGES[code],
        **more,
        "RequestId": uuid.uuid4().hex[:16].upper(),
        "HostId": base64.b64encode(secrets.token_bytes(56)).decode(),
    }
    inner = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in told.items())
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'
    return web.Response(
        status=_STATUS.get(code, 400) if status is None else status,
        body=b"" if request.method == "HEAD" else body.encode(),
        content_type="application/xml",
        headers={"x-amz-request-id": str(told["RequestId"]), "x-amz-id-2": str(told["HostId"])},
    )
