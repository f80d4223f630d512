"""What git may see and do: its environment, its options, which program it is and how old.

Owns the rules that hold for every call: no hooks, no prompts, no transport but those asked for, everything synced.
Pure, but for looking where the program is.
"""

from __future__ import annotations

import os

from opensession.errors import NotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from opensession.settings import AnyPath

MINIMUM = (2, 39)
"""The oldest git with ``core.fsync`` for all components, ``cat-file --batch-command`` and today's ownership checks in
a distribution that still mends it."""

# Of git's own variables only these are the user's wishes about programs, networks and configuration. All others name
# folders and files, which a hook inherits from the git that runs it, or would mix a trace into an answer.
_KEPT = {
    "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_EXEC_PATH", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_COUNT", "GIT_TEST_FSYNC",
}  # fmt: skip
_KEPT_KINDS = ("GIT_SSL_", "GIT_HTTP_", "GIT_PROXY_SSL_", "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_")
_ALWAYS = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "false",
    "SSH_ASKPASS_REQUIRE": "never",
    "GIT_PROTOCOL_FROM_USER": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_PAGER": "cat",
    "GIT_EDITOR": "false",
    "GIT_ADVICE": "0",
    "LC_ALL": "C",
    "LANGUAGE": "",
}
BIG = 16 << 20
"""Files above this size are compressed and read piece by piece; smaller ones in memory."""
_OPTIONS = (
    f"core.bigFileThreshold={BIG}",
    "core.fsync=all",
    "core.fsyncMethod=fsync",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.quotePath=true",
    "protocol.allow=never",
    "protocol.ext.allow=never",
    "http.followRedirects=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=20",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "transfer.credentialsInUrl=warn",
)
_NO_HOOKS = "core.hooksPath=/dev/null"
_STRANGERS_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=10",
}
_STRANGERS_OPTIONS = (
    "transfer.fsckObjects=true",
    "transfer.bundleURI=false",
    "fetch.recurseSubmodules=false",
    "credential.helper=",
)


class Trust:
    """Whose settings a call obeys: one of the two below. An enumeration would cost more to import than this module."""

    USER: Trust
    """The user's own configuration: a remote that is set up here, a repository of this machine."""
    STRANGER: Trust
    """None: an address that came from somebody else. No credentials, no configuration."""


Trust.USER, Trust.STRANGER = Trust(), Trust()


def environment(
    given: Mapping[str, str],
    *,
    trust: Trust,
    protocols: tuple[str, ...],
    git_dir: AnyPath | None,
    worktree: AnyPath | None,
) -> dict[str, str]:
    """The whole environment of a call, made from the user's."""
    env = {
        name: value
        for name, value in given.items()
        if not name.startswith(("GIT_", "LC_")) or name in _KEPT or name.startswith(_KEPT_KINDS)
    }
    if trust is Trust.STRANGER:
        env = {name: value for name, value in env.items() if not name.startswith("GIT_CONFIG")}
        env |= _STRANGERS_ENVIRONMENT
    env |= _ALWAYS
    env["GIT_ALLOW_PROTOCOL"] = ":".join(protocols)
    if not protocols:
        env["GIT_NO_LAZY_FETCH"] = "1"  # a partial clone would fetch what is missing, from anywhere it likes
    if git_dir is not None:
        env["GIT_DIR"] = str(git_dir)
        if worktree is not None:
            env["GIT_WORK_TREE"] = str(worktree)
    return env


def options(*, trust: Trust, protocols: tuple[str, ...], hooks: bool) -> tuple[str, ...]:
    """The ``-c`` options of a call; ``hooks`` leaves the user's hooks alone."""
    return (
        *_OPTIONS,
        *(f"protocol.{name}.allow=always" for name in protocols),
        *(() if hooks else (_NO_HOOKS,)),
        *(_STRANGERS_OPTIONS if trust is Trust.STRANGER else ()),
    )


def find_git(env: Mapping[str, str]) -> str:
    """The git program of this ``PATH``; a folder that is not absolute is left out, since a repository may be it."""
    for folder in env.get("PATH", os.defpath).split(os.pathsep):
        program = os.path.join(folder, "git")
        if os.path.isabs(folder) and os.path.isfile(program) and os.access(program, os.X_OK):
            return program
    raise NotFoundError(
        "the program git is not installed, or not on PATH: sharing works through it",
        next=["git --version", "opensession doctor"],
    )


def version_of(answer: bytes) -> tuple[int, ...]:
    """The numbers in what ``git version`` says; empty where it says something else."""
    said = answer.decode("ascii", "replace").split()
    numbers = said[2].split(".")[:3] if said[:2] == ["git", "version"] and len(said) > 2 else []
    if len(numbers) < 2 or not (numbers[0] + numbers[1]).isdecimal():
        return ()
    return tuple(int(number) for number in numbers if number.isdecimal())


def refuse_old(program: str, version: tuple[int, ...]) -> None:
    """Refuse a git that would not do what is asked of it: an unknown ``core.fsync`` is ignored, not refused."""
    if version[:2] < MINIMUM:
        shown = ".".join(map(str, version)) or "an unknown version"
        raise NotFoundError(
            f"{program!r} is git {shown}, and sharing needs {MINIMUM[0]}.{MINIMUM[1]} or newer",
            next=["git --version", "opensession doctor"],
        )
