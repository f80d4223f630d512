"""A small repository, its store, and what agents and people do in it."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime

from opensession.actions import sync
from opensession.git.ledger import Ledger
from opensession.git.repository import Repository
from opensession.store import Stores

T0 = 1_767_300_000
"""2026-01-01T20:40:00Z, when the day of these tests begins."""
HEAT = "def heat(slices):\n    return slices * TEMPERATURE\n"
KETTLE = "def boil(litres):\n    return litres * 4186\n"


def at(seconds: int) -> str:
    return datetime.fromtimestamp(T0 + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class World:
    """A repository, its store, and what happens in it."""

    def __init__(self, env, hail, name: str = "repo", *options: str) -> None:
        self.env, self.hail, self.top = env, hail, env.work / name
        env.git("init", "-q", "-b", "main", "--template=", *options, str(self.top))
        with (self.top / ".git" / "config").open("a") as config:
            config.write("[user]\n\temail = ada@example.com\n[maintenance]\n\tauto = false\n")

    def git(self, *words: str, when: int = 0, **variables: str) -> str:
        dates = {"GIT_AUTHOR_DATE": f"{T0 + when} +0000", "GIT_COMMITTER_DATE": f"{T0 + when} +0000"}
        done = subprocess.run(
            ["git", *words],
            cwd=self.top,
            env={**self.env.variables, "GIT_SEQUENCE_EDITOR": ":", **dates, **variables},
            capture_output=True,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        return done.stdout.decode().strip()

    def commit(self, message: str, when: int, **files: str) -> str:
        for name, text in files.items():
            path = self.top / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message, when=when)
        return self.head()

    def head(self) -> str:
        name = (self.top / ".git" / "HEAD").read_text().strip().removeprefix("ref: ")
        return (self.top / ".git" / name).read_text().strip() if name.startswith("refs/") else name

    def stores(self) -> Stores:
        return Stores.discover(self.top, os.environ)

    def session(
        self, name: str, *events: dict, start: int = 0, end: int = 100, cwd: str | None = None, **attributes
    ) -> str:
        """A stored session that ran from ``start`` to ``end``."""
        attributes = {"cwd": cwd or str(self.top), **attributes}
        header = self.hail.header(
            name, created_at=at(start), updated_at=at(end), attributes=attributes, title=name
        )
        [stored] = self.stores().write.put_hail(self.hail.lines(header, *events, self.hail.stats()))
        return stored.sha256

    def wrote(self, path: str, text: str, when: int = 10, *, call: str = "", **more) -> dict:
        """A new file, written whole."""
        code = {"blocks": [{"type": "Code", "code": text}]}
        kind = {"type": "FileCreate", "data": {"path": self._path(path)}}
        return self._event(kind, when, call, content=code, **more)

    def edited(self, path: str, diff: str, when: int = 10, *, call: str = "", **more) -> dict:
        kind = {"type": "FileEdit", "data": {"path": self._path(path), "diff": diff}}
        return self._event(kind, when, call, content={"blocks": []}, **more)

    def failed(self, call: str, when: int = 10) -> dict:
        kind = {"type": "ToolResult", "data": {"name": "Edit", "is_error": True, "call_id": call}}
        return self._event(kind, when, call, content={"blocks": []})

    def said(self, text: str, when: int = 5, **attributes) -> dict:
        content = {"blocks": [{"type": "Text", "text": text}]}
        return self._event({"type": "UserMessage"}, when, "", content=content, **attributes)

    def _path(self, path: str) -> str:
        return path if path.startswith("/") else str(self.top / path)

    def _event(self, kind: dict, when: int, call: str, **more) -> dict:
        attributes = (
            {"semantic.call_id": call, **more.pop("attributes", {})} if call else more.pop("attributes", {})
        )
        self.count = getattr(self, "count", 0) + 1
        event = {
            "type": "event",
            "event_id": f"e{self.count}",
            "timestamp": at(when),
            "event_type": kind,
            **more,
        }
        return event | ({"attributes": attributes} if attributes else {})

    def squashed(self, base: int) -> str:
        """A linked commit and one by hand, squashed into one of main; the session that wrote the first."""
        self.commit("base", base, readme="x\n")
        self.git("checkout", "-q", "-b", "side")
        self.commit("heat", 50, **{"heat.py": HEAT})
        self.commit("by hand", 55, **{"kettle.py": KETTLE})
        session = self.session("s", self.wrote("heat.py", HEAT))
        self.sync("side")
        self.git("checkout", "-q", "main")
        self.git("merge", "-q", "--squash", "side")
        self.git("commit", "-q", "-m", "all at once", when=9000)
        return session

    def repository(self) -> Repository:
        return Repository.discover(self.top, os.environ)

    def sync(self, branch: str = "main", commit: str | None = None, **more) -> sync.Synced:
        return sync.sync_branch(self.stores(), self.repository(), branch, commit, env=os.environ, **more)

    def links(self, branch: str = "main") -> list[tuple[str, str, float, tuple[str, ...]]]:
        repository = self.repository()
        found = Ledger(repository.git, repository.ledger_ref(branch)).links()
        return sorted((link.commit, link.sha256, link.confidence, link.reasons) for link in found)

    def linked(self, commit: str, branch: str = "main") -> dict[str, float]:
        return {sha256: confidence for oid, sha256, confidence, _ in self.links(branch) if oid == commit}


def claude_records(world, text: str) -> bytes:
    common = {"sessionId": "c0ffee00-0000-4000-8000-000000000001", "version": "2.1.0", "cwd": str(world.top)}
    call = {
        "type": "tool_use",
        "id": "t1",
        "name": "Write",
        "input": {"file_path": f"{world.top}/heat.py", "content": text},
    }
    records = [
        {"type": "user", "uuid": "u1", "timestamp": at(0), "message": {"role": "user", "content": "heat!"}},
        {
            "type": "assistant",
            "uuid": "a1",
            "timestamp": at(10),
            "message": {"id": "m1", "role": "assistant", "content": [call]},
        },
        {"type": "user", "uuid": "u2", "timestamp": at(90), "message": {"role": "user", "content": "thanks"}},
    ]
    return b"".join(json.dumps(record | common).encode() + b"\n" for record in records)
