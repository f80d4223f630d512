"""The record of what setting up changed: what `doctor --unfix` goes back by.

Owns two files: ``opensession-setup.json`` in the git directory of a clone, and the one beside the launchers, which all
clones share. A record is written before the change, so that a crash between the two loses nothing.
"""

from __future__ import annotations

import json

from opensession.actions.setup import files
from opensession.actions.setup.steps import AddValue, PutFile, SetKey, from_row, to_row
from opensession.errors import RefusedError
from opensession.light import NamedTuple
from opensession.settings import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from opensession.actions.setup.steps import Step

NAME = "opensession-setup.json"
_VERSION = 1


class Record(NamedTuple):
    """Steps that were done, the oldest first."""

    path: Path
    steps: tuple[Step, ...] = ()
    clones: tuple[str, ...] = ()
    """In the shared record: git directories of the clones that use what stands here."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to go back by."""
        return not self.steps and not self.clones

    def with_steps(self, steps: Sequence[Step]) -> Record:
        """The record after these steps as well."""
        done = list(self.steps)
        for step in steps:
            _append(done, step)
        return self._replace(steps=tuple(done))

    def write(self) -> None:
        """Keep the record, durably; an empty one goes."""
        if self.empty:
            if files.read(self.path) is not None:
                files.remove(self.path)
            return
        rows = [to_row(step, self.path.parent) for step in self.steps]
        document = {"version": _VERSION, "steps": rows, "clones": list(self.clones)}
        text = json.dumps(document, indent=2, sort_keys=True) + "\n"
        files.put(self.path, text.encode(), 0o600, folder_mode=0o700)


def load(path: Path) -> Record:
    """The record at ``path``; an empty one where there is none."""
    found = files.read(path)
    if found is None:
        return Record(path)
    try:
        document = json.loads(found.data)
        if document["version"] != _VERSION:
            raise ValueError
        steps = tuple(from_row(row, path.parent) for row in document["steps"])
        return Record(path, steps, tuple(str(each) for each in document["clones"]))
    except (ValueError, KeyError, TypeError, RefusedError):
        raise RefusedError(
            f"{str(path)!r} is no record that is known here: another version wrote it, or it was changed",
            next=["opensession --version", f"cat {quoted(path)}"],
        ) from None


def _append(done: list[Step], step: Step) -> None:
    """Add a step; two that follow each other on one thing become one, so that upgrades do not pile up."""
    for at in range(len(done) - 1, -1, -1):
        last = done[at]
        if isinstance(last, SetKey) and isinstance(step, SetKey) and last.key == step.key:
            if step.before == (last.after,):
                done[at] = last._replace(after=step.after)
                if done[at].before == (step.after,):  # type: ignore[union-attr]
                    del done[at]
                return
            break
        if isinstance(last, PutFile) and isinstance(step, PutFile) and last.path == step.path:
            if step.before == last.after:
                done[at] = step._replace(before=last.before)
                return
            break
        if isinstance(last, AddValue) and isinstance(step, AddValue) and last[:2] == step[:2]:
            if last.drop != step.drop:
                del done[at]
                return
            return
    done.append(step)
