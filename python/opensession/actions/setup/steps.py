"""The kinds of change that setting up is made of. Each can be done, and undone if nobody changed it since.

Owns doing and undoing one thing, and its form in the record. Must not know why a change is made.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path

from opensession.actions.setup import files
from opensession.actions.setup.ownkeys import own_values
from opensession.errors import RefusedError
from opensession.light import NamedTuple
from opensession.settings import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.git.repository import Repository


class SetKey(NamedTuple):
    """A key of the clone's configuration with one value."""

    key: str
    before: tuple[str, ...]
    after: str

    @property
    def title(self) -> str:
        was = f" (now {', '.join(map(repr, self.before))})" if self.before else ""
        return f"set {self.key} = {self.after} in the clone's configuration{was}"

    @property
    def restore(self) -> str | None:
        if self.before:
            return f"git config --local --replace-all {self.key} {quoted(self.before[-1])}"
        return f"git config --local --unset-all {self.key}"

    def do(self, repository: Repository) -> None:
        repository.config_set(self.key, self.after)

    def undo(self, repository: Repository) -> str | None:
        if own_values(repository, self.key) != (self.after,):
            return f"{self.key} stays: it was changed since"
        if not self.before:
            repository.config_unset(self.key)
        for at, value in enumerate(self.before):
            (repository.config_add if at else repository.config_set)(self.key, value)
        return None


class AddValue(NamedTuple):
    """One more value of a key of the clone's configuration; or, with ``drop``, one less."""

    key: str
    value: str
    drop: bool = False

    @property
    def title(self) -> str:
        verb, where = ("remove", "from") if self.drop else ("add", "to")
        return f"{verb} {self.key} = {self.value} {where} the clone's configuration"

    @property
    def restore(self) -> str | None:
        if self.drop:
            return f"git config --local --add {self.key} {quoted(self.value)}"
        return f"git config --local --fixed-value --unset-all {self.key} {quoted(self.value)}"

    def do(self, repository: Repository) -> None:
        self._set(repository, there=not self.drop)

    def undo(self, repository: Repository) -> str | None:
        self._set(repository, there=self.drop)
        return None

    def _set(self, repository: Repository, *, there: bool) -> None:
        present = self.value in own_values(repository, self.key)
        if there and not present:
            repository.config_add(self.key, self.value)
        elif present and not there:
            repository.config_unset(self.key, self.value)


class PutFile(NamedTuple):
    """A file that is wholly ours."""

    path: Path
    before: bytes | None
    """None where there was none; else what we had put there."""
    after: bytes
    mode: int
    what: str

    @property
    def title(self) -> str:
        return f"{'install' if self.before is None else 'refresh'} {self.what}: {self.path}"

    @property
    def restore(self) -> str | None:
        return f"rm {quoted(self.path)}" if self.before is None else None

    def do(self, repository: Repository) -> None:  # noqa: ARG002  every kind is done with the same words
        files.put(self.path, self.after, self.mode)

    def undo(self, repository: Repository) -> str | None:  # noqa: ARG002
        found = files.read(self.path) if os.path.lexists(self.path) else None
        if found is None:
            return None
        if found.link or found.data != self.after:
            return f"{self.path} stays: it was changed since"
        if self.before is None:
            files.remove(self.path)
        else:
            files.put(self.path, self.before, self.mode)
        return None


class MoveFile(NamedTuple):
    """A file of somebody else that gives way; its bytes are not touched."""

    source: Path
    target: Path
    what: str

    @property
    def title(self) -> str:
        return f"move {self.what} {self.source} to {self.target.name}"

    @property
    def restore(self) -> str | None:
        return f"mv {quoted(self.target)} {quoted(self.source)}"

    def do(self, repository: Repository) -> None:  # noqa: ARG002
        files.move(self.source, self.target)

    def undo(self, repository: Repository) -> str | None:  # noqa: ARG002
        if not os.path.lexists(self.target):
            # Where an undoing that was cut off is done again, it is back already.
            return (
                None
                if os.path.lexists(self.source)
                else f"{self.source} is not put back: {self.target} is gone"
            )
        if os.path.lexists(self.source):
            return f"{self.target} stays: something else is at {self.source} now"
        files.move(self.target, self.source)
        return None


class AddLines(NamedTuple):
    """Lines at the end of a file that others write to as well."""

    path: Path
    lines: tuple[str, ...]
    existed: bool
    ended: bool = True
    """What was there ended with its last line's end, or there was nothing."""

    @property
    def title(self) -> str:
        return f"add {len(self.lines)} lines to {self.path}: " + "  ".join(self.lines[1:])

    @property
    def restore(self) -> str | None:
        return None

    def do(self, repository: Repository) -> None:  # noqa: ARG002
        found = files.read(self.path)
        data = b"" if found is None else found.data
        files.put(self.path, data + self._block(), 0o644 if found is None else found.mode)

    def undo(self, repository: Repository) -> str | None:  # noqa: ARG002
        found = files.read(self.path)
        if found is None:
            return None
        if self._block() not in found.data:
            return f"{self.path} stays: the lines that were added were changed since"
        rest = found.data.replace(self._block(), b"", 1)
        if not rest and not self.existed:
            files.remove(self.path)
        else:
            files.put(self.path, rest, found.mode)
        return None

    def _block(self) -> bytes:
        return (("" if self.ended else "\n") + "".join(line + "\n" for line in self.lines)).encode()


Step = SetKey | AddValue | PutFile | MoveFile | AddLines
_KINDS: dict[str, type[Step]] = {
    kind.__name__: kind for kind in (SetKey, AddValue, PutFile, MoveFile, AddLines)
}


def to_row(step: Step, base: Path) -> dict[str, object]:
    """The step as it stands in a record in the folder ``base``: what is below it moves with it."""
    row: dict[str, object] = {"kind": type(step).__name__}
    for name, value in step._asdict().items():
        row[name] = _packed(value, base)
    return row


def from_row(row: dict[str, object], base: Path) -> Step:
    """The step that a row of the record is; raises RefusedError where it is none."""
    values = dict(row)
    kind = _KINDS.get(str(values.pop("kind", None)))
    try:
        if kind is None:
            raise TypeError
        return kind(**{name: _unpacked(value, base) for name, value in values.items()})  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise RefusedError("the record of what was set up has a step that is not known here") from None


def _packed(value: object, base: Path) -> object:
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, Path):
        return {"here": str(value.relative_to(base))} if value.is_relative_to(base) else {"path": str(value)}
    return list(value) if isinstance(value, tuple) else value


def _unpacked(value: object, base: Path) -> object:
    if isinstance(value, dict) and set(value) == {"bytes"}:
        return base64.b64decode(str(value["bytes"]), validate=True)
    if isinstance(value, dict) and set(value) in ({"path"}, {"here"}):
        return base / str(value.get("path") or value.get("here"))
    return tuple(value) if isinstance(value, list) else value
