"""A tiny web server in front of ``git http-backend``, for tests that need a remote with a URL."""

from __future__ import annotations

import os
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Served(NamedTuple):
    """A running server."""

    url: str
    requests: list[str]
    """What was asked for: method, path and the name that was given."""


@contextmanager
def served(root: Path, *, needs: str | None = None) -> Iterator[Served]:
    """Serve the bare repositories below ``root``; ``needs`` is the ``Authorization`` header without which nobody gets in."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def log_message(self, *words) -> None:
            pass

        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def answer(self) -> None:
            asked.append(f"{self.command} {self.path}")
            if needs is not None and self.headers.get("Authorization") != needs:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.end_headers()
                return
            done = subprocess.run(
                ["git", "http-backend"], env=self.cgi(), input=self.body(), capture_output=True, check=True
            )
            head, _, body = done.stdout.partition(b"\r\n\r\n")
            fields = [line.split(b": ", 1) for line in head.split(b"\r\n")]
            status = dict(fields).get(b"Status", b"200 OK").split(b" ")[0]
            self.send_response(int(status))
            for name, value in fields:
                if name != b"Status":
                    self.send_header(name.decode(), value.decode())
            self.end_headers()
            self.wfile.write(body)

        def body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            pieces = []
            while size := int(self.rfile.readline(), 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            return b"".join(pieces)

        def cgi(self) -> dict[str, str]:
            path, _, query = self.path.partition("?")
            return {
                "PATH": os.environ["PATH"],
                "HOME": os.environ["HOME"],
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_PROJECT_ROOT": str(root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_PROTOCOL": self.headers.get("Git-Protocol") or "",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type") or "",
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding") or "",
                "REMOTE_USER": "ada",
                "REMOTE_ADDR": "127.0.0.1",
            }

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{server.server_address[1]}", asked)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
