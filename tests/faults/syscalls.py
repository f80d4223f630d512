"""A stand-in for `os` and `fcntl` inside the store's modules: the k-th call fails, or the process dies there.

A dead process makes no more calls: after the death every call that changes something raises again, so no clean-up
code can tidy up what a real `kill -9` would leave. Closing descriptors stays possible, as the kernel does it.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Any

from opensession.store import (
    allowed,
    artifacts,
    batch,
    cachedb,
    checked,
    folders,
    fsck,
    handoffs,
    lines,
    listing,
    quarantine,
    reading,
    removal,
    secret_key,
    store,
    temporary,
    tree,
    version,
    writing,
)

if TYPE_CHECKING:
    import pytest

MODULES = (
    allowed,
    artifacts,
    batch,
    cachedb,
    checked,
    folders,
    fsck,
    handoffs,
    lines,
    listing,
    quarantine,
    reading,
    removal,
    secret_key,
    store,
    temporary,
    tree,
    version,
    writing,
)
WATCHED = {
    "fchmod", "flock", "fsync", "link", "listdir", "mkdir", "open", "read", "rename", "stat", "unlink", "utime", "write",
}  # fmt: skip


class Died(BaseException):
    """The process is gone."""


class Syscalls:
    """Counts the watched calls and strikes at one of them."""

    def __init__(self, at: int = 0, error: int | None = None, only: str | None = None) -> None:
        self.at = at
        self.error = error
        """The number the call fails with; None kills the process there."""
        self.only = only
        self.calls: list[str] = []
        self.struck: str | None = None

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in MODULES:
            for name, real in (("os", os), ("fcntl", fcntl)):
                if hasattr(module, name):
                    monkeypatch.setattr(module, name, _Proxy(self, real))

    def before(self, name: str) -> None:
        if self.struck is not None and self.error is None:
            raise Died
        if self.only is not None and name != self.only:
            return
        self.calls.append(name)
        if len(self.calls) == self.at:
            self.struck = name
            if self.error is None:
                raise Died
            raise OSError(self.error, os.strerror(self.error))


class _Proxy:
    """A module whose watched functions report before they act."""

    def __init__(self, syscalls: Syscalls, real: Any) -> None:
        self._syscalls = syscalls
        self._real = real

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name not in WATCHED:
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            self._syscalls.before(name)
            return found(*args, **kwargs)

        return call
