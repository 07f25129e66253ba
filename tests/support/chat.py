"""An incoming webhook, like Slack's, that keeps what is posted, and may be out of order.

chat = Chat()
... # an http connection whose host is chat.url
assert chat.heard == ["all is well"]
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Chat:
    """One channel.

    :ivar broken: it answers 500, and keeps nothing
    :ivar deaf: it takes what is sent and never answers, until it is closed
    """

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.broken = self.deaf = False
        self._closed = threading.Event()
        chat = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if chat.deaf:
                    chat._closed.wait()
                elif not chat.broken:
                    chat.heard.append(json.loads(body)["text"])
                self.send_response(500 if chat.broken or chat.deaf else 200)
                self.end_headers()

            def log_message(self, *words: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where to post, as Slack would tell it: the secret is in the path."""
        return f"http://127.0.0.1:{self._server.server_port}/services/T0/B0/secret"

    def about(self, table: str) -> list[str]:
        return [each for each in self.heard if table in each]

    def close(self) -> None:
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()
