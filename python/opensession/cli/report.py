"""Prints what a command has to say: text, JSON, notes and errors.

Owns the two standard streams and the rule that nothing hostile reaches a terminal. It must not know any action.

Results go to standard output, everything for people's eyes (notes, progress, errors) to standard error. With ``--json``
standard output carries exactly one JSON document, the error included; where the session's own bytes go there (``parse``
without ``--out``) the document goes to standard error instead.
"""

from __future__ import annotations

import sys
from io import TextIOWrapper

from opensession.errors import WriteFailedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TextIO

    from opensession.errors import OpensessionError
    from opensession.settings import AnyPath

# What a terminal acts on or hides: C0 (with ESC) and DEL, C1, line and paragraph separators, marks and isolates that
# reorder text (CVE-2021-42574), zero-width characters, the byte order mark, interlinear and tag characters.
_HOSTILE = (
    *range(0x20), 0x7F, *range(0x80, 0xA0), 0xAD, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x2028, 0x202F),
    *range(0x2060, 0x2070), 0xFEFF, *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080),
)  # fmt: skip


def _json_escape(code: int) -> str:
    if code < 0x10000:
        return f"\\u{code:04x}"
    return f"\\u{0xD7C0 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


JSON_ESCAPES = {code: _json_escape(code) for code in _HOSTILE if code >= 0x7F}
"""For text that is JSON already: the same value, with nothing in it that a terminal would obey."""

_TEXT_ESCAPES = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:x}}}" for code in _HOSTILE}
_LINES = {code: text for code, text in _TEXT_ESCAPES.items() if code != 0x0A}


def visible(text: str, *, lines: bool = False) -> str:
    """Text from outside, fit for a terminal; with ``lines``, line ends stay."""
    # surrogateescape is how file names that are no UTF-8 arrive; they cannot be printed as they are.
    shown = text.translate(_LINES if lines else _TEXT_ESCAPES)
    return shown.encode("utf-8", "backslashreplace").decode("utf-8")


class Report:
    """Where one command's output goes."""

    def __init__(self, *, json: bool = False) -> None:
        self.json = json
        self.json_to_stderr = False
        self.store: str | None = None
        """The ``--store`` of this command line, which every next step must name again."""

    def out(self, text: str) -> None:
        """A line of the result."""
        write(sys.stdout, visible(text, lines=True) + "\n")

    def path(self, label: str, place: AnyPath) -> None:
        """A line that names a file: shown on a terminal; a pipe or a file gets the name's own bytes."""
        stream = sys.stdout
        if not isinstance(stream, TextIOWrapper) or stream.isatty():
            self.out(f"{label}{place}")
            return
        usual = stream.errors
        stream.reconfigure(errors="surrogateescape")
        try:
            write(stream, f"{label}{place}\n")
        finally:
            stream.reconfigure(errors=usual)

    def note(self, text: str) -> None:
        """A line for people: a warning, a preview. Silent under ``--json``, whose document says it all."""
        if not self.json:
            self.say(text)

    def say(self, text: str) -> None:
        """A line on standard error whatever the mode; a closed standard error is nobody's loss."""
        try:
            write(sys.stderr, visible(text, lines=True) + "\n")
        except (OSError, WriteFailedError):
            return

    def document(self, value: Mapping[str, object]) -> None:
        """The JSON document of this command."""
        import json

        text = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True).translate(JSON_ESCAPES)
        write(sys.stderr if self.json_to_stderr else sys.stdout, text + "\n")

    def rows(self, key: str, rows: list[dict[str, object]], failed: Sequence[OpensessionError] = ()) -> None:
        """A document that always has the list, beside it the members of its only row, and what failed."""
        document: dict[str, object] = dict(rows[0]) if len(rows) == 1 and not failed else {}
        document[key] = rows
        if failed:
            document["error"] = self._as_dict(failed[0])
            document["errors"] = [self._as_dict(error) for error in failed]
        self.document(document)

    def partly(self, done: Mapping[str, object], error: OpensessionError | None) -> None:
        """The document of a command that did what it says and then failed."""
        self.document(done if error is None else {**done, "error": self._as_dict(error)})

    def error(self, error: OpensessionError) -> None:
        """What happened and what to do next, for people."""
        self.say("\n".join([f"Error: {_masked(place(error))}", *self._steps(error.next)]))

    def error_document(self, error: OpensessionError) -> None:
        """The same for programs."""
        self.document({"error": self._as_dict(error)})

    def advise(self, steps: Sequence[str]) -> None:
        """Next steps after an answer that is bad but no failure of the command."""
        if steps:
            self.note("\n".join(self._steps(steps)))

    def _as_dict(self, error: OpensessionError) -> dict[str, object]:
        document = error.as_dict()
        steps = [_masked(self.with_store(step)) for step in error.next]
        return document | {"message": _masked(str(document["message"])), "next": steps}

    def _steps(self, steps: Sequence[str]) -> list[str]:
        return ["next:", *(f"- {_masked(self.with_store(step))}" for step in steps)] if steps else []

    def with_store(self, step: str) -> str:
        """A step of ours with the ``--store`` of this command line."""
        if self.store is None or "--store" in step:
            return step
        from opensession.settings import quoted

        own = f"opensession --store {quoted(self.store)} "
        step = step.replace("$(opensession ", f"$({own}")
        return " | ".join(
            own + part.removeprefix("opensession ") if part.startswith("opensession ") else part
            for part in step.split(" | ")
        )


def _masked(text: str) -> str:
    """A text that repeats what was typed, without the passwords of the addresses in it."""
    if "://" not in text or "@" not in text:
        return text
    from opensession.git.remotes import masked

    return masked(text)


def place(error: OpensessionError) -> str:
    """The message of an error with the place in the input, where it has one and does not say it yet."""
    if error.line is None or f"line {error.line}" in error.message:
        return error.message
    where = f"line {error.line}" if error.column is None else f"line {error.line}, column {error.column}"
    return f"{error.message} ({where})"


def write(stream: TextIO | None, text: str) -> None:
    """Write all of ``text`` now, so that a full disk or a closed pipe is noticed here and not at exit."""
    if stream is None:
        raise WriteFailedError("standard output is closed")
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise WriteFailedError(
            f"standard output could not be written: {error.strerror}", errno=error.errno
        ) from error
