"""What a request to S3 asks for: the operation's name, the bucket, the key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from aiohttp import web

# One query parameter makes another operation of the same method and path:
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
_OBJECT = {
    "GET": {
        "uploadId": "ListParts",
        "tagging": "GetObjectTagging",
        "acl": "GetObjectAcl",
        "attributes": "GetObjectAttributes",
        "retention": "GetObjectRetention",
        "legal-hold": "GetObjectLegalHold",
        "": "GetObject",
    },
    "HEAD": {"": "HeadObject"},
    "PUT": {
        "uploadId": "UploadPart",
        "tagging": "PutObjectTagging",
        "acl": "PutObjectAcl",
        "retention": "PutObjectRetention",
        "legal-hold": "PutObjectLegalHold",
        "": "PutObject",
    },
    "POST": {
        "uploads": "CreateMultipartUpload",
        "uploadId": "CompleteMultipartUpload",
        "restore": "RestoreObject",
        "select": "SelectObjectContent",
        "": "PostObject",
    },
    "DELETE": {
        "uploadId": "AbortMultipartUpload",
        "tagging": "DeleteObjectTagging",
        "": "DeleteObject",
    },
}
_COPIES = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}
_SETTINGS = {
    "acl": "BucketAcl",
    "cors": "BucketCors",
    "encryption": "BucketEncryption",
    "lifecycle": "BucketLifecycleConfiguration",
    "location": "BucketLocation",
    "logging": "BucketLogging",
    "notification": "BucketNotificationConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "policy": "BucketPolicy",
    "publicAccessBlock": "PublicAccessBlock",
    "replication": "BucketReplication",
    "tagging": "BucketTagging",
    "versioning": "BucketVersioning",
    "website": "BucketWebsite",
}
_BUCKET = {
    "GET": {
        "list-type": "ListObjectsV2",
        "uploads": "ListMultipartUploads",
        "versions": "ListObjectVersions",
        **{name: f"Get{setting}" for name, setting in _SETTINGS.items()},
        "": "ListObjects",
    },
    "HEAD": {"": "HeadBucket"},
    "PUT": {**{name: f"Put{setting}" for name, setting in _SETTINGS.items()}, "": "CreateBucket"},
    "POST": {"delete": "DeleteObjects", "": "PostObject"},
    "DELETE": {
        **{name: f"Delete{setting}" for name, setting in _SETTINGS.items()},
        "": "DeleteBucket",
    },
}
OTHER = "Other"
OPERATIONS = frozenset(
    {"ListBuckets", OTHER, *_COPIES.values()}
    | {name for table in (_OBJECT, _BUCKET) for each in table.values() for name in each.values()}
)
# bucket.s3.us-east-1.amazonaws.com, bucket.localhost; an address or a plain name has no bucket.
_HOST = re.compile(r"(?P<bucket>[a-z0-9.-]+?)\.(?:s3[.-].+|localhost(?:\..+)?)$")


@dataclass(frozen=True, slots=True)
class S3Request:
    """A request, named; `query` holds the last value of each parameter, `key` is unquoted."""

    operation: str
    bucket: str
    key: str
    query: Mapping[str, str]

    @property
    def place(self) -> str:
        """`bucket/key`: what the `match` of a fault looks at."""
        return f"{self.bucket}/{self.key}" if self.key else self.bucket


def s3_request(request: web.Request) -> S3Request:
    """Return what a request asks of S3; `Other` for what has no name here."""
    path, _, query_text = request.raw_path.partition("?")
    query = dict(parse_qsl(query_text, keep_blank_values=True))
    named = _HOST.match(request.host.rpartition(":")[0] or request.host)
    if named:
        bucket, key = named["bucket"], unquote(path[1:])
    else:
        bucket, _, key = unquote(path[1:]).partition("/")
    if not bucket:
        operation = "ListBuckets" if request.method == "GET" else OTHER
    else:
        table = (_OBJECT if key else _BUCKET).get(request.method, {})
        operation = next((name for word, name in table.items() if word in query), "")
        operation = operation or table.get("", OTHER)
    if "x-amz-copy-source" in request.headers:
        operation = _COPIES.get(operation, operation)
    return S3Request(operation, bucket, key, query)
