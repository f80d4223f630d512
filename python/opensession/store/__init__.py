"""Where sessions are kept: content-addressed, durable, checked whenever they are read (docs/store.md)."""

from opensession.store.reading import StoredObject
from opensession.store.records import Entry, Finding, FsckReport, GcItem, GcReport, Removed, Stored
from opensession.store.store import Store
from opensession.store.stores import Stores

__all__ = [
    "Entry",
    "Finding",
    "FsckReport",
    "GcItem",
    "GcReport",
    "Removed",
    "Store",
    "Stored",
    "StoredObject",
    "Stores",
]
