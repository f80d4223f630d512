"""Records the sessions of pushed branches for the hook: each branch for itself, what fails is said.

Owns what a person is told about sessions that stay out. How sessions and commits are found to belong together is
sync's.
"""

from __future__ import annotations

from opensession.actions.sync import sync_branch
from opensession.errors import NotFoundError, OpensessionError
from opensession.uri import format_local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opensession.actions.sync import Synced
    from opensession.git.repository import Repository
    from opensession.store import Stores

_SHOWN = 3


def sync(
    stores: Stores,
    repository: Repository,
    env: Mapping[str, str],
    branches: Sequence[tuple[str, str | None]],
    deadline: float,
    say: Callable[[str], None],
) -> int:
    """Record the sessions of each branch; the answer is the exit code of the first failure, 0 where there is none."""
    code = 0
    for branch, commit in branches:
        try:
            synced = sync_branch(
                stores,
                repository,
                branch,
                commit,
                env=env,
                deadline=deadline,
                release=_release(stores, repository, env, deadline),
            )
        except NotFoundError:
            continue  # a branch that is only pushed to, under a name that is not used here
        except OpensessionError as error:
            code = code or error.exit_code
            say(
                "\n".join(
                    [
                        f"sessions of {branch!r} were not recorded: {error.message}",
                        *(f"  {s}" for s in error.next),
                    ]
                )
            )
        else:
            _tell(synced, say)
    return code


def _release(
    stores: Stores, repository: Repository, env: Mapping[str, str], deadline: float
) -> Callable[[str], str]:
    """The door, which makes a copy without the secrets where the configuration asks for that.

    Most pushes have no new session: the door and the configuration are loaded for the first one.
    """

    def through(sha256: str) -> str:
        from opensession.actions import config
        from opensession.actions.release import release

        redact = config.load(repository.worktree or repository.git_dir, env).redact
        return release(stores.write, [sha256], holders=stores, redact=redact, deadline=deadline).addresses[0]

    return through


def _tell(synced: Synced, say: Callable[[str], None]) -> None:
    for refused in synced.refused[:_SHOWN]:
        uri = format_local(refused.sha256)
        steps = f"  opensession scan {uri}\n  opensession redact {uri}"
        say(f"a session holds what looks like a secret and was not recorded: {uri}\n{steps}")
    if len(synced.refused) > _SHOWN:
        say(f"and {len(synced.refused) - _SHOWN} more sessions hold what looks like a secret")
    if not synced.in_time:
        say(
            f"there was no time to look at all sessions of {synced.branch!r}; the next push goes on from there"
        )
