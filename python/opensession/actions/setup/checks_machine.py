"""The checks of the machine around a clone. Owns their thresholds. Pure, like checks.py."""

from __future__ import annotations

from opensession.actions.setup.checks import FIX, Check, Level
from opensession.config import Config
from opensession.errors import OpensessionError
from opensession.settings import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from opensession.actions.setup.machine import Daemon, GitFacts, MachineFacts, StoreFacts
    from opensession.actions.setup.shim import Shim

GIT_MINIMUM = (2, 39)
"""Below it, what was told to be synced is not (git/run.py)."""
_MENDED = {43: 7, 44: 4, 45: 4, 46: 4, 47: 3, 48: 2, 49: 1, 50: 1}
"""Git 2.<minor>: the first patch of each line that repairs CVE-2025-48384 and 48385; later lines all do."""
_LOW_SPACE = 1 << 30
_NO_SPACE = 64 << 20


def launcher_checks(machine: MachineFacts) -> Iterator[Check]:
    """The launchers and the running program."""
    program, ops = machine.shims
    yield _shim(program, "opensession shim", Level.WARN, on_path=machine.on_path)
    yield _shim(ops, "ops shim", Level.INFO, on_path=True)
    yield Check("active binary", Level.OK, str(machine.program))


def _shim(found: Shim, label: str, missing: Level, *, on_path: bool) -> Check:
    if not found.exists:
        return Check(label, missing, f"not installed at {str(found.path)!r}", (FIX,))
    if not found.works:
        return Check(label, missing, f"{str(found.path)!r} does not start: what it runs is gone", (FIX,))
    if not found.ours:
        return Check(label, Level.WARN, f"{str(found.path)!r} is not a launcher of this program", (FIX,))
    target = "" if found.current else ", another installation than the running one"
    steps = () if on_path else (f"export PATH={quoted(found.path.parent)}:$PATH",)
    return Check(label, Level.OK, f"{found.path} -> {found.target}{target}", steps)


def machine_checks(machine: MachineFacts) -> Iterator[Check]:
    """Everything else about the machine."""
    yield _daemon_program(machine.daemon)
    yield _daemon(machine.daemon)
    yield git_check(machine.git)
    yield _watch(machine)
    for store in machine.stores:
        yield store_check(store)
        yield _space(store)
    yield _config(machine)
    yield _server(machine)


def git_check(git: GitFacts) -> Check:
    """Whether this git is one that can be worked with, and that is safe with strangers' repositories."""
    label = "git version"
    if git.problem is not None:
        return Check(label, Level.FAIL, git.problem.message, git.problem.next)
    if git.program is None or not git.version:
        return Check(label, Level.FAIL, "git is not installed, or not on PATH", ("git --version",))
    shown = ".".join(map(str, git.version))
    if git.version[:2] < GIT_MINIMUM:
        text = f"{shown} ({git.program}); {GIT_MINIMUM[0]}.{GIT_MINIMUM[1]} or newer is needed"
        return Check(label, Level.FAIL, text, ("git --version",))
    if _is_mended(git.version):
        return Check(label, Level.OK, f"{shown} ({git.program})")
    if git.mended:
        return Check(label, Level.OK, f"{shown} ({git.program}), repaired by the distribution")
    text = (
        f"{shown} ({git.program}) may have the holes CVE-2025-48384 and 48385: not with strangers' submodules"
    )
    return Check(label, Level.WARN, text, ("git --version",))


def _is_mended(version: tuple[int, ...]) -> bool:
    major, minor, patch = (*version, 0, 0)[:3]
    if major != 2 or minor > max(_MENDED):
        return major > 2 or minor > max(_MENDED)
    return minor in _MENDED and patch >= _MENDED[minor]


def _daemon_program(daemon: Daemon) -> Check:
    label = "daemon program"
    if daemon.program is None:
        return Check(
            label,
            Level.INFO,
            "not installed: sessions are recorded by the hook and by `opensession register`",
        )
    return Check(label, Level.OK, daemon.program)


def _daemon(daemon: Daemon) -> Check:
    label = "daemon"
    if daemon.text is None:
        return Check(label, Level.INFO, f"not running (no {str(daemon.pid_file)!r})")
    remove = f"rm {quoted(daemon.pid_file)}"
    if daemon.pid is None:
        return Check(label, Level.FAIL, f"{str(daemon.pid_file)!r} holds no process id", (remove,))
    if not daemon.alive:
        return Check(
            label,
            Level.INFO,
            f"not running: {str(daemon.pid_file)!r} names {daemon.pid}, which has ended",
            (remove,),
        )
    if daemon.ours is False:
        text = f"not running: {str(daemon.pid_file)!r} names {daemon.pid}, which is another program now"
        return Check(label, Level.INFO, text, (remove,))
    unknown = "" if daemon.ours else ", as far as the system tells"
    return Check(label, Level.OK, f"running (pid {daemon.pid}{unknown})")


def _watch(machine: MachineFacts) -> Check:
    label = "agents' logs"
    there = [f"{each.label}: {each.path}" for each in machine.logs if each.exists]
    if there:
        return Check(label, Level.OK, "; ".join(there))
    wanted = ", ".join(str(each.path) for each in machine.logs)
    return Check(label, Level.INFO, f"no agent has written any here (looked for {wanted})")


def store_check(store: StoreFacts) -> Check:
    """Whether a store can be used, as far as a quick look tells."""
    label = "store"
    health = store.health
    where = str(store.root)
    fsck = ("opensession fsck --repair",)
    if health.problem is not None:
        return Check(label, Level.FAIL, health.problem.message, health.problem.next)
    if not health.exists:
        return Check(label, Level.OK, f"{where}: not made yet")
    if health.damaged:
        text = f"{where}: {len(health.damaged)} of the objects looked at ({health.sampled}) damaged"
        return Check(label, Level.FAIL, text, fsck)
    if health.open_to_others:
        return Check(label, Level.WARN, f"{where}: others may enter {str(health.open_to_others[0])!r}", fsck)
    if health.cache is not None:
        text = f"{where}: its cache cannot be used ({health.cache}), which costs time only"
        return Check(label, Level.WARN, text, (f"rm {quoted(store.root / 'checked.db')}",))
    looked = "1 object" if health.sampled == 1 else f"{health.sampled} objects"
    return Check(label, Level.OK, f"{where}: version 1, {looked} looked at, none damaged")


def _space(store: StoreFacts) -> Check:
    label = "disk space"
    if store.free is None:
        return Check(label, Level.INFO, f"the system does not tell for {str(store.root)!r}")
    shown = f"{store.free / (1 << 30):.1f} GiB free for {store.root}"
    level = Level.FAIL if store.free < _NO_SPACE else Level.WARN if store.free < _LOW_SPACE else Level.OK
    return Check(label, level, shown, () if level is Level.OK else ("opensession gc",))


def _config(machine: MachineFacts) -> Check:
    label = "configuration"
    found = machine.config
    if isinstance(found, OpensessionError):
        return Check(label, Level.FAIL, found.message, found.next)
    if found.sha256 is None:
        return Check(label, Level.OK, "none (.opensession/config.toml)")
    if found.ignored:
        keys = ", ".join(each.key for each in found.ignored[:5])
        return Check(label, Level.INFO, f"{found.path}: not in force: {keys}", ("opensession config show",))
    return Check(label, Level.OK, str(found.path))


def _server(machine: MachineFacts) -> Check:
    label = "server"
    found = machine.config
    if not isinstance(found, Config):
        return Check(label, Level.INFO, "not known: the configuration cannot be read")
    try:
        url = found.base_url
    except OpensessionError as error:
        return Check(label, Level.FAIL, error.message, error.next)
    if url is None:
        return Check(label, Level.INFO, "none is configured, so none is asked and no token is needed")
    # The file comes with a clone: asking whatever host it names would tell that host who looks at it.
    text = f"links lead to {url}; it needs no token, and is not asked from here"
    return Check(label, Level.INFO, text, (f"curl -fsS {quoted(url)}/api/health",))
