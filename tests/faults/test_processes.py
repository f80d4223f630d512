"""The store in processes of its own: the order of its system calls, full disks, kills, many writers at once."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from opensession.store import Store

PUT = """
import sys
from opensession.store import Store
for stored in Store(sys.argv[1]).put_hail(sys.argv[2]):
    print(stored.uri, flush=True)
"""

# As a command ends: the code of the error, its number as the exit status.
PUT_AS_COMMAND = """
import resource, sys
from opensession.errors import OpensessionError
from opensession.store import Store
if sys.argv[3:]:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    for stored in Store(sys.argv[1]).put_hail(sys.argv[2]):
        print(stored.uri, flush=True)
except OpensessionError as error:
    print(error.code, error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


def can_trace() -> bool:
    strace = shutil.which("strace")
    if strace is None:
        return False
    tried = subprocess.run([strace, "-qq", "-e", "trace=none", "true"], capture_output=True, check=False)
    return tried.returncode == 0


needs_strace = pytest.mark.skipif(not can_trace(), reason="strace is not here, or may not trace")


@pytest.fixture
def session(env, hail) -> Path:
    """A file of HAIL of some megabytes, so that it takes several writes."""
    file = env.work / "x.hail.jsonl"
    file.write_bytes(hail.session(events=4000, text="lorem ipsum " * 60))
    return file


def traced(env, log: Path, options: list[str], *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["strace", "-f", "-qq", "-y", "-s", "4", "-o", str(log), *options, sys.executable, "-c", *words],
        cwd=env.work,
        env=env.variables,
        capture_output=True,
        check=False,
    )


def good_objects(root: Path) -> list[str]:
    """The addresses of all visible objects, each of which must have its bytes."""
    found = []
    for path in root.glob("objects/sha256/*/*/*.jsonl"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.stem
        found.append(path.stem)
    return found


# ---- promise 1, as the kernel sees it ----


def steps(log: Path, root: Path) -> list[str]:
    """What was done to the store, in order, with names in place of numbers."""
    done = []
    for line in log.read_text().splitlines():
        call = re.search(r"(fsync|rename\w*|write|fchmod)\((.*)", line)
        if call is None or "= -1" in line:
            continue
        name, rest = call[1], call[2]
        if name.startswith("rename"):
            names = re.findall(r'"([^"]*)"', line)
            done.append("rename " + ("version" if names[-1].startswith("VERS") else "object"))
            continue
        path = re.match(r"\d+<([^>]*)>", rest)
        if path is None:
            continue
        if path[1].startswith(str(root)) or path[1] == str(root.parent):
            inside = path[1].removeprefix(str(root)).lstrip("/") if path[1] != str(root.parent) else "parent"
            inside = re.sub(r"\.tmp-[0-9a-f]+-0$", "TEMPORARY", inside) or "root"
            inside = re.sub(r"[0-9a-f]{64}\.jsonl$", "OBJECT", re.sub(r"/[0-9a-f]{2}(?=/|$)", "/xx", inside))
            mode = " " + rest.rpartition(", ")[2].partition(")")[0] if name == "fchmod" else ""
            done.append(f"{name} {inside}{mode}")
        elif name == "write" and path[1].startswith("pipe:") and rest.find('"os:') > 0:
            done.append("print")
    return [step for at, step in enumerate(done) if at == 0 or step != done[at - 1]]


@needs_strace
def test_the_file_and_every_folder_is_synced_in_order_before_anything_is_printed(env, session):
    root = env.work / "new" / "store"
    log = env.work / "log"
    done = traced(
        env, log, ["-e", "trace=fsync,rename,renameat,renameat2,write,fchmod"], PUT, str(root), str(session)
    )
    assert done.returncode == 0, done.stderr.decode()
    found = steps(log, root)
    put = found[found.index("write objects/sha256/TEMPORARY") :]

    assert put == [
        "write objects/sha256/TEMPORARY",
        "fchmod objects/sha256/TEMPORARY 0400",
        "fsync objects/sha256/TEMPORARY",
        "rename object",
        "fsync objects/sha256/xx/xx",
        "fsync objects/sha256/xx",
        "fsync objects/sha256",
        "fsync objects",
        "fsync root",
        "fsync parent",
        "print",
    ]
    # The folder that was made above the root's parent is durable too.
    assert re.search(rf"fsync\(\d+<{re.escape(str(env.work))}>\)", log.read_text())


@needs_strace
def test_an_object_that_was_found_is_synced_all_the_same(env, session):
    root = env.work / "store"
    Store(root).put_hail(session)
    log = env.work / "log"
    done = traced(
        env, log, ["-e", "trace=fsync,rename,renameat,renameat2,write"], PUT, str(root), str(session)
    )
    assert done.returncode == 0, done.stderr.decode()
    found = steps(log, root)

    assert [s for s in found if s.startswith("fsync")] == [
        "fsync objects/sha256/xx/xx/OBJECT",
        "fsync objects/sha256/xx/xx",
        "fsync objects/sha256/xx",
        "fsync objects/sha256",
        "fsync objects",
        "fsync root",
        "fsync parent",
    ]
    assert "rename object" not in found
    assert found[-1] == "print"


# ---- kills ----


@needs_strace
@pytest.mark.slow
@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_kill_while_the_core_writes_leaves_no_name(env, session, at):
    root = env.work / "store"
    [stored] = Store(root).put_hail(session)  # the store is made, so the first writes are those of the object
    sha256 = Store(root).rm(stored.sha256).sha256
    inject = f"inject=write,pwrite64,writev,copy_file_range,sendfile:signal=KILL:when={at}"
    done = traced(env, env.work / "log", ["-e", inject], PUT, str(root), str(session))

    assert done.returncode != 0
    assert done.stdout == b""
    assert good_objects(root) == []
    again = env.python("-c", PUT, str(root), str(session))
    assert again.stdout.decode() == f"os://src/local/{sha256}\n"
    Store(root).gc(apply=True)
    assert Store(root).fsck().findings == ()


@pytest.mark.slow
def test_kills_at_any_moment_leave_whole_objects_only(env, hail):
    root = env.work / "store"
    files = []
    for n in range(30):
        file = env.work / f"{n}.jsonl"
        file.write_bytes(hail.session(f"s-{n}", 400, text="x" * 500))
        files.append(str(file))
    many = "import sys\nfrom opensession.store import Store\nfor f in sys.argv[2:]:\n for s in Store(sys.argv[1]).put_hail(f): print(s.uri, flush=True)"
    for lines in (0, 1, 3, 8, 20):
        shutil.rmtree(root, ignore_errors=True)
        child = subprocess.Popen(
            [sys.executable, "-c", many, str(root), *files],
            env=env.variables,
            cwd=env.work,
            stdout=subprocess.PIPE,
        )
        assert child.stdout is not None
        answered = [child.stdout.readline() for _ in range(lines)]
        child.kill()
        answered += child.stdout.read().splitlines(keepends=True)
        child.stdout.close()
        child.wait()
        printed = {line.decode().strip().rpartition("/")[2] for line in answered if line.endswith(b"\n")}

        assert printed <= set(good_objects(root))
        Store(root).gc(apply=True)
        assert Store(root).fsck().ok


# ---- full disks ----


def test_a_file_size_limit_is_a_storage_failure_that_leaves_nothing(env, session):
    root = env.work / "store"
    done = env.python("-c", PUT_AS_COMMAND, str(root), str(session), "100000")

    assert (done.returncode, done.stdout) == (8, b"")
    assert done.stderr.startswith(b"storage_failed ")
    assert b"lorem" not in done.stderr
    assert good_objects(root) == []
    assert not list(root.rglob(".tmp-*"))


@needs_strace
@pytest.mark.parametrize("call", ["fsync", "write"])
def test_a_full_disk_at_a_call_of_the_kernel_is_a_storage_failure(env, session, call):
    root = env.work / "store"
    Store(root).put_hail(session)
    [sha256] = good_objects(root)
    Store(root).rm(sha256)
    temporary = "write,pwrite64,writev" if call == "write" else call
    # Python itself writes nothing before it prints, and syncs nothing at all.
    done = traced(
        env,
        env.work / "log",
        ["-e", f"inject={temporary}:error=ENOSPC:when=1"],
        PUT_AS_COMMAND,
        str(root),
        str(session),
    )

    assert (done.returncode, done.stdout) == (8, b"")
    assert b"No space left on device" in done.stderr
    assert good_objects(root) == []
    assert not list(root.rglob(".tmp-*"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_output_is_a_write_failure_and_not_the_stores(env, session):
    from opensession.errors import WriteFailedError

    [stored] = Store(env.work / "store").put_hail(session)
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(WriteFailedError) as caught:
        Store(env.work / "store").copy_to(stored.sha256, full.fileno())
    assert caught.value.code == "write_failed"
    assert caught.value.exit_code == 8


def test_a_closed_pipe_is_a_broken_pipe(env, session):
    [stored] = Store(env.work / "store").put_hail(session)
    read, write = os.pipe()
    os.close(read)
    try:
        with pytest.raises(BrokenPipeError):
            Store(env.work / "store").copy_to(stored.sha256, write)
    finally:
        os.close(write)


# ---- many writers ----


@pytest.mark.slow
def test_writers_of_the_same_objects_at_once_all_succeed(env, hail):
    root = env.work / "store"
    files = []
    for n in range(3):
        files.append(env.work / f"{n}.jsonl")
        files[-1].write_bytes(hail.session(f"s-{n}", 2000, text="x" * 200))
    children = [
        subprocess.Popen(
            [sys.executable, "-c", PUT, str(root), str(files[n % 3])],
            env=env.variables,
            cwd=env.work,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for n in range(12)
    ]
    answers = [child.communicate() for child in children]

    assert [(child.returncode, err) for child, (_, err) in zip(children, answers, strict=True)] == [
        (0, b"")
    ] * 12
    printed = {out.decode().strip().rpartition("/")[2] for out, _ in answers}
    assert printed == set(good_objects(root))
    assert len(printed) == 3
    assert Store(root).fsck().findings == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_a_storage_failure(env, hail):
    from opensession.errors import StorageFailedError

    (env.work / "closed").mkdir(mode=0o500)
    with pytest.raises(StorageFailedError) as caught:
        Store(env.work / "closed" / "store").put_hail(hail.session())
    assert caught.value.exit_code == 8
