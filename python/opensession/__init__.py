"""opensession: any AI coding agent's log as one canonical, content-addressed session.

>>> import opensession
>>> session = opensession.parse("rollout.jsonl")            # any known agent's log
>>> session.header.title, session.stats.event_count
>>> for event in session[10:20]:                            # lazily, by ordinal
...     print(event.type, event.text)
>>> stored = opensession.register(session)                  # durable when it returns
>>> opensession.open(stored.uri).sha256 == stored.sha256
>>> opensession.handoff.build(sessions=[stored.uri]).uri    # a summary with proof for whoever comes next

Everything is loaded when it is first asked for, so the import itself costs next to nothing.
"""

TYPE_CHECKING = False  # not typing's: importing that costs more than all of this module
if TYPE_CHECKING:
    from opensession.api import Verified, open, parse, read, read_all, register, verify  # noqa: A004
    from opensession.core import version as __version__
    from opensession.errors import OpensessionError
    from opensession.model import Block, Event, Header, Stats
    from opensession.session import EventSlice, Session
    from opensession.store import Entry, Store, Stored, Stores
    from opensession.uri import parse_uri

__all__ = [
    "Block",
    "Entry",
    "Event",
    "EventSlice",
    "Header",
    "OpensessionError",
    "Session",
    "Stats",
    "Store",
    "Stored",
    "Stores",
    "Verified",
    "__version__",
    "errors",
    "handoff",
    "open",
    "parse",
    "parse_uri",
    "read",
    "read_all",
    "register",
    "verify",
]

_HOME = {
    "Block": "model",
    "Entry": "store",
    "Event": "model",
    "EventSlice": "session",
    "Header": "model",
    "OpensessionError": "errors",
    "Session": "session",
    "Stats": "model",
    "Store": "store",
    "Stored": "store",
    "Stores": "store",
    "Verified": "api",
    "__version__": "core",
    "open": "api",
    "parse": "api",
    "parse_uri": "uri",
    "read": "api",
    "read_all": "api",
    "register": "api",
    "verify": "api",
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in ("errors", "handoff"):
        return import_module(f"opensession.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'opensession' has no attribute {name!r}")
    module = import_module(f"opensession.{_HOME[name]}")
    value: object = getattr(module, "version" if name == "__version__" else name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
