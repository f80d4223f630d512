"""The launchers ``opensession`` and ``ops``: small scripts that start the program that made them.

Owns their place, their text and what a file found there is. A launcher is no copy: an update of the program needs no
new one, and where the program is gone it says so by failing. Must not change any file.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

from opensession import settings
from opensession.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = ("opensession", "ops")
MARKER = "# opensession-managed: a launcher"
ORIGINAL = ".original.pre-opensession"
# What `-m opensession` would do, without the importing of `runpy` at each of the hook's calls.
_RUN = "import sys; from opensession.cli.app import main; sys.exit(main())"
_TARGET = re.compile(rb"^exec (.+) -P -c '" + re.escape(_RUN.encode()) + rb"' \"\$@\"$", re.MULTILINE)
_LIMIT = 4096


class Shim(NamedTuple):
    """What stands where a launcher belongs."""

    path: Path
    exists: bool
    ours: bool
    target: str | None
    """The interpreter that it starts."""
    works: bool
    """It is executable, and so is what it starts."""
    current: bool
    """It is exactly the launcher of the running program."""


def folder(env: Mapping[str, str]) -> Path:
    """Where the launchers belong: the hook looks there, whatever ``OPENSESSION_HOME`` says."""
    data = env.get("XDG_DATA_HOME", "")
    base = Path(data) if data.startswith("/") else settings.home(env) / ".local" / "share"
    return base / settings.STORE_NAME / "bin"


def text(interpreter: str) -> bytes:
    """The launcher for the program that this interpreter runs.

    ``-P`` keeps the folder it is called in off the import path: that is a repository, and may hold an
    ``opensession`` or ``json.py`` of its own.
    """
    return os.fsencode(f"#!/bin/sh\n{MARKER}\nexec {shlex.quote(interpreter)} -P -c '{_RUN}' \"$@\"\n")


def look(path: Path, interpreter: str) -> Shim:
    """What stands at ``path``."""
    data = _read(path)
    exists = os.path.lexists(path)
    ours = data is not None and f"\n{MARKER}\n".encode() in data
    found = _TARGET.search(data) if ours and data is not None else None
    target = _word(os.fsdecode(found[1])) if found else None
    started = target if ours else str(path)
    works = exists and _runs(path) and started is not None and _runs(Path(started))
    return Shim(path, exists, ours, target, works, not path.is_symlink() and data == text(interpreter))


def _word(quoted: str) -> str | None:
    try:
        return shlex.split(quoted)[0]
    except (ValueError, IndexError):
        return None


def _read(path: Path) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read(_LIMIT)
    except OSError:
        return None


def _runs(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
