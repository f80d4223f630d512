"""Unpacks the corpus once a run and examines every log once, whatever the number of test workers."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the helpers beside the tests import each other by name

PATIENCE = 600.0


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run have in common."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "corpus"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def corpus(shared: Path) -> Path:
    import logs

    if not logs.present():
        pytest.skip(f"no real logs in {logs.WHERE}: set OPENSESSION_CORPUS to the folder with claude.tar.xz")
    root = shared / "files"
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            partial = shared / "unpacking"
            logs.unpack(partial)
            partial.rename(root)
    return root


@pytest.fixture(scope="session")
def examined(corpus: Path, shared: Path) -> list[dict[str, Any]]:
    """What `logs.examine` says about every log; each log is claimed by one worker."""
    import logs

    todo = logs.logs(corpus)
    answers = [shared / f"{at}.json" for at in range(len(todo))]
    for log, answer in zip(todo, answers, strict=True):
        try:
            answer.with_suffix(".claimed").touch(exist_ok=False)
        except FileExistsError:
            continue
        logs.save(logs.examine(log), answer)
    patience = time.monotonic() + PATIENCE
    while not all(answer.exists() for answer in answers):
        assert time.monotonic() < patience, "another worker has claimed a log and gives no answer"
        time.sleep(0.05)
    return [json.loads(answer.read_text()) for answer in answers]
