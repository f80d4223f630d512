"""``opensession share``: put a session into git, send it, or print its link."""

from __future__ import annotations

import os
from pathlib import Path

from opensession.cli import failures, shareguide
from opensession.cli.arguments import quoted
from opensession.cli.asking import agreed, can_ask
from opensession.cli.command import JSON, PROGRAM, STORE, Argument, Command, Option
from opensession.cli.configlines import ignored_lines
from opensession.cli.progress import Progress
from opensession.cli.secrets import ALLOW_SECRET, REDACT, door_steps
from opensession.cli.stores import stores_of
from opensession.errors import IntegrityError, RefusedError, RemoteFailedError, SecretsFoundError, UsageError
from opensession.light import contextmanager
from opensession.uri import format_local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from opensession.actions.share import Shared, Wish
    from opensession.actions.share_plan import Plan
    from opensession.cli.command import Args
    from opensession.cli.report import Report
    from opensession.config import Config
    from opensession.errors import OpensessionError
    from opensession.git.repository import Repository

COMMAND = Command(
    "share",
    "put a session into git, send it to a remote, or print its link",
    """\
`--git` records the session in a hidden ref of this repository and prints the address that others
can read it at, and the command that sends it. Nothing is sent without `--push`: no network is
touched. With `--push` the remote's own sessions are merged in, nobody's are lost.
`--quick` takes the usual remote and pushes once you have agreed to it for that remote; the answer
is kept in this repository's git configuration until the remote's address changes.
`--web`, which is also meant where nothing is said, prints the link of an address that lies in git,
below the `base_url` of `.opensession/config.toml`.

Whatever leaves is scanned for secrets first. What holds one is refused (exit 6) before anything is
written: `--redact` shares a copy with placeholders, `--allow-secret` lets one value pass.
When the push fails (exit 7) what was recorded here stays.""",
    arguments=[Argument("URI", "os://src/local/<sha256>, a hash, or its first 8 digits or more", values="")],
    options=[
        Option("--git", "record the session in a ledger of this repository"),
        Option("--remote", "the remote it is for: a name, a URL or a path", metavar="REMOTE"),
        Option("--push", "send the ledger to the remote; with --quick this is the consent too"),
        Option("--quick", "--git with the usual remote: origin, else the only one"),
        Option("--web", "print the link of a session that lies in git"),
        Option("--ref", "another ledger than that of this branch: refs/opensession/...", metavar="REF"),
        Option("--path", "place the session at this path of the ledger too", metavar="PATH"),
        REDACT,
        ALLOW_SECRET,
        Option("--copy", "copy the first line of the answer to the clipboard"),
        JSON,
        STORE,
    ],
    examples=[
        'opensession share "$uri" --git --remote origin',
        'opensession share "$uri" --git --remote origin --push',
        'opensession share "$uri" --quick',
        "opensession share os://src/gh/ada/toaster/ref/main/path/sessions/one.jsonl --web",
    ],
    exits=(4, 5, 6, 7, 8, 9),
)


def run(args: Args, report: Report) -> int:
    """Make a link, or write into git."""
    named = args.one("URI")
    with failures.guided("share", args.argv, named):
        return _web(args, report) if shareguide.check_mode(args) == "web" else _git(args, report)


def _web(args: Args, report: Report) -> int:
    from opensession.actions import config as configuration
    from opensession.actions.weblink import web_link

    uri = shareguide.remote_address(args)
    link = web_link(configuration.load(Path.cwd(), os.environ), uri)
    if report.json:
        report.document(
            {
                "uri": link.uri,
                "web_url": link.web_url,
                "base_url": link.base_url,
                "config": str(link.config),
                "private": link.private,
            }
        )
    else:
        report.out(f"{link.web_url}\nbase_url: {link.base_url}")
        report.path("config: ", link.config)
    if link.private:
        report.note("note: it names a folder of this machine, so no server can show it")
    _copy(args, report, link.web_url)
    return 0


def _git(args: Args, report: Report) -> int:
    from opensession.actions import config as configuration
    from opensession.actions import share as action
    from opensession.git.repository import Repository

    shareguide.refuse_shared(args)
    repository = Repository.discover(Path.cwd(), os.environ)
    config = configuration.load(Path.cwd(), os.environ)
    for line in ignored_lines(config):
        report.note(line)
    wish = _wish(args, repository, config)
    with _without_path(args), _other_names(args), door_steps(args), Progress("share") as progress:
        shared = action.share(
            stores_of(args),
            repository,
            config,
            args.one("URI"),
            wish,
            ask=_ask if can_ask(report) else None,
            progress=progress,
        )
    if shared.failure is not None:
        _guide(args, shared, shared.failure)
    _say(args, shared, report)
    _copy(args, report, str(shared.plan.uri))
    return 0 if shared.failure is None else shared.failure.exit_code


def _wish(args: Args, repository: Repository, config: Config) -> Wish:
    from opensession.actions.share import Wish
    from opensession.git.remotes import names_of

    remote, quick = args.text("--remote"), args.flag("--quick")
    if remote is None and quick:
        remote = shareguide.quick_remote(args, names_of(repository), config.remote)
    if remote is None:
        raise shareguide.no_remote(args)
    return Wish(
        remote,
        ref=args.text("--ref"),
        path=args.text("--path"),
        push=args.flag("--push"),
        quick=quick,
        redact=args.flag("--redact"),
        allow=args.many("--allow-secret"),
    )


@contextmanager
def _without_path(args: Args) -> Iterator[None]:
    """Where the path or the ref that was asked for cannot be had, the usual one can."""
    try:
        yield
    except (UsageError, RefusedError) as error:
        for option, value in (("--path", args.text("--path")), ("--ref", args.text("--ref"))):
            if value is not None and repr(value) in error.message:
                words = shareguide.without(args.argv, values=[option])
                error.next = (quoted(PROGRAM, *words), *error.next)
        raise


@contextmanager
def _other_names(args: Args) -> Iterator[None]:
    """Where a name holds a secret another one can be taken; placeholders are for what stands in a session."""
    from opensession.actions.share import BRANCH, PATH, REF

    try:
        yield
    except SecretsFoundError as error:
        held = {str(each["in"]) for each in error.findings}
        if held & {PATH, REF, BRANCH}:
            words = shareguide.without(args.argv, "--redact", values=held & {PATH, REF})
            words += ["--ref", "refs/opensession/shared"] if BRANCH in held else []
            words += ["--redact"] if args.flag("--redact") or held - {PATH, REF, BRANCH} else []
            kept = [step for step in error.next if "--redact" not in step]
            error.next = (quoted(PROGRAM, *words), *kept)
        raise


def _ask(plan: Plan) -> bool:
    where = f"{plan.remote.shown} ({plan.remote.normal})"
    return agreed(
        f"This will run: {plan.push_cmd}\nSend sessions to {where} now, and from now on without asking?"
    )


def _say(args: Args, shared: Shared, report: Report) -> None:
    if report.json:
        report.partly(_document(shared, report), shared.failure)
        if shared.failure is not None:
            report.error(shared.failure)
        return
    plan = shared.plan
    lines = [str(plan.uri)]
    if shared.source != plan.sha256:
        lines += [f"source_uri: {format_local(shared.source)}", f"redacted: {sum(shared.rules.values())}"]
    lines += [f"remote: {plan.remote.shown}", f"ref: {plan.ref}", f"path: {plan.path}"]
    if shared.quick:
        lines.append("quick: yes")
    lines.append(f"pushed: {'yes' if shared.pushed else 'no'}")
    if shared.quick:
        lines.append(f"auto_push_consent: {'yes' if shared.consent else 'no'}")
    lines.append(f"push_cmd: {'(executed) ' if shared.pushed else ''}{plan.push_cmd}")
    report.out("\n".join(lines))
    if plan.private:
        report.note("note: the address names a folder of this machine: others cannot read it")
    if shared.failure is not None:
        report.error(shared.failure)
    elif shared.quick and not shared.pushed:
        report.note("hint: nothing was sent, because nobody has agreed to it for this remote yet")
        report.advise([quoted(PROGRAM, *args.argv, "--push")])
    elif not shared.pushed:
        report.note("hint: nothing was sent; where the remote has sessions of its own, this merges them")
        report.advise([plan.merge_cmd])


def _guide(args: Args, shared: Shared, failure: OpensessionError) -> None:
    """What to do about a push that failed: the same again, by this program or by hand."""
    argv = args.argv if args.flag("--push") else (*args.argv, "--push")
    again = quoted(PROGRAM, *argv)
    if isinstance(failure, SecretsFoundError):
        # Another session of the ledger, which would go along: it is let pass by name, or taken out.
        target = shared.plan.target
        named = list(dict.fromkeys(str(each["in"]) for each in failure.findings))
        out = [
            quoted(PROGRAM, "unshare", uri, "--remote", target) for uri in named if uri.startswith("os://")
        ]
        failure.next = (*failure.next, *out, again)
        return
    if isinstance(failure, IntegrityError):
        # What is damaged stays so, however often it is tried.
        failure.next = (*failure.next, again)
        return
    by_hand = [shared.plan.push_cmd] if isinstance(failure, RemoteFailedError) else []
    debug = [f"OPENSESSION_DEBUG=1 {again}"] if getattr(failure, "reason", None) == "other" else []
    failure.next = tuple(dict.fromkeys((again, *by_hand, *failure.next, *debug)))


def _document(shared: Shared, report: Report) -> dict[str, object]:
    plan = shared.plan
    return {
        "uri": str(plan.uri),
        "source_uri": format_local(shared.source),
        "remote": plan.remote.normal,
        "remote_target": plan.remote.shown,
        "ref": plan.ref,
        "path": plan.path,
        "pushed": shared.pushed,
        "push_cmd": plan.push_cmd,
        "merge_cmd": report.with_store(plan.merge_cmd),
        "quick": shared.quick,
        "auto_push_consent": shared.consent,
        "redacted": dict(shared.rules),
        "private": plan.private,
    }


def _copy(args: Args, report: Report, line: str) -> None:
    if args.flag("--copy"):
        from opensession.cli.clipboard import copy

        problem = copy(line)
        if problem is not None:
            report.note(f"not copied: {problem}")
