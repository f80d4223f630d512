"""Where sessions are kept: content-addressed, durable, checked whenever they are read (docs/store.md).

Its parts are loaded when they are first asked for: a command that reads one object pays for no garbage collection.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
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

_HOME = {"Store": "store", "StoredObject": "reading", "Stores": "stores"}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name not in __all__:
        raise AttributeError(f"module 'opensession.store' has no attribute {name!r}")
    value: object = getattr(import_module(f"opensession.store.{_HOME.get(name, 'records')}"), name)
    globals()[name] = value
    return value
