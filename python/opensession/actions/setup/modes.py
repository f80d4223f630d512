"""How sessions go along with a push: the modes and all their spellings.

Owns the key that holds the mode. Pure, and small: the git hook asks for the mode at every push.
"""

from __future__ import annotations

MODE_KEY = "opensession.fanout-mode"
DEFAULT_MODE = "hidden_ref"
MODES = {
    "hidden_ref": "hidden_ref",
    "hidden-ref": "hidden_ref",
    "hidden": "hidden_ref",
    "1": "hidden_ref",
    "git_notes": "git_notes",
    "git-notes": "git_notes",
    "notes": "git_notes",
    "note": "git_notes",
    "2": "git_notes",
}
"""Every spelling that a configuration may hold, with what it means."""


def is_mode(value: str) -> bool:
    """Whether the value is a spelling of a mode."""
    return value.strip().lower() in MODES


def mode_of(value: str | None) -> str:
    """The mode that is in force; what is unknown or unset means hidden refs."""
    return MODES.get((value or "").strip().lower(), DEFAULT_MODE)
