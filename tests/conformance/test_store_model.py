"""The store against a dictionary: whatever is done to it in whatever order, it answers as the model does."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from opensession.errors import IntegrityError, NotFoundError
from opensession.store import Store

NUMBERS = st.integers(0, 3)
BAD = [b"", b"rubbish\n", b'{"type":"header"}\n{"type":"stats"}\n']


def session(number: int) -> bytes:
    """A canonical session, one for each number."""
    header = {
        "agent": {"model": "m", "provider": "p", "tool": "t"},
        "context": {"created_at": "2026-01-02T03:04:05Z", "tags": [], "updated_at": "2026-01-02T03:04:05Z"},
        "session_id": f"s-{number}",
        "type": "header",
        "version": "hail-1.0.0",
    }
    return json.dumps(header, separators=(",", ":")).encode() + b'\n{"type":"stats"}\n'


class StoreMachine(RuleBasedStateMachine):
    """Each object is absent, right or wrong; nothing that was wrong is ever lost but by gc."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="store-model-"))
        self.store = Store(self.folder / "store")
        self.state: dict[int, str] = {}
        self.addresses: dict[int, str] = {}
        self.set_aside = 0

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def present(self) -> dict[int, str]:
        return {n: s for n, s in self.state.items() if s != "absent"}

    @rule(number=NUMBERS)
    def put(self, number: int) -> None:
        before = self.state.get(number, "absent")
        [stored] = self.store.put_hail(session(number))
        assert stored.existed == (before == "right")
        self.set_aside += before == "wrong"
        self.state[number] = "right"
        self.addresses[number] = stored.sha256

    @rule(number=NUMBERS, bad=st.sampled_from(BAD))
    def damage(self, number: int, bad: bytes) -> None:
        if number in self.present():
            path = self.store.path_of(self.addresses[number])
            path.chmod(0o600)
            path.write_bytes(bad)
            path.chmod(0o400)
            self.state[number] = "wrong"

    @rule(number=NUMBERS)
    def remove(self, number: int) -> None:
        if number not in self.addresses:
            return
        if self.state[number] == "absent":
            with pytest.raises(NotFoundError):
                self.store.rm(self.addresses[number])
        else:
            self.store.rm(self.addresses[number])
            self.state[number] = "absent"

    @rule(repair=st.booleans())
    def fsck(self, repair: bool) -> None:
        report = self.store.fsck(repair=repair)
        wrong = [n for n, s in self.state.items() if s == "wrong"]
        assert report.objects == len(self.present())
        assert len(report.findings) == len(wrong)
        assert report.ok == (repair or not wrong)
        if repair:
            self.set_aside += len(wrong)
            self.state.update(dict.fromkeys(wrong, "absent"))

    @rule()
    def gc(self) -> None:
        assert self.store.gc(apply=True).items == ()

    @rule(number=NUMBERS)
    def read(self, number: int) -> None:
        if number not in self.addresses:
            return
        match self.state[number]:
            case "absent":
                with pytest.raises(NotFoundError):
                    self.store.open(self.addresses[number])
            case "wrong":
                with pytest.raises(IntegrityError):
                    self.store.open(self.addresses[number])
            case _:
                self.store.open(self.addresses[number]).close()

    @invariant()
    def lists_what_is_there(self) -> None:
        assert {e.sha256 for e in self.store.ls(all=True)} == {self.addresses[n] for n in self.present()}

    @invariant()
    def keeps_what_was_wrong(self) -> None:
        quarantine = self.store.root / "quarantine"
        assert (len(list(quarantine.iterdir())) if quarantine.exists() else 0) == self.set_aside

    @invariant()
    def leaves_no_temporary_file(self) -> None:
        assert not list(self.store.root.rglob(".tmp-*"))


class TestStoreModel(StoreMachine.TestCase):
    """Runs the machine."""

    settings = settings(max_examples=40, stateful_step_count=25)
