"""Which sessions are longer states of others: same ``session_id`` and ``agent.tool``, and the event lines of the one
begin with all those of the other (docs/hail.md, "Parsers").

Owns the proof, by comparing bytes, and that it is made once: addresses say which bytes are meant, so what was found of
two of them is so for ever. Must not know where sessions are.
"""

from __future__ import annotations

import os

from opensession.errors import InputError, IntegrityError, NotFoundError
from opensession.exactjson import loads
from opensession.light import NamedTuple
from opensession.store import linking
from opensession.store.lines import first_line, last_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType
    from typing import Self

    from opensession.store import Store

_PIECE = 1 << 20
_ENDS = 1 << 16
"""Bytes by which the header and the stats of a longer state may be shorter."""


class State(NamedTuple):
    """A session, by what is known without reading it; what it says of itself is not believed."""

    sha256: str
    session_id: str
    tool: str
    bytes: int


class Extended:
    """Finds longer states. ``opened`` gives a descriptor of a session's checked bytes, None where they are not here."""

    def __init__(self, store: Store, opened: Callable[[str], AbstractContextManager[int | None]]) -> None:
        self._store = store
        self._opened = opened
        self._known: dict[tuple[str, str], bool] = {}
        self._fresh: dict[tuple[str, str], bool] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Keep what was proven, whatever comes between."""
        linking.note_extended(self._store, self._fresh)

    def newest(self, states: Iterable[State], wanted: Container[str] | None = None) -> dict[str, str]:
        """For each of the wanted sessions (all, if none are named) that another one extends, the one of which that is
        not so.
        """
        groups: dict[tuple[str, str], list[State]] = {}
        for state in states:
            groups.setdefault((state.session_id, state.tool), []).append(state)
        several = [group for group in groups.values() if len(group) > 1]
        self._known |= linking.extended(self._store, [s.sha256 for group in several for s in group])
        found: dict[str, str] = {}
        for group in several:
            group.sort(key=lambda s: (-s.bytes, s.sha256))
            tops: dict[str, str] = {}
            for state in group:
                if wanted is None or state.sha256 in wanted:
                    self._top(state, group, tops)
            found.update((h, top) for h, top in tops.items() if h != top and (wanted is None or h in wanted))
        return found

    def _top(self, state: State, group: Sequence[State], tops: dict[str, str]) -> str:
        """The one that no other one extends. The longest are asked first, so that it is the first most of the time."""
        if state.sha256 not in tops:
            tops[state.sha256] = state.sha256
            for other in group:
                if self._may_extend(other, state) and self._extends(other.sha256, state.sha256):
                    tops[state.sha256] = self._top(other, group, tops)
                    break
        return tops[state.sha256]

    def _may_extend(self, longer: State, shorter: State) -> bool:
        return longer.sha256 != shorter.sha256 and longer.bytes + _ENDS >= shorter.bytes

    def _extends(self, longer: str, shorter: str) -> bool:
        pair = shorter, longer
        if pair not in self._known:
            proven = self._proven(longer, shorter)
            if proven is None:
                return False
            self._known[pair] = self._fresh[pair] = proven
        return self._known[pair]

    def _proven(self, longer: str, shorter: str) -> bool | None:
        """Whether it is so; None where one of the two cannot be read now."""
        try:
            with self._opened(longer) as one, self._opened(shorter) as two:
                return None if one is None or two is None else extends(one, longer, two, shorter)
        except (InputError, IntegrityError, NotFoundError, OSError, ValueError, LookupError, TypeError):
            return None


def extends(one: int, one_sha256: str, two: int, two_sha256: str) -> bool:
    """Whether the session at the first descriptor extends the one at the second.

    Of two with the very same events the one that was named last, or has the larger address, stands for both.
    """
    (name, updated), (other, before) = _named(one), _named(two)
    (start, end), (begin, stop) = _events(one), _events(two)
    if name != other or end - start < stop - begin or not _equal(one, start, two, begin, stop - begin):
        return False
    return end - start > stop - begin or (updated, one_sha256) > (before, two_sha256)


def _named(fd: int) -> tuple[tuple[object, object], str]:
    """What names a session, and when it was named last."""
    header = loads(first_line(fd))
    return (header["session_id"], header["agent"]["tool"]), str(header["context"]["updated_at"])


def _events(fd: int) -> tuple[int, int]:
    """Where the event lines of a canonical session begin and end."""
    return len(first_line(fd)) + 1, os.fstat(fd).st_size - len(last_line(fd)) - 1


def _equal(one: int, start: int, two: int, begin: int, length: int) -> bool:
    done = 0
    while done < length:
        size = min(_PIECE, length - done)
        if os.pread(one, size, start + done) != os.pread(two, size, begin + done):
            return False
        done += size
    return True
