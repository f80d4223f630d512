"""Where coding agents keep their logs, as data, and how to find those of one folder.

Owns the table of agents (`known`), the search of the disk (`discovery`) and what the first lines of a log tell
(`clues`). Nothing here is executed and nothing is written. Must not know stores, git or commands.
"""

from opensession.agents.discovery import Discovery, Log, discover
from opensession.agents.known import AGENTS, Agent

__all__ = ["AGENTS", "Agent", "Discovery", "Log", "discover"]
