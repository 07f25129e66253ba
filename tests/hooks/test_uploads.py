"""If these fail, a file in the bucket is not what was encoded, or half a file stays behind."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.config import Config
from tidemark.core.errors import FixConfiguration, TryAgain
from tidemark.core.settings.targets import Staging
from tidemark.core.source.file_sizes import FileSizes
from tidemark.hooks.storage.parquet_files import Encoding
from tidemark.hooks.storage.staging_bucket import StagingBucket
from tidemark.hooks.storage.staging_files import stage
from tidemark.hooks.storage.uploads import PART_BYTES, Uploads

from localaws import Endpoints
from tests.support import quick_clients  # noqa: F401 (is in force from here on)
from tests.support.gateway import Gate
from tests.support.traffic import s3 as request


@pytest.fixture(scope="module")
def gate(stack: Endpoints) -> Iterator[Gate]:
    with Gate(stack.aws_endpoint_url, stack.redshift_data_endpoint_url) as gate:
        yield gate


@pytest.fixture
def s3(stack: Endpoints) -> Any:
    """The bucket's own side: not through the gate."""
    return boto3.client(
        "s3",
        endpoint_url=stack.aws_endpoint_url,
        region_name=stack.region,
        aws_access_key_id=stack.aws_access_key_id,
        aws_secret_access_key=stack.aws_secret_access_key,
        config=Config(s3={"addressing_style": "path"}),
    )


@pytest.fixture
def bucket(stack: Endpoints, gate: Gate, s3: Any, monkeypatch: pytest.MonkeyPatch) -> StagingBucket:
    """A new bucket, reached through the gate."""
    name = f"uploads-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    connection = {
        "conn_type": "aws",
        "login": stack.aws_access_key_id,
        "password": stack.aws_secret_access_key,
        "extra": {
            "endpoint_url": gate.s3_url,
            "config_kwargs": {"s3": {"addressing_style": "path"}},
        },
    }
    monkeypatch.setenv("AIRFLOW_CONN_AWS_UNDER_TEST", json.dumps(connection))
    return StagingBucket(Staging(bucket=name, region=stack.region, aws_conn_id="aws_under_test"))


def _noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def _unfinished(s3: Any, bucket: StagingBucket) -> list[str]:
    found = s3.list_multipart_uploads(Bucket=bucket.name)
    return [upload["Key"] for upload in found.get("Uploads", ())]


def _keys(s3: Any, bucket: StagingBucket) -> list[str]:
    found = s3.list_objects_v2(Bucket=bucket.name)
    return [item["Key"] for item in found.get("Contents", ())]


@pytest.mark.parametrize(
    ("size", "requests"),
    [
        (0, ["PUT"]),
        (1000, ["PUT"]),
        (PART_BYTES - 1, ["PUT"]),
        (PART_BYTES, ["POST", "PUT", "POST"]),
        (2 * PART_BYTES + 5, ["POST", "PUT", "PUT", "POST"]),
    ],
)
def test_a_file_arrives_whole(
    bucket: StagingBucket, gate: Gate, s3: Any, size: int, requests: list[str]
) -> None:
    data, before = _noise(size), len(gate.seen)
    with Uploads(bucket) as uploads:
        upload = uploads.open("a/file")
        for start in range(0, size, 1_000_000):
            upload.write(data[start : start + 1_000_000])
        upload.finish()
    assert upload.size == size
    assert upload.sha256 == hashlib.sha256(data).hexdigest()
    stored = s3.get_object(Bucket=bucket.name, Key="a/file")
    assert stored["Body"].read() == data
    assert stored["ContentLength"] == size
    # The parts come in any order, the first and the last call where they must.
    assert sorted(seen.operation for seen in gate.seen[before:]) == sorted(requests)
    assert gate.seen[before].operation == requests[0]
    assert gate.seen[-1].operation == requests[-1]
    assert _unfinished(s3, bucket) == []


def test_many_files_are_on_their_way_at_once(bucket: StagingBucket, gate: Gate, s3: Any) -> None:
    with gate.hold(request("PUT", "/file-0$")) as held, Uploads(bucket) as uploads:
        for number in range(6):
            upload = uploads.open(f"file-{number}")
            upload.write(b"x" * number)
            upload.finish()
        held.wait()
        held.release()
    assert _keys(s3, bucket) == [f"file-{number}" for number in range(6)]


def test_a_part_that_changed_on_its_way_is_refused(bucket: StagingBucket) -> None:
    upload_id = bucket.start_upload("changed")
    sent = bucket.put_part("changed", upload_id, 1, b"as it was")
    assert sent.number == 1
    with pytest.raises(TryAgain, match="changed"):
        bucket.put_file("changed", b"as it is", hashlib.sha256(b"as it was").hexdigest())
    bucket.abort_upload("changed", upload_id)


def test_a_failed_part_ends_everything_and_leaves_nothing(
    bucket: StagingBucket, gate: Gate, s3: Any
) -> None:
    ended: list[BaseException] = []

    def write_for_ever() -> None:
        try:
            with Uploads(bucket) as uploads:
                uploads.open("not begun")
                upload = uploads.open("endless")
                while True:
                    upload.write(b"x" * 1_000_000)
        except TryAgain as error:
            ended.append(error)

    with gate.hold(request("PUT", r"partNumber=3")) as held:
        writer = threading.Thread(target=write_for_ever)
        writer.start()
        held.wait()
        (upload,) = s3.list_multipart_uploads(Bucket=bucket.name)["Uploads"]
        s3.abort_multipart_upload(
            Bucket=bucket.name, Key=upload["Key"], UploadId=upload["UploadId"]
        )
        held.release()
        writer.join(120)
    (error,) = ended
    assert "endless" in str(error)
    assert "NoSuchUpload" in str(error)
    assert _unfinished(s3, bucket) == []
    assert _keys(s3, bucket) == []


def test_a_bucket_that_stays_down_is_given_up(bucket: StagingBucket, gate: Gate, s3: Any) -> None:
    def write() -> None:
        with Uploads(bucket) as uploads:
            upload = uploads.open("refused")
            upload.write(_noise(2 * PART_BYTES))
            upload.finish()

    with gate.refuse(request("PUT", r"partNumber")), pytest.raises(TryAgain, match="503"):
        write()
    assert _unfinished(s3, bucket) == []


@pytest.mark.runbook("S3 cannot be reached, or refuses")
def test_a_network_that_breaks_every_time_is_given_up(bucket: StagingBucket, gate: Gate) -> None:
    with (
        gate.refuse(request("GET", "lost"), "reset"),
        pytest.raises(TryAgain, match=r"S3 could not be asked for .*lost"),
    ):
        bucket.read("lost")


def test_an_error_of_the_writer_leaves_nothing(bucket: StagingBucket, s3: Any) -> None:
    def write() -> None:
        with Uploads(bucket) as uploads:
            upload = uploads.open("begun")
            for _ in range(3):
                upload.write(_noise(PART_BYTES))
            raise LookupError

    with pytest.raises(LookupError):
        write()
    assert _unfinished(s3, bucket) == []
    assert _keys(s3, bucket) == []


def test_a_completion_whose_answer_was_lost_may_be_repeated(bucket: StagingBucket) -> None:
    upload_id = bucket.start_upload("twice")
    part = bucket.put_part("twice", upload_id, 1, b"all of it")
    for _ in range(2):
        bucket.complete_upload("twice", upload_id, [part], 9)
    with pytest.raises(TryAgain, match="NoSuchUpload"):
        bucket.complete_upload("twice", "unknown", [part], 10)


SCHEMA = pa.schema([pa.field("id", pa.int64()), pa.field("noise", pa.binary())])
ENCODING = Encoding(FileSizes(most=12 * 2**20, least=12 * 2**20))


def _rows(batches: int) -> Iterator[pa.RecordBatch]:
    for number in range(batches):
        ids = range(number * 2000, (number + 1) * 2000)
        noise = [_noise(2000 + i % 7) for i in ids]
        yield pa.RecordBatch.from_arrays(
            [pa.array(ids, pa.int64()), pa.array(noise)], schema=SCHEMA
        )


def test_rows_become_files_that_the_receipt_describes(bucket: StagingBucket, s3: Any) -> None:
    files = stage(_rows(10), SCHEMA, ENCODING, bucket, lambda part: f"part-{part}.parquet")
    assert [file.key for file in files] == _keys(s3, bucket)
    assert len(files) > 2
    ids = []
    for file in files:
        data = s3.get_object(Bucket=bucket.name, Key=file.key)["Body"].read()
        assert (file.bytes, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        table = pq.read_table(pa.BufferReader(data))
        assert table.num_rows == file.rows
        ids += table["id"].to_pylist()
    assert ids == list(range(20_000))


def test_no_rows_no_file(bucket: StagingBucket, s3: Any) -> None:
    assert stage(iter(()), SCHEMA, ENCODING, bucket, str) == ()
    assert _keys(s3, bucket) == []


def test_rows_that_break_off_leave_no_unfinished_file(bucket: StagingBucket, s3: Any) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield from _rows(5)
        raise TryAgain(what="the source went away", do="Clear the task.")

    with pytest.raises(TryAgain, match="source went away"):
        stage(broken(), SCHEMA, ENCODING, bucket, lambda part: f"part-{part}")
    assert _unfinished(s3, bucket) == []


def test_a_bucket_that_is_gone_stops_the_reading(bucket: StagingBucket, s3: Any) -> None:
    s3.delete_bucket(Bucket=bucket.name)
    closed = []

    def endless() -> Iterator[pa.RecordBatch]:
        batch = next(_rows(1))
        try:
            yield from itertools.repeat(batch)
        finally:
            closed.append(True)

    with pytest.raises(FixConfiguration, match="part-0"):
        stage(endless(), SCHEMA, ENCODING, bucket, lambda part: f"part-{part}")
    assert closed == [True]
