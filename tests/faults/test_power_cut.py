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


@pytest.mark.slow
@pytest.mark.skipif(
    WHERE is None, reason="OPENSESSION_POWER_CUT is not set (it needs root and a loop device)"
)
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
    fd = os.open(mount, os.O_RDONLY)
    try:
        fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", WITHOUT_THE_JOURNAL))
    finally:
        os.close(fd)
    subprocess.run(["umount", str(mount)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(mount)], check=True)

    assert len(printed) == 50
    assert (root / "VERSION").read_bytes() == b"1\n"
    for sha256 in printed:
        path = root / "objects" / "sha256" / sha256[:2] / sha256[2:4] / f"{sha256}.jsonl"
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256
