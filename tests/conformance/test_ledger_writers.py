"""Many writers of one ledger, and one session that is larger than the memory it may take."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys

import pytest

from opensession.git.repository import Repository

WRITERS = 32

RECORD_ONE = """
import hashlib, os, sys
from pathlib import Path
from opensession.git.ledger import Changes
from opensession.git.repository import Repository
path = Path(sys.argv[2])
digest = hashlib.sha256(path.read_bytes()).hexdigest()
repository = Repository.discover(Path(sys.argv[1]), os.environ)
meta = b'{"updated_at":"2026-01-02T03:04:05Z"}'
ledger = repository.ledger(repository.ledger_ref())
sys.stdin.read()  # until all have been started
ledger.record(Changes(sessions=[(digest, os.open(path, os.O_RDONLY), meta)]), "share")
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["--object-format=sha1", "--ref-format=reftable"])
@pytest.mark.parametrize("turns", ["turns", "no turns"])
def test_thirty_two_writers_at_once_all_land(env, tmp_path, kind, turns):
    try:
        env.git("init", "-q", kind)
    except subprocess.CalledProcessError:
        pytest.skip(f"this git has no {kind}")
    code = RECORD_ONE
    if turns == "no turns":  # as where the file system has no locks: then only the ref itself decides
        code = f"import opensession.git.objects as o; o._LONGEST_TURN = 0.0\n{code}"
    paths = [tmp_path / f"{n}.jsonl" for n in range(WRITERS)]
    for n, path in enumerate(paths):
        path.write_bytes(b"%d\n" % n)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(env.work), str(path)], env=env.variables, stdin=subprocess.PIPE
        )
        for path in paths
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.close()
    assert [writer.wait() for writer in writers] == [0] * WRITERS
    repository = Repository.discover(env.work, env.variables)
    ledger = repository.ledger(repository.ledger_ref())
    assert {entry.sha256 for entry in ledger.sessions()} == {
        hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    }
    assert env.git("rev-list", "--count", ledger.ref) == str(WRITERS)
    env.git("fsck", "--strict")


THERE_AND_BACK = """
import json, os, resource, sys
from pathlib import Path
from opensession import core
from opensession.git.ledger import Changes
from opensession.git.repository import Repository
fd = os.open(sys.argv[2], os.O_RDONLY)
digest, size = core.copy(fd)
repository = Repository.discover(Path(sys.argv[1]), os.environ)
ledger = repository.ledger("refs/opensession/branches/bWFpbg")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
ledger.record(Changes(sessions=[(digest, fd, b"{}")]), "share")
assert ledger.open(digest, os.open(os.devnull, os.O_WRONLY)) == size
own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps([own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere ru_maxrss has another unit")
def test_a_session_of_300_megabytes_passes_through_flat_memory(env, tmp_path):
    env.git("init", "-q")
    with open(tmp_path / "big", "wb") as file:
        file.truncate(300 << 20)
        file.seek(200 << 20)
        file.write(os.urandom(40 << 20))  # so that the object itself is large, too
    done = subprocess.run(
        [sys.executable, "-c", THERE_AND_BACK, str(env.work), str(tmp_path / "big")],
        env=env.variables,
        capture_output=True,
        check=True,
    )
    own, children = json.loads(done.stdout)
    assert own < 32 << 10
    assert children < 64 << 10
