"""Reads, writes and trusts a folder's ``.opensession/config.toml``.

Owns which folder's file is meant and that an edit of ours keeps the trust a file had. What a file may say is
`opensession.config`'s.
"""

from __future__ import annotations

from opensession.actions.outputs import atomic_output
from opensession.config import BASE_URL, Config, checked_url, parse, path_in, read
from opensession.errors import NotFoundError, StorageFailedError, UsageError
from opensession.light import NamedTuple
from opensession.settings import find_repository, global_root, quoted
from opensession.store import trust as trusted_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Written(NamedTuple):
    """A configuration that was written."""

    path: Path
    base_url: str
    changed: bool
    """False where the file said so already and was left alone."""


def load(cwd: Path, env: Mapping[str, str]) -> Config:
    """The configuration that is in force in ``cwd``: that of the repository, else of the folder itself."""
    root = global_root(cwd, env)
    return Config.load(folder_of(cwd, env), lambda path: trusted_files.recorded(root, path))


def folder_of(cwd: Path, env: Mapping[str, str]) -> Path:
    """The folder whose ``.opensession`` is meant."""
    repository = find_repository(cwd, env)
    return cwd if repository is None or repository.worktree is None else repository.worktree


def init(cwd: Path, env: Mapping[str, str], base_url: str) -> Written:
    """Set ``share.base_url``; everything else in the file stays as it is, byte for byte."""
    url = checked_url(base_url)
    path = path_in(folder_of(cwd, env))
    before = read(path)
    was_trusted = before is not None and load(cwd, env).trusted
    after = _edited(path, before or b"", url)
    if after == before:
        return Written(path, url, changed=False)
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise StorageFailedError(
            f"the folder {str(path.parent)!r} cannot be made: {error.strerror}",
            next=[f"ls -ld {quoted(path.parent.parent)}"],
        ) from error
    with atomic_output(str(path)) as fd, open(fd, "wb", closefd=False) as file:
        file.write(after)
    if was_trusted:
        trusted_files.record(global_root(cwd, env), path, _sha256(after))
    return Written(path, url, changed=True)


def _edited(path: Path, before: bytes, url: str) -> bytes:
    from opensession.actions.tomlkey import with_text

    parsed = parse(path, before)
    share = parsed.get("share")
    if isinstance(share, dict) and share.get("base_url") == url:
        return before
    table, _, key = BASE_URL.partition(".")
    after = with_text(before.decode("utf-8"), table, key, url)
    if after is None:
        raise UsageError(
            f"{str(path)!r} writes {table!r} in a way that is not edited here; set {BASE_URL} by hand to {url}",
            next=[f"cat -n {quoted(path)}", "opensession config show"],
        )
    return after.encode("utf-8")


def show(cwd: Path, env: Mapping[str, str]) -> Config:
    """The configuration, which must exist."""
    config = load(cwd, env)
    if config.sha256 is None:
        from opensession.config import INIT_STEP

        raise NotFoundError(f"there is no configuration {str(config.path)!r}", next=[INIT_STEP])
    return config


def trust(cwd: Path, env: Mapping[str, str]) -> Config:
    """Record the file's hash, so that all of its keys are in force until it changes."""
    config = show(cwd, env)
    assert config.sha256 is not None
    # Read as it will be read once it is trusted: what is wrong in it is said now, and not recorded.
    trusted = Config.load(folder_of(cwd, env), lambda _path: config.sha256)
    if not trusted.trusted:
        raise UsageError(f"{str(config.path)!r} changed while it was read", next=["opensession config show"])
    trusted_files.record(global_root(cwd, env), config.path, config.sha256)
    return trusted


def _sha256(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()
