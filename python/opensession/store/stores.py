"""The stores a command reads, in order: the repository's, the global one, an older program's (docs/store.md,
"Where").

Owns the order and what a short name means across several stores. The first store is the one that is written
to.
"""

from __future__ import annotations

from opensession.errors import BadUriError, NotFoundError
from opensession.settings import store_roots
from opensession.store import legacy
from opensession.store.store import Store, check_prefix, only_one

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from opensession.settings import AnyPath
    from opensession.store.records import Entry


class Stores:
    """An ordered list of stores."""

    def __init__(self, stores: Sequence[Store], *, not_read: Sequence[tuple[Path, str]] = ()) -> None:
        self._stores = tuple(stores)
        self.not_read = tuple(not_read)
        """Folders that look like a store and are left alone, each with the reason."""

    @classmethod
    def discover(cls, cwd: AnyPath, env: Mapping[str, str], *, store: AnyPath | None = None) -> Stores:
        """The stores for a command that runs in ``cwd``; ``store`` is the value of ``--store``."""
        roots = store_roots(cwd, env, store=store)
        stores = [Store(roots.write), *(Store(root) for root in roots.read)]
        not_read = []
        if roots.legacy is not None and roots.repository is not None and legacy.is_there(roots.legacy):
            reason = legacy.refusal(roots.legacy, roots.repository)
            if reason is None:
                stores.append(Store(roots.legacy, readonly=True, versioned=False))
            else:
                from pathlib import Path

                not_read.append((Path(roots.legacy), reason))
        return cls(stores, not_read=not_read)

    def __iter__(self) -> Iterator[Store]:
        return iter(self._stores)

    def __len__(self) -> int:
        return len(self._stores)

    @property
    def write(self) -> Store:
        """The store that is written to."""
        return self._stores[0]

    def find(self, text: str) -> tuple[Store, str]:
        """The first store that has what ``text`` names: a hash, a prefix of eight or more digits, or a local
        URI.
        """
        if ":" in text:
            from opensession.uri import LocalUri, parse_uri

            uri = parse_uri(text)
            if not isinstance(uri, LocalUri):
                raise BadUriError(
                    f"{text!r} does not name a session in a local store", next=["opensession ls"]
                )
            text = uri.sha256
        check_prefix(text)
        holders: dict[str, Store] = {}
        for store in self._stores:
            for sha256 in store.candidates(text):
                holders.setdefault(sha256, store)
            if text in holders:
                break  # a whole address means one thing; further stores need not even be readable
        if not holders:
            raise self._nothing(text)
        sha256 = only_one(text, sorted(holders))
        return holders[sha256], sha256

    def ls(self, *, all: bool = False) -> Iterator[Entry]:  # noqa: A002  the option's name
        """The sessions of all stores, newest first, each once; ``all`` shows superseded ones too."""
        seen: dict[str, Entry] = {}
        for store in self._stores:
            for entry in store.entries():
                seen.setdefault(entry.sha256, entry)
        from opensession.store import listing

        yield from listing.newest_first(e for e in listing.marked(seen.values()) if all or e.current)

    def _nothing(self, text: str) -> NotFoundError:
        roots = ", ".join(str(store.root) for store in self._stores)
        left = "".join(f"; {path} was not read: {reason}" for path, reason in self.not_read)
        return NotFoundError(f"there is no session {text} in {roots}{left}", next=["opensession ls"])
