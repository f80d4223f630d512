"""How a configuration looks in text and in JSON, and the warning that part of it is not in force.

Owns the keys. Must not know what a key does.
"""

from __future__ import annotations

import json

from opensession.config import BASE_URL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.config import Config

_SHOWN = 5
"""Keys named in a warning; a hostile file may have thousands."""


def config_document(config: Config) -> dict[str, object]:
    """A configuration for ``--json``."""
    return {
        "config": str(config.path),
        "sha256": config.sha256,
        "base_url": config.base_url,
        "trusted": config.trusted,
        "values": dict(config.values),
        "ignored": [{"key": key, "why": why} for key, why in config.ignored],
    }


def config_lines(config: Config) -> list[str]:
    """The keys in force for people."""
    values = [
        f"{key}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in sorted(config.values.items())
        if key != BASE_URL
    ]
    return [
        f"base_url: {config.base_url or 'none'}",
        *values,
        f"trusted: {'yes' if config.trusted else 'no'}",
    ]


def ignored_lines(config: Config) -> list[str]:
    """The warning about keys that are not in force."""
    if not config.ignored:
        return []
    shown = [f"- {key}: {why}" for key, why in config.ignored[:_SHOWN]]
    more = len(config.ignored) - _SHOWN
    lines = [
        f"warning: ignored in {str(config.path)!r}:",
        *shown,
        *([f"- and {more} more"] if more > 0 else []),
    ]
    if not config.trusted:
        lines.append("after reading the file: opensession config trust")
    return lines
