"""Failing here, a request is understood otherwise by a proxy before the receiver than by it, or a
body that a proxy passes on is lost.

The requests are those of nginx and of load balancers, byte by byte: nginx speaks HTTP/1.0 to what
stands behind it unless told otherwise, and without buffering passes bodies on in chunks.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from tests.support.receiver import TOKEN, EventQueues
from tests.web.conftest import Serve

MOST = 1000
PATH = "/webhook/events"
JSON = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"
EVENT = b'{"a": "\xc3\xa9"}'  # 11 bytes
MARK = b"\xef\xbb\xbf"


def request(
    body: bytes,
    *headers: str,
    kind: str = JSON,
    length: int | None = -1,
    version: str = "1.1",
    path: str = PATH,
) -> bytes:
    """A request; `length` None means that no header says it, -1 that the right one does."""
    said = {None: [], -1: [f"Content-Length: {len(body)}"]}.get(
        length, [f"Content-Length: {length}"]
    )
    lines = [f"POST {path} HTTP/{version}", "Host: x", f"X-Webhook-Token: {TOKEN}", kind]
    return "\r\n".join([*filter(None, lines), *said, *headers, "", ""]).encode() + body


def chunks(*pieces: bytes, **more: Any) -> bytes:
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return request(body + b"0\r\n\r\n", CHUNKED, length=None, **more)


def of(size: int) -> bytes:
    """An event of so many bytes."""
    return b'{"a":"' + b"x" * (size - 8) + b'"}'


TAKEN = {
    "as it is": (request(EVENT), EVENT),
    "HTTP/1.0": (request(EVENT, version="1.0"), EVENT),
    "HTTP/1.0, kept alive": (request(EVENT, "Connection: keep-alive", version="1.0"), EVENT),
    "one chunk": (chunks(EVENT), EVENT),
    "chunks that end within a character": (chunks(EVENT[:8], EVENT[8:]), EVENT),
    "chunks with extensions and a trailer": (
        request(
            b"00b;a=b\r\n" + EVENT + b"\r\n0\r\nX-Trailer: secretive\r\n\r\n", CHUNKED, length=None
        ),
        EVENT,
    ),
    "white space around": (request(b" \r\n" + EVENT + b"\n"), b" \r\n" + EVENT + b"\n"),
    "a charset": (request(EVENT, kind='content-type: Application/JSON ;charset="UTF-8"'), EVENT),
    "a kind of JSON": (request(EVENT, kind="Content-Type: application/cloudevents+json"), EVENT),
    "the longest": (request(of(MOST)), of(MOST)),
    "the longest, in chunks": (chunks(of(MOST)), of(MOST)),
    "percents in the path": (request(EVENT, path="/webhook/%65vents?utm=secretive"), EVENT),
}
REFUSED = {
    "one byte more": (request(of(MOST + 1)), 413),
    "one byte more, in chunks": (chunks(of(MOST), b" "), 413),
    "nothing": (request(b""), 422),
    "nothing, in chunks": (chunks(), 422),
    "no length at all": (request(b"", length=None), 422),
    "a byte order mark": (request(MARK + b"{}"), 422),
    "UTF-16": (request("{}".encode("utf-16")), 422),
    "cut within a character": (request(EVENT[:8]), 422),
    "two events": (request(EVENT + b"\n" + EVENT), 422),
    "Latin-1": (request(EVENT, kind="Content-Type: application/json; charset=iso-8859-1"), 415),
    "compressed": (request(EVENT, "Content-Encoding: gzip"), 415),
    "no type": (request(EVENT, kind=""), 415),
    "two lengths": (request(EVENT, "Content-Length: 5"), 400),
    "length and chunks": (request(b"0\r\n\r\n", CHUNKED, length=5), 400),
    "an encoding after chunks": (
        request(b"0\r\n\r\n", "Transfer-Encoding: chunked, identity", length=None), 400
    ),
    "a slash twice": (request(EVENT, path="//webhook/events"), 404),
    "a longer path": (request(EVENT, path="/webhook/events%2f.."), 404),
}  # fmt: skip


def test_bodies_as_proxies_pass_them_on(serve: Serve, queues: EventQueues, url: str) -> None:
    served = serve(max_body_bytes=MOST)
    for name, (data, _) in TAKEN.items():
        assert served.send_raw(data, until=12) == b"HTTP/1.1 200", name
    found = Counter(message["Body"].encode() for message in queues.take(url, len(TAKEN)))
    assert found == Counter(body for _, body in TAKEN.values())


def test_what_is_not_one_json_object_of_one_length(
    serve: Serve, queues: EventQueues, url: str
) -> None:
    served = serve(max_body_bytes=MOST)
    for name, (data, status) in REFUSED.items():
        assert served.send_raw(data, until=12) == b"HTTP/1.1 %d" % status, name
    assert served.client().post(PATH, json={}).status_code == 200
    assert [message["Body"] for message in queues.take(url, 1)] == ["{}"]


def test_a_refused_body_is_not_the_next_request(
    serve: Serve, queues: EventQueues, url: str
) -> None:
    """On a connection that senders share: what one is refused for is not read as another's."""
    smuggled = request(b'{"smuggled": 1}')
    refused = request(smuggled).replace(TOKEN.encode(), b"wrong", 1)
    answer = serve().send_raw(refused + request(EVENT, "Connection: close"))
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"401", b"200"]
    assert [message["Body"].encode() for message in queues.take(url, 1)] == [EVENT]


def test_a_sender_that_asks_first_is_told_to_go_on(serve: Serve) -> None:
    asks = request(b"", "Expect: 100-continue", length=len(EVENT))
    assert serve().send_raw(asks, until=12) == b"HTTP/1.1 100"


def test_a_sender_that_leaves_in_the_middle_has_sent_nothing(
    serve: Serve, queues: EventQueues, url: str
) -> None:
    served = serve()
    served.send_and_leave(request(EVENT)[:-1])
    assert served.client().post(PATH, json={}).status_code == 200
    assert [message["Body"] for message in queues.take(url, 1)] == ["{}"]
