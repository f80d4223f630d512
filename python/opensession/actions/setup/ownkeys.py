"""What the clone's own configuration says: a global value of a key is no word about one clone.

Owns that narrower look. Changes nothing.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.git.repository import Repository


def own_values(repository: Repository, key: str) -> tuple[str, ...]:
    """The values of a key in the clone's own configuration."""
    done = repository.git.with_(options=None).run("config", "--local", "-z", "--get-all", key, ok=(0, 1))
    return tuple(os.fsdecode(done.out).split("\0")[:-1])
