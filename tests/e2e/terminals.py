"""Runs the command on a terminal of its own, answers its question, and gives what was shown."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

QUESTION = b"[y/N]"


def shown_by(
    words: tuple[str, ...],
    cwd: Path,
    variables: Mapping[str, str],
    *,
    typed: bytes | None = None,
    patience: float = 60,
) -> str:
    """Both streams as the terminal got them. Without ``typed`` standard input is empty and no terminal."""
    master, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "opensession", *words],
        stdin=subprocess.DEVNULL if typed is None else slave, stdout=slave, stderr=slave, cwd=cwd, env=variables,
    ) as running:  # fmt: skip
        os.close(slave)
        shown = b""
        while True:
            ready, _, _ = select.select([master], [], [], patience)
            assert ready, "the command says nothing and does not end"
            try:
                piece = os.read(master, 65536)
            except OSError:  # Linux: the other end is closed
                break
            if not piece:
                break
            shown += piece
            if typed is not None and QUESTION in shown:
                os.write(master, typed)
                typed = None
        running.wait(patience)
    os.close(master)
    return shown.decode()
