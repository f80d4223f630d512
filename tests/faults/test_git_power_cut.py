"""A power cut after a session was recorded in a ledger: the session is there, and the user's repository is whole.

Needs root and a loop device, so it runs only where it is asked for:
OPENSESSION_POWER_CUT=/a/folder/on/a/real/disk pytest tests/faults/test_git_power_cut.py
"""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

WHERE = os.environ.get("OPENSESSION_POWER_CUT")
SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN, which XFS answers too
WITHOUT_THE_JOURNAL = 2
TIMES = 30

RECORD_EACH = """
import hashlib, os, sys
from pathlib import Path
from opensession.git.ledger import Changes, Link
from opensession.git.notes import add
from opensession.git.repository import Repository
repository = Repository.discover(Path(sys.argv[1]), os.environ)
for n in range(int(sys.argv[2])):
    big = n == 7
    data = (b"%d\\n" % n) * (6_000_000 if big else 1)
    digest = hashlib.sha256(data).hexdigest()
    path = Path(sys.argv[3]) / digest
    path.write_bytes(data)
    fd = os.open(path, os.O_RDONLY)
    ledger = repository.ledger(repository.ledger_ref(f"b{n % 10}"))
    link = Link("a" * len(repository.zero), digest, ("time",), 0.5)
    meta = b'{"updated_at":"2026-01-02T03:04:05Z"}'
    done = ledger.record(Changes(sessions=[(digest, fd, meta)], links=[link]), "share")
    if n % 3 == 0:
        add(ledger, done.tip, [digest])
    print(ledger.ref, done.tip, digest, flush=True)
"""


@pytest.fixture(params=["ext4", "xfs"])
def disk(request, tmp_path):
    """A mounted file system of its own."""
    assert WHERE is not None
    make = shutil.which(f"mkfs.{request.param}")
    if make is None:
        pytest.skip(f"there is no mkfs.{request.param}")
    image, mount = Path(WHERE) / f"git-power-cut-{os.getpid()}.img", tmp_path / "disk"
    mount.mkdir()
    with image.open("wb") as file:
        file.truncate(400 << 20)
    subprocess.run([make, "-q", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(mount)], check=True)
    yield image, mount
    subprocess.run(["umount", str(mount)], check=True)
    image.unlink()


def cut(image: Path, mount: Path) -> None:
    """Cut the power: nothing that is only in memory gets to the disk."""
    shut_down(mount)
    remount(image, mount)


def shut_down(mount: Path) -> None:
    fd = os.open(mount, os.O_RDONLY)
    try:
        fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", WITHOUT_THE_JOURNAL))
    finally:
        os.close(fd)


def remount(image: Path, mount: Path) -> None:
    subprocess.run(["umount", str(mount)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(mount)], check=True)


@pytest.mark.slow
@pytest.mark.skipif(
    WHERE is None, reason="OPENSESSION_POWER_CUT is not set (it needs root and a loop device)"
)
@pytest.mark.parametrize("kind", ["--object-format=sha1", "--object-format=sha256", "--ref-format=reftable"])
def test_what_was_recorded_survives_a_power_cut_and_so_does_the_repository(env, disk, kind, tmp_path):
    image, mount = disk
    repository = mount / "w"
    try:
        env.git("init", "-q", "-b", "main", kind, str(repository))
    except subprocess.CalledProcessError:
        pytest.skip(f"this git has no {kind}")
    durable = ("-c", "core.fsync=all")
    env.git(*durable, "commit", "-q", "--allow-empty", "-m", "base", cwd=repository)
    os.sync()
    (tmp_path / "shelf").mkdir()
    variables = {name: value for name, value in env.variables.items() if name != "GIT_TEST_FSYNC"}
    done = subprocess.run(
        [sys.executable, "-c", RECORD_EACH, str(repository), str(TIMES), str(tmp_path / "shelf")],
        env=variables,
        capture_output=True,
        check=True,
    )
    recorded = [line.split() for line in done.stdout.decode().splitlines()]
    assert len(recorded) == TIMES
    cut(image, mount)

    newest = {ref: tip for ref, tip, _ in recorded}
    for ref, tip in newest.items():
        assert env.git("rev-parse", ref, cwd=repository) == tip
    for ref, _, digest in recorded:
        assert env.git("cat-file", "-t", f"{ref}:{path_of(digest)}", cwd=repository) == "blob"
    env.git("init", "-q", "--bare", *([kind] if "object" in kind else []), str(mount / "r.git"))
    env.git("push", "-q", str(mount / "r.git"), "main", cwd=repository)
    env.git("fetch", "-q", str(mount / "r.git"), "main", cwd=repository)
    env.git("fsck", "--full", "--strict", cwd=repository)
    env.git("gc", "-q", cwd=repository)
    env.git("fsck", "--full", cwd=repository)
    assert env.git("notes", "--ref=opensession", "list", cwd=repository).count("\n") + 1 == TIMES // 3


@pytest.mark.slow
@pytest.mark.skipif(
    WHERE is None, reason="OPENSESSION_POWER_CUT is not set (it needs root and a loop device)"
)
def test_a_power_cut_while_it_is_being_written_leaves_the_repository_whole(env, disk, tmp_path):
    image, mount = disk
    (tmp_path / "shelf").mkdir()
    variables = {name: value for name, value in env.variables.items() if name != "GIT_TEST_FSYNC"}
    for moment in range(20):
        repository = mount / f"w{moment}"
        env.git("init", "-q", "-b", "main", str(repository))
        env.git("-c", "core.fsync=all", "commit", "-q", "--allow-empty", "-m", "base", cwd=repository)
        os.sync()
        writer = subprocess.Popen(
            [sys.executable, "-c", RECORD_EACH, str(repository), "100", str(tmp_path / "shelf")],
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(1 + moment % 3)]
        time.sleep(moment * 0.007)  # the moment itself is what is tried; a record takes some 50 ms
        shut_down(mount)
        lines += writer.stdout.readlines()  # acknowledged before the cut, and read after it
        writer.stdout.close()
        assert writer.wait() != 0
        remount(image, mount)
        for line in filter(None, lines):
            ref, _, digest = line.decode().split()
            assert env.git("cat-file", "-t", f"{ref}:{path_of(digest)}", cwd=repository) == "blob"
        env.git("fsck", "--full", cwd=repository)
        env.git("gc", "-q", cwd=repository)
        env.git("fsck", "--full", cwd=repository)


def path_of(digest: str) -> str:
    return f"v2/sessions/{digest[:2]}/{digest[2:4]}/{digest}.jsonl"
