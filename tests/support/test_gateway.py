"""A gate that changed, lost or invented a request would make every journey lie."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator

import boto3
import httpx
import pytest
from aiohttp import web
from botocore.config import Config

from tests.support.gateway import Gate
from tests.support.traffic import data_api, s3


class Upstream:
    """A server that remembers what reached it."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, dict[str, str], str]] = []
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Upstream:
        self._thread.start()
        assert self._up.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        runner = self._loop.run_until_complete(self._open())
        self._up.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _open(self) -> web.AppRunner:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, auto_decompress=False)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        digest = hashlib.sha256(body).hexdigest()
        self.got.append((request.method, request.raw_path, dict(request.headers), digest))
        if request.method == "GET" and "big" in request.path:
            return web.Response(body=b"0123456789" * 2_000_000, headers={"ETag": '"e"'})
        if "taken" in request.path:
            return web.Response(status=412, text="<Error><Code>PreconditionFailed</Code></Error>")
        if "X-Amz-Target" in request.headers:
            return web.json_response({"Id": "s-1", "ClusterIdentifier": "primary"})
        headers = {"ETag": '"e"', "Content-Length": "7"} if request.method == "HEAD" else None
        return web.Response(body=b"", headers=headers)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


@pytest.fixture
def gate(upstream: Upstream) -> Iterator[Gate]:
    with Gate(upstream.url, upstream.url) as gate:
        yield gate


def _s3(url: str, retries: int = 1):
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="id",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": retries}, s3={"addressing_style": "path"}),
    )


def test_a_big_body_and_its_conditions_arrive_unchanged(gate: Gate, upstream: Upstream) -> None:
    body = b"tide" * 5_000_000
    _s3(gate.s3_url).put_object(Bucket="b", Key="k/ä b", Body=body, IfNoneMatch="*")
    method, path, headers, digest = upstream.got[-1]
    assert (method, path) == ("PUT", "/b/k/%C3%A4%20b")
    assert headers["If-None-Match"] == "*"
    assert "x-amz-checksum-crc32" in {name.lower() for name in headers}
    assert digest == hashlib.sha256(body).hexdigest()


def test_answers_come_back_unchanged(gate: Gate) -> None:
    client = _s3(gate.s3_url)
    assert len(client.get_object(Bucket="b", Key="big")["Body"].read()) == 20_000_000
    assert client.head_object(Bucket="b", Key="k")["ContentLength"] == 7
    with pytest.raises(client.exceptions.ClientError, match="PreconditionFailed"):
        client.put_object(Bucket="b", Key="taken", Body=b"x")


_PUT = """
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], data=b"x", method="PUT")
urllib.request.urlopen(request).read()
"""


def test_a_held_request_has_not_reached_the_server(gate: Gate, upstream: Upstream) -> None:
    url = f"{gate.s3_url}/b/part-1"
    with gate.hold(s3("PUT", "part-")) as held:
        child = subprocess.Popen([sys.executable, "-c", _PUT, url])
        held.wait()
        assert upstream.got == []
        held.kill_caller()
        assert child.wait(60) == -9
        assert held.release_and_wait().status == 200
    assert [path for _, path, _, _ in upstream.got] == ["/b/part-1"], "a zombie's request is lost"


def test_a_held_answer_means_the_server_has_done_it(gate: Gate, upstream: Upstream) -> None:
    url = f"{gate.s3_url}/b/part-1"
    with gate.hold(s3("PUT", "part-"), after=True, nth=2) as held:
        assert httpx.put(url, content=b"x", timeout=60).status_code == 200
        child = subprocess.Popen([sys.executable, "-c", _PUT, url])
        held.wait()
        assert len(upstream.got) == 2
        held.kill_caller()
        assert child.wait(60) == -9


def test_down_means_refused_or_broken_and_only_for_the_named_cluster(gate: Gate) -> None:
    def call(operation: str, **body: str) -> httpx.Response:
        headers = {"X-Amz-Target": f"RedshiftData.{operation}"}
        return httpx.post(gate.data_api_url, headers=headers, content=json.dumps(body), timeout=60)

    assert call("ExecuteStatement", ClusterIdentifier="primary", Sql="SELECT 1").is_success
    with gate.refuse(data_api(cluster="primary")):
        assert call("DescribeStatement", Id="s-1:2").status_code == 503
        assert call("ExecuteStatement", ClusterIdentifier="secondary").is_success
    with gate.refuse(data_api(cluster="primary"), how="reset"), pytest.raises(httpx.TransportError):
        call("ExecuteStatement", ClusterIdentifier="primary")
    assert gate.count(data_api("ExecuteStatement")) == 3
