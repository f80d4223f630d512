"""The command line: options in, one action, one report out.

Owns everything that knows a terminal. It must not know HAIL, an agent's format or a store's layout, and nothing
below it may import it. Every module here is imported on each start or only when its command runs; ``typing``,
``pathlib``, ``dataclasses`` and the like cost milliseconds each and stay out of the first kind
(docs/decisions/001-cli-framework.md).
"""
