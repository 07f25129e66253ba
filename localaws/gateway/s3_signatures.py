"""Who may ask S3: signatures are not checked, but there must be one, and it must not have expired.

The emulator checks presigned URLs against access keys that it has never heard of, so what a URL
says is put into headers, as if the request had been signed there.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

from aiohttp import web
from multidict import CIMultiDict

from localaws.gateway.s3_errors import s3_error

# https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
_VERSION_4 = {
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-signedheaders",
    "x-amz-signature",
    "x-amz-security-token",
}
_VERSION_2 = {"AWSAccessKeyId", "Signature", "Expires"}
_LONGEST = 7 * 24 * 3600


def refusal_of_signature(request: web.Request) -> web.Response | None:
    """Return the error of a request without a valid claim to be somebody's, else None."""
    query = request.query
    if "X-Amz-Signature" in query:
        return _expired_version_4(request)
    if "Signature" in query and "Expires" in query:
        expires = query["Expires"]
        if not expires.isdigit() or int(expires) < time.time():
            return s3_error(request, "AccessDenied", "Request has expired", Expires=expires)
        return None
    # A preflight and a form carry no header; the emulator looks at the form's policy itself.
    asks_by_form = request.method == "POST" and request.content_type == "multipart/form-data"
    if "Authorization" in request.headers or request.method == "OPTIONS" or asks_by_form:
        return None
    return s3_error(request, "AccessDenied")


def with_signature_in_headers(
    raw_path: str, headers: CIMultiDict[str]
) -> tuple[str, CIMultiDict[str]]:
    """Return path and headers of a presigned request as those of one that was signed in headers."""
    path, _, text = raw_path.partition("?")
    if "X-Amz-Signature=" not in text and "Signature=" not in text:
        return raw_path, headers
    kept, credential = [], ""
    for name, value in parse_qsl(text, keep_blank_values=True):
        lower = name.lower()
        if lower == "x-amz-credential":
            credential = value
        elif name == "AWSAccessKeyId":
            credential = f"{value}/{datetime.now(UTC):%Y%m%d}/us-east-1/s3/aws4_request"
        if lower in _VERSION_4 or name in _VERSION_2:
            continue
        if lower.startswith("x-amz-"):
            headers[lower] = value
        else:
            kept.append((name, value))
    headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=presigned"
    )
    return f"{path}?{urlencode(kept)}" if kept else path, headers


def _expired_version_4(request: web.Request) -> web.Response | None:
    query = request.query
    try:
        signed = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        seconds = int(query["X-Amz-Expires"])
    except (KeyError, ValueError):
        return s3_error(
            request,
            "AuthorizationQueryParametersError",
            "Query-string authentication version 4 requires the X-Amz-Algorithm,"
            " X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and"
            " X-Amz-Expires parameters.",
        )
    if not 0 < seconds <= _LONGEST:
        return s3_error(
            request,
            "AuthorizationQueryParametersError",
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires"
            " must be less than 604800 seconds",
        )
    if time.time() > signed.timestamp() + seconds:
        return s3_error(
            request, "AccessDenied", "Request has expired", **{"X-Amz-Expires": seconds}
        )
    return None
