"""A tiny web server in front of ``git http-backend``, for tests that need a remote with a URL."""

from __future__ import annotations

import os
import ssl
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
    """What was asked for: method, path and, where there was one, the ``Authorization`` header."""


class Server(ThreadingHTTPServer):
    """What its handlers need to know."""

    root: Path
    needs: str | None
    requests: list[str]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *words) -> None:
        pass

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def answer(self) -> None:
        given = self.headers.get("Authorization")
        self.server.requests.append(f"{self.command} {self.path} {given or ''}".strip())
        if self.server.needs not in (None, given):
            self.reply(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"")
            return
        name = self.path.split("/")[1]
        if not (self.server.root / name).is_dir() and (self.server.root / f"{name}.git").is_dir():
            # git would find toaster.git as toaster; other servers send the visitor there.
            self.reply(301, {"Location": self.path.replace("/info", ".git/info", 1)}, b"")
            return
        done = subprocess.run(
            ["git", "http-backend"], env=self.cgi(), input=self.body(), capture_output=True, check=True
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.reply(int(fields.pop("Status", "200 OK").split(" ")[0]), fields, body)

    def reply(self, status: int, fields: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**fields, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
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
            "GIT_PROJECT_ROOT": str(self.server.root),
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


@contextmanager
def served(root: Path, *, needs: str | None = None, tls: tuple[str, str] | None = None) -> Iterator[Served]:
    """Serve the bare repositories below ``root``.

    ``needs`` is the ``Authorization`` header without which nobody gets in, ``tls`` a certificate and its key.
    """
    server = Server(("127.0.0.1", 0), Handler)
    server.root, server.needs, server.requests = root, needs, []
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        scheme = "http" if tls is None else "https"
        yield Served(f"{scheme}://127.0.0.1:{server.server_address[1]}", server.requests)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
