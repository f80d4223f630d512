"""The next steps when `share` is asked for what cannot be: lines that can be pasted and that lead on.

Owns the words of those refusals. Must not know how anything is shared.
"""

from __future__ import annotations

import os
from pathlib import Path

from opensession.actions.targets import is_address
from opensession.cli.arguments import as_file, quoted
from opensession.cli.command import PROGRAM
from opensession.errors import BadUriError, NotFoundError, OpensessionError, UsageError
from opensession.uri import ArtifactUri, LocalUri, parse_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from opensession.cli.command import Args
    from opensession.uri import GithubUri, GitlabUri, GitUri, Uri

EXAMPLE_REMOTE = "https://git.example.com/team/project.git"
ADD_ORIGIN = f"git remote add origin {EXAMPLE_REMOTE}"
_FLAGS = ("--git", "--quick", "--push", "--redact")
_VALUES = ("--remote", "--ref", "--path", "--allow-secret")


def check_mode(args: Args) -> str:
    """``web`` or ``git``; raises where the options ask for both, or for a part of the other one."""
    given = [name for name in (*_FLAGS, *_VALUES) if args.flag(name) or args.many(name)]
    if args.flag("--web"):
        if given:
            raise UsageError(
                f"{given[0]} and --web are two different things: the one writes into git, the other makes a link",
                next=_through_git(args) or [_link(args)],
            )
        return "web"
    if args.flag("--git") or args.flag("--quick"):
        return "git"
    if given:
        raise UsageError(
            f"{given[0]} belongs to --git or --quick",
            next=[quoted(PROGRAM, *args.argv, "--git" if args.many("--remote") else "--quick")],
        )
    return "web"


def remote_address(args: Args) -> GithubUri | GitlabUri | GitUri:
    """The remote URI that a link is wanted for."""
    named = args.one("URI")
    uri = _uri(named)
    if uri is None:
        _refuse_file(named)
    if isinstance(uri, ArtifactUri):
        raise BadUriError(
            f"{named!r} is a handoff artifact, which has no place on the web; it can leave as a file",
            next=[f"{PROGRAM} handoff artifacts export {uri} --out ./handoff.tar.zst"],
        )
    if uri is None or isinstance(uri, LocalUri):
        raise BadUriError(
            f"{named!r} is on this machine only: a link needs the address of a session that lies in git",
            next=_through_git(args),
        )
    return uri


def refuse_shared(args: Args) -> None:
    """Refuse to write into git what lies in git already, or what is no session."""
    named = args.one("URI")
    uri = _uri(named)
    if uri is None:
        _refuse_file(named)
    elif not isinstance(uri, LocalUri | ArtifactUri):
        how = "--quick" if args.flag("--quick") else f"--git --remote {quoted(_usual(args))}"
        stored = f"{quoted(PROGRAM, 'cat', named)} | {PROGRAM} register - --quiet"
        raise BadUriError(
            f"{named!r} lies in git already: --git and --quick take a session of this machine",
            next=[_link(args), f'{PROGRAM} share "$({stored})" {how}'],
        )


def no_remote(args: Args) -> UsageError:
    """``--git`` stands without a remote."""
    return UsageError(
        "'opensession share --git' needs --remote: the repository that the session is for",
        next=[
            *_first(),
            quoted(PROGRAM, *args.argv, "--remote", _usual(args)),
            quoted(PROGRAM, *without(args.argv, "--git"), "--quick"),
        ],
    )


def quick_remote(args: Args, names: Sequence[str], chosen: str | None) -> str:
    """The remote of a quick share: the configuration's, else origin, else the only one."""
    if chosen is not None:
        return chosen
    if "origin" in names:
        return "origin"
    if len(names) == 1:
        return names[0]
    by_name = [*without(args.argv, "--quick"), "--git", "--remote"]
    if not names:
        raise NotFoundError(
            "this repository has no remote that a quick share could mean",
            next=[ADD_ORIGIN, quoted(PROGRAM, *by_name, EXAMPLE_REMOTE)],
        )
    raise UsageError(
        f"there are several remotes ({', '.join(map(repr, names))}) and none is called origin: which one?",
        next=[
            *(quoted(PROGRAM, *args.argv, "--remote", name) for name in names[:3]),
            quoted(PROGRAM, *by_name, names[0]),
        ],
    )


def without(argv: Sequence[str], *flags: str, values: Collection[str] = ()) -> list[str]:
    """The words of a command line without some options."""
    kept, skip = [], False
    for word in argv:
        if skip:
            skip = False
        elif word in values:
            skip = True
        elif word not in flags and not word.startswith(tuple(f"{name}=" for name in values)):
            kept.append(word)
    return kept


def _uri(named: str) -> Uri | None:
    """The URI; None for anything else, which may be a hash."""
    return parse_uri(named) if named[:3].lower() == "os:" else None


def _refuse_file(named: str) -> None:
    if not is_address(named) and os.path.isfile(named):
        stored = quoted(PROGRAM, "register", as_file(named), "--quiet")
        raise BadUriError(
            f"{named!r} is a file: what is shared is a stored session",
            next=[stored, f'{PROGRAM} share "$({stored})" --quick'],
        )


def _link(args: Args) -> str:
    """The step that makes a link, as it stands or of what another step prints."""
    if isinstance(_uri(args.one("URI")), LocalUri | ArtifactUri | None):
        return f'{PROGRAM} share "$({quoted(PROGRAM, *_git_words(args))} | head -n 1)" --web'
    return quoted(PROGRAM, *without(args.argv, *_FLAGS, "--web", values=_VALUES), "--web")


def _through_git(args: Args) -> list[str]:
    """The steps that lead from a session of this machine to its link."""
    if not isinstance(_uri(args.one("URI")), LocalUri | None):
        return []
    return [*_first(), quoted(PROGRAM, *_git_words(args)), _link(args)]


def _git_words(args: Args) -> list[str]:
    """The same command line for git, to the remote that is meant."""
    words = without(args.argv, "--web", *_FLAGS, "--json", "--copy", values=_VALUES)
    return [*words, "--git", "--remote", _usual(args)]


def _first() -> list[str]:
    """What has to be done first where there is no remote at all."""
    return [] if _usual_name() is not None else [ADD_ORIGIN]


def _usual(args: Args) -> str:
    return args.text("--remote") or _usual_name() or "origin"


def _usual_name() -> str | None:
    """The remote that is most likely meant: origin, else the first one; None where there is none."""
    from opensession.git.remotes import names_of
    from opensession.git.repository import Repository

    try:
        names = names_of(Repository.discover(Path.cwd(), os.environ))
    except OpensessionError:
        return None
    return "origin" if "origin" in names else names[0] if names else None
