"""The agents whose logs can be found: one row each, and nothing but the rows knows an agent by name.

Owns folders, file names and the members of a record that say where it was written. What the records mean is the core's
to know, under the same name (docs/agents.md).
"""

from __future__ import annotations

from opensession.light import NamedTuple


class Home(NamedTuple):
    """A folder that an agent calls its own."""

    variable: str
    """The environment variable that names it, or several with commas between them."""
    usual: tuple[str, ...]
    """Where it is otherwise, below the user's home. These are looked at too where the variable is set: it may have
    been set only yesterday, or only for the program that asks.
    """


class Agent(NamedTuple):
    """Where an agent keeps its logs and how they tell what they are about."""

    name: str
    """The profile that reads its logs."""
    label: str
    home: Home
    layouts: tuple[str, ...]
    """Patterns of file names below the home, one for each depth."""
    auxiliary: tuple[str, ...]
    """Patterns of the names of logs that a helper of the session wrote, which never stand for it."""
    folder: tuple[str, ...]
    """The path of members to the working directory, in the first record that has it."""
    remote: tuple[str, ...]
    """The path of members to the address of the repository's remote; empty where the agent does not write it."""


AGENTS: tuple[Agent, ...] = (
    Agent(
        name="claude-code",
        label="Claude Code",
        home=Home("CLAUDE_CONFIG_DIR", (".claude", ".config/claude")),
        layouts=("projects/*/*.jsonl",),
        auxiliary=("agent-*", "agent_*", "subagent-*", "subagent_*"),
        folder=("cwd",),
        remote=(),
    ),
    Agent(
        name="codex",
        label="OpenAI Codex",
        home=Home("CODEX_HOME", (".codex",)),
        layouts=(
            "sessions/*/*/*/rollout-*.jsonl",
            "sessions/*/*/*/rollout-*.jsonl.zst",
            "archived_sessions/rollout-*.jsonl",
            "archived_sessions/rollout-*.jsonl.zst",
        ),
        auxiliary=(),
        folder=("payload", "cwd"),
        remote=("payload", "git", "repository_url"),
    ),
)
