"""A failure here means that S3 on one machine lets through what S3 refuses."""

from __future__ import annotations

import base64
import hashlib
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.place import Place

_PART = 5 * 1024 * 1024


@pytest.fixture(scope="module")
def s3(place: Place) -> Any:
    return place.client("s3")


@pytest.fixture
def where(place: Place) -> dict[str, str]:
    return {"Bucket": place.bucket, "Key": f"{place.prefix}/{uuid.uuid4().hex}"}


def refused(call: Callable[..., Any], **what: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(**what)
    error: dict[str, Any] = caught.value.response["Error"]
    return error


def fetched(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_what_is_put_is_got(s3: Any, where: dict[str, str]) -> None:
    body = bytes(range(256)) * 40_000
    s3.put_object(**where, Body=body, Metadata={"batch": "7"})
    got = s3.get_object(**where)
    assert got["Body"].read() == body
    assert got["Metadata"] == {"batch": "7"}
    assert s3.head_object(**where)["ContentLength"] == len(body)


@pytest.mark.parametrize("name", ["a b+c", "ü/€", "a%2Fb", "x//y", "./a", "a/../b"])
def test_a_key_comes_back_as_it_went(s3: Any, where: dict[str, str], name: str) -> None:
    where["Key"] += "/" + name
    s3.put_object(**where, Body=b"1")
    assert s3.get_object(**where)["Body"].read() == b"1"
    listed = s3.list_objects_v2(Bucket=where["Bucket"], Prefix=where["Key"])["Contents"]
    assert [each["Key"] for each in listed] == [where["Key"]]


# https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=2-4", b"234"),
        ("bytes=-3", b"789"),
        ("bytes=8-99", b"89"),
        ("lines=1", b"0123456789"),
    ],
)
def test_a_range_is_a_range_of_bytes_or_none(
    s3: Any, where: dict[str, str], asked: str, part: bytes
) -> None:
    s3.put_object(**where, Body=b"0123456789")
    assert s3.get_object(**where, Range=asked)["Body"].read() == part


def test_a_range_behind_the_end_is_refused(s3: Any, where: dict[str, str]) -> None:
    s3.put_object(**where, Body=b"0123456789")
    assert refused(s3.get_object, **where, Range="bytes=10-")["Code"] == "InvalidRange"


# https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html, If-None-Match and If-Match
def test_a_condition_decides_who_writes(s3: Any, where: dict[str, str]) -> None:
    tag = s3.put_object(**where, Body=b"1", IfNoneMatch="*")["ETag"]
    assert refused(s3.put_object, **where, IfNoneMatch="*")["Code"] == "PreconditionFailed"
    assert refused(s3.put_object, **where, IfMatch='"0"')["Code"] == "PreconditionFailed"
    s3.put_object(**where, Body=b"2", IfMatch=tag)


# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
def test_a_key_has_1024_bytes(s3: Any, where: dict[str, str]) -> None:
    where["Key"] = where["Key"].ljust(1024, "x")
    s3.put_object(**where, Body=b"")
    where["Key"] = where["Key"][:1023] + "ü"
    error = refused(s3.put_object, **where, Body=b"")
    assert (error["Code"], error["MaxSizeAllowed"]) == ("KeyTooLongError", "1024")


# https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
def test_metadata_have_two_kilobytes(s3: Any, where: dict[str, str]) -> None:
    s3.put_object(**where, Body=b"", Metadata={"k": "v" * 2047})
    assert refused(s3.put_object, **where, Metadata={"k": "v" * 2048})["Code"] == "MetadataTooLarge"


# https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
def test_a_copy_onto_itself_must_change_something(s3: Any, where: dict[str, str]) -> None:
    s3.put_object(**where, Body=b"1")
    assert refused(s3.copy_object, **where, CopySource=where)["Code"] == "InvalidRequest"
    s3.copy_object(**where, CopySource=where, MetadataDirective="REPLACE", Metadata={"a": "b"})
    assert s3.head_object(**where)["Metadata"] == {"a": "b"}


# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
def test_a_bucket_of_somebody_else_is_not_taken(s3: Any, where: dict[str, str]) -> None:
    s3.put_object(**where, Body=b"1")
    error = refused(s3.get_object, **where, ExpectedBucketOwner="123456789012")
    assert error["Code"] == "AccessDenied"


# https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
def test_a_thousand_objects_are_deleted_at_once_not_more(s3: Any, where: dict[str, str]) -> None:
    for count in (0, 1001):
        keys = [{"Key": f"{where['Key']}/{number}"} for number in range(count)]
        error = refused(s3.delete_objects, Bucket=where["Bucket"], Delete={"Objects": keys})
        assert error["Code"] == "MalformedXML"


# https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
def test_a_page_of_a_listing_has_a_thousand_keys_at_most(s3: Any, place: Place) -> None:
    page = s3.list_objects_v2(Bucket=place.bucket, MaxKeys=5000)
    assert page["MaxKeys"] == 1000
    error = refused(s3.list_objects_v2, Bucket=place.bucket, ContinuationToken="?")
    assert error["Message"] == "The continuation token provided is incorrect"


class Upload:
    """A multipart upload with two parts."""

    def __init__(self, s3: Any, where: dict[str, str], *sizes: int) -> None:
        self._s3 = s3
        self.where = where | {"UploadId": s3.create_multipart_upload(**where)["UploadId"]}
        self.parts = [
            {"PartNumber": number, "ETag": self._put(number, size)}
            for number, size in enumerate(sizes, 1)
        ]

    def _put(self, number: int, size: int) -> str:
        put = self._s3.upload_part(**self.where, PartNumber=number, Body=b"x" * size)
        return str(put["ETag"])

    def complete(self, *parts: dict[str, Any]) -> Any:
        return self._s3.complete_multipart_upload(
            **self.where, MultipartUpload={"Parts": list(parts)}
        )


# https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
def test_only_the_last_part_may_be_small(s3: Any, where: dict[str, str]) -> None:
    upload = Upload(s3, where, _PART - 1, 1)
    error = refused(lambda: upload.complete(*upload.parts))
    # https://github.com/apache/arrow-rs-object-store/issues/211
    assert error["Code"] == "EntityTooSmall"
    assert (error["ProposedSize"], error["PartNumber"]) == (str(_PART - 1), "1")
    upload.complete(upload.parts[1])
    assert s3.head_object(**where)["ContentLength"] == 1


def test_parts_are_named_in_order_and_as_they_were_uploaded(s3: Any, where: dict[str, str]) -> None:
    upload = Upload(s3, where, _PART, 1)
    first, second = upload.parts
    assert refused(lambda: upload.complete(second, first))["Code"] == "InvalidPartOrder"
    assert refused(lambda: upload.complete(first, first))["Code"] == "InvalidPartOrder"
    wrong = first | {"ETag": second["ETag"]}
    assert refused(lambda: upload.complete(wrong, second))["Code"] == "InvalidPart"
    assert refused(lambda: upload.complete())["Code"] == "MalformedXML"
    upload.complete(first, second)
    assert s3.head_object(**where)["ContentLength"] == _PART + 1


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_address_works_until_it_expires(
    s3: Any, place: Place, where: dict[str, str], version: str
) -> None:
    s3.put_object(**where, Body=b"signed")
    signer = place.client("s3", config=Config(signature_version=version))
    sign = signer.generate_presigned_url
    assert fetched(sign("get_object", Params=where, ExpiresIn=60)) == (200, b"signed")
    status, body = fetched(sign("get_object", Params=where, ExpiresIn=-1))
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
    assert status in (400, 403)
    assert b"expired" in body or b"X-Amz-Expires" in body


def test_nobody_gets_in_without_a_signature(s3: Any, place: Place, where: dict[str, str]) -> None:
    s3.put_object(**where, Body=b"private")
    url = s3.generate_presigned_url("get_object", Params=where).partition("?")[0]
    status, body = fetched(url)
    assert status == 403
    assert b"<Code>AccessDenied</Code>" in body


# https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
def test_a_copy_has_the_checksum_of_the_whole_that_was_asked_for(
    s3: Any, where: dict[str, str]
) -> None:
    body = bytes(_PART) + b"last"
    upload = s3.create_multipart_upload(**where, ChecksumAlgorithm="SHA256", Metadata={"a": "b"})
    parts = []
    for number, piece in enumerate((body[:_PART], body[_PART:]), start=1):
        part = {"UploadId": upload["UploadId"], "PartNumber": number}
        sent = s3.upload_part(**where, **part, Body=piece, ChecksumAlgorithm="SHA256")
        found = {"ETag": sent["ETag"], "ChecksumSHA256": sent["ChecksumSHA256"]}
        parts.append({"PartNumber": number, **found})
    s3.complete_multipart_upload(
        **where, UploadId=upload["UploadId"], MultipartUpload={"Parts": parts}
    )
    copy = where | {"Key": where["Key"] + "-copy"}
    said = s3.copy_object(**copy, CopySource=where, ChecksumAlgorithm="SHA256")["CopyObjectResult"]
    whole = base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert said["ChecksumSHA256"] == whole
    head = s3.head_object(**copy, ChecksumMode="ENABLED")
    assert (head["ChecksumSHA256"], head["ETag"]) == (whole, said["ETag"])
    assert head["Metadata"] == {"a": "b"}
    assert s3.get_object(**copy)["Body"].read() == body
