"""Copies one line to the clipboard with the program that the desktop has for it.

Owns which programs those are and that nothing depends on them: where none works, the line is on the screen all the
same. It is the one place beside git that starts a program.
"""

from __future__ import annotations

import os
import subprocess
import sys

_SECONDS = 5
_MAC = (("pbcopy",),)
_UNIX = (("wl-copy",), ("xclip", "-selection", "clipboard"), ("xsel", "--clipboard", "--input"))


def copy(text: str) -> str | None:
    """Copy ``text``; returns why it did not work, or None where it did."""
    tried = []
    for words in _MAC if sys.platform == "darwin" else _UNIX:
        program = _find(words[0])
        if program is None:
            continue
        if _hand_over(program, words, text):
            return None
        tried.append(words[0])
    if tried:
        return f"the clipboard did not take it ({', '.join(tried)})"
    wanted = " or ".join(words[0] for words in (_MAC if sys.platform == "darwin" else _UNIX))
    return f"there is no program for the clipboard ({wanted})"


def _find(name: str) -> str | None:
    """The program on this ``PATH``; a folder that is not absolute is left out, since a clone may be it."""
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        program = os.path.join(folder, name)
        if os.path.isabs(folder) and os.path.isfile(program) and os.access(program, os.X_OK):
            return program
    return None


def _hand_over(program: str, words: tuple[str, ...], text: str) -> bool:
    try:
        # No pipe for its output: xclip stays behind to serve the text, and would hold the pipe open.
        done = subprocess.run(
            [program, *words[1:]],
            input=text.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
