"""A power cut, as far as one can be had without a plug: ext4 is shut down by its own call without writing its journal.

Needs root and a loop device, so it runs only where it is asked for:
OPENSESSION_POWER_CUT=/a/folder/on/a/real/disk pytest tests/faults/test_power_cut.py
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

WHERE = os.environ.get("OPENSESSION_POWER_CUT")
SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN
WITHOUT_THE_JOURNAL = 2

PUT_EACH = """
import sys
from opensession.store import Store
for file in sys.argv[2:]:
    for stored in Store(sys.argv[1]).put_hail(file):
        print(stored.sha256, flush=True)
"""


@pytest.fixture
def disk(tmp_path):
    """A mounted file system of its own."""
    assert WHERE is not None
    image, mount = Path(WHERE) / f"power-cut-{os.getpid()}.img", tmp_path / "disk"
    mount.mkdir()
    with image.open("wb") as file:
        file.truncate(200 << 20)
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(mount)], check=True)
    yield image, mount
    subprocess.run(["umount", str(mount)], check=True)
    image.unlink()


def cut_power(image: Path, mount: Path) -> None:
    """The machine stops, and starts again."""
    fd = os.open(mount, os.O_RDONLY)
    try:
        fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", WITHOUT_THE_JOURNAL))
    finally:
        os.close(fd)
    subprocess.run(["umount", str(mount)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(mount)], check=True)


needs_a_disk = pytest.mark.skipif(
    WHERE is None, reason="OPENSESSION_POWER_CUT is not set (it needs root and a loop device)"
)


@pytest.mark.slow
@needs_a_disk
def test_every_address_that_was_printed_survives_a_power_cut(env, hail, disk):
    image, mount = disk
    files = []
    for n in range(50):
        files.append(env.work / f"{n}.jsonl")
        files[-1].write_bytes(hail.session(f"s-{n}", 1 + n % 7))
    root = mount / "made" / "on" / "the" / "way"
    done = subprocess.run(
        [sys.executable, "-c", PUT_EACH, str(root), *map(str, files)],
        env=env.variables,
        capture_output=True,
        check=True,
    )
    printed = done.stdout.decode().split()
    cut_power(image, mount)

    assert len(printed) == 50
    assert (root / "VERSION").read_bytes() == b"1\n"
    for sha256 in printed:
        path = root / "objects" / "sha256" / sha256[:2] / sha256[2:4] / f"{sha256}.jsonl"
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256


@pytest.mark.slow
@needs_a_disk
@pytest.mark.parametrize("refs", ["files", "reftable"])
def test_what_was_shared_survives_a_power_cut_and_git_finds_nothing_wrong(env, hail, disk, refs):
    image, mount = disk
    work = mount / "toaster"
    made = subprocess.run(
        ["git", "init", "-q", "-b", "main", f"--ref-format={refs}", str(work)],
        env=env.variables,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip(f"this git knows no {refs}")
    env.git("-c", "core.fsync=all", "commit", "-q", "--allow-empty", "-m", "first", cwd=work)
    os.sync()
    shared = []
    for number in range(30):
        (env.work / "s.jsonl").write_bytes(hail.session(f"s-{number}", 1 + number % 7))
        stored = env.run("register", str(env.work / "s.jsonl"), "--quiet", cwd=work)
        uri = stored.stdout.decode().strip()
        ref = f"refs/opensession/power/{number % 3}"
        done = env.run("share", uri, "--git", "--remote", "https://git.example.com/a", "--ref", ref, cwd=work)
        assert done.returncode == 0, done.stderr.decode()
        shared.append((ref, uri.rpartition("/")[2]))
    cut_power(image, mount)

    for ref, sha256 in shared:
        path = f"{ref}:v2/sessions/{sha256[:2]}/{sha256[2:4]}/{sha256}.jsonl"
        blob = subprocess.run(
            ["git", "cat-file", "blob", path], cwd=work, env=env.variables, check=True, capture_output=True
        )
        assert hashlib.sha256(blob.stdout).hexdigest() == sha256
    env.git("init", "-q", "--bare", str(env.work / "other.git"))
    env.git("push", "-q", str(env.work / "other.git"), "main", cwd=work)
    env.git("fetch", "-q", str(env.work / "other.git"), "main", cwd=work)
    env.git("fsck", "--strict", cwd=work)
    env.git("gc", "-q", cwd=work)
    env.git("fsck", "--strict", cwd=work)
