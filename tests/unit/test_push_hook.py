"""The pre-push hook on its own: a shell script with a stand-in for the program, under two shells."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time

import pytest

from opensession.actions.setup import hook

ZERO, ONE, TWO = "0" * 40, "1" * 40, "2" * 40
FIRST, *OTHERS = [
    shell for shell in (["dash"], ["bash", "--posix"], ["busybox", "sh"]) if shutil.which(shell[0])
]
SHELLS = [FIRST, *(pytest.param(shell, marks=pytest.mark.slow) for shell in OTHERS)]

# Writes down its arguments, what it was fed and the variable it was given; answers as the real one would.
PROGRAM = """#!/bin/sh
{ printf 'call'; printf ' [%s]' "$@"; printf '\\n'; cat; } >>"$LOG"
printf 'deadline %s\\n' "${OPENSESSION_DEADLINE-none}" >>"$LOG.deadline"
case $2 in
--print-fanout-mode) echo hidden_ref; exit "${MODE_CODE:-0}" ;;
--print-ledger-ref) shift; while [ $# -gt 0 ]; do echo "refs/opensession/branches/$2"; shift 2; done ;;
--push-branches) exit "${PUSH_CODE:-0}" ;;
esac
"""


class Hooks:
    """A folder of hooks, and the runs of the one in it."""

    def __init__(self, shell, folder, env) -> None:
        self.shell, self.folder, self.log = shell, folder, folder / "log"
        self.hooks, self.temporary = folder / "a hooks' folder", folder / "tmp dir"
        self.hooks.mkdir()
        self.temporary.mkdir()
        self.program(folder / "bin" / "opensession", PROGRAM)
        self.variables = {
            **env.variables,
            "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "LOG": str(self.log),
            "TMPDIR": str(self.temporary),
        }
        self.program(self.hooks / "pre-push", hook.text().decode())

    def program(self, path, text, mode=0o755):
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
        path.chmod(mode)

    def older(self, text, mode=0o755):
        self.program(self.hooks / hook.ORIGINAL, text, mode)

    def command(self):
        return [*self.shell, str(self.hooks / "pre-push"), "origin", "https://host/o/r"]

    def run(self, *lines, **more):
        done = subprocess.run(
            self.command(),
            input="".join(line + "\n" for line in lines).encode(),
            cwd=self.folder,
            env={**self.variables, **more},
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert not list(self.temporary.iterdir()), "nothing is left behind"
        assert done.stdout == b""
        return done.returncode, done.stderr.decode()

    @property
    def calls(self):
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture(params=SHELLS, ids=lambda shell: shell[0])
def hooks(request, tmp_path, env) -> Hooks:
    folder = tmp_path / "here"
    folder.mkdir()
    return Hooks(request.param, folder, env)


def line(branch="main", oid=ONE, remote=None, local=None):
    return f"{local or 'refs/heads/' + branch} {oid} {remote or 'refs/heads/' + branch} {TWO}"


def words(*them):
    return "".join(f" [{word}]" for word in them)


def call(*them):
    return "call" + words("setup", *them)


def test_every_pushed_branch_is_recorded_and_its_ledger_is_sent(hooks):
    tag = line(local="refs/tags/v1", remote="refs/tags/v1")
    lines = [line(), line("feature/a", TWO), tag]
    assert hooks.run(*lines) == (0, "")
    assert hooks.calls == [
        call("--print-fanout-mode"),
        call("--sync-branch-session", "main", "--sync-branch-commit", ONE)
        + words("--sync-branch-session", "feature/a", "--sync-branch-commit", TWO),
        call("--print-ledger-ref", "main", "--print-ledger-ref", "feature/a"),
        call("--push-branches", "origin", "--push-url", "https://host/o/r", "--fanout-mode", "hidden_ref")
        + words(
            *(w for b in ("main", "feature/a") for w in ("--ledger-ref", f"refs/opensession/branches/{b}"))
        ),
        *lines,
    ]


@pytest.mark.parametrize("digits", [40, 64])
def test_a_deletion_is_skipped_whatever_the_length_of_the_zero(hooks, digits):
    assert hooks.run(f"(delete) {'0' * digits} refs/heads/gone {'1' * digits}") == (0, "")
    assert hooks.calls == []


def test_a_push_of_ledgers_alone_starts_nothing(hooks):
    ledger, notes = "refs/opensession/branches/bWFpbg", "refs/notes/opensession"
    assert hooks.run(line(local=ledger, remote=ledger), line(local=notes, remote=notes)) == (0, "")
    assert hooks.calls == []


def test_a_pushed_tag_is_looked_through_without_any_branch(hooks):
    assert hooks.run(line(local="refs/tags/v1", remote="refs/tags/v1"))[0] == 0
    assert [call.split()[2] for call in hooks.calls if call.startswith("call")] == [
        "[--print-fanout-mode]",
        "[--push-branches]",
    ]


def test_what_was_typed_for_a_ref_may_hold_spaces(hooks):
    assert hooks.run(line(local="HEAD@{1 day ago}", remote="refs/heads/main"))[0] == 0
    assert f"call [setup] [--sync-branch-session] [main] [--sync-branch-commit] [{ONE}]" in hooks.calls


def test_head_means_the_branch_that_is_checked_out(hooks, env):
    env.git("init", "-q", "-b", "topic", cwd=hooks.folder)
    assert hooks.run(line(local="HEAD", remote="refs/heads/elsewhere"))[0] == 0
    assert f"call [setup] [--sync-branch-session] [topic] [--sync-branch-commit] [{ONE}]" in hooks.calls


def test_a_last_line_without_its_end_counts_for_both(hooks):
    hooks.older('#!/bin/sh\ncat >"$LOG.older"\n')
    done = subprocess.run(
        hooks.command(), input=line().encode(), cwd=hooks.folder, env=hooks.variables, check=False
    )
    assert done.returncode == 0
    assert (hooks.folder / "log.older").read_text() == line()


def test_the_older_hook_gets_the_same_lines_and_arguments_by_its_own_first_line(hooks):
    hooks.older(
        "#!/usr/bin/env python3\nimport os, sys\n"
        "open(os.environ['LOG'] + '.older', 'w').write(repr(sys.argv[1:]) + sys.stdin.read())\n"
    )
    assert hooks.run(line()) == (0, "")
    assert (hooks.folder / "log.older").read_text() == f"['origin', 'https://host/o/r']{line()}\n"
    assert line() in hooks.calls


def test_the_older_hook_s_no_is_obeyed_with_its_own_exit_code(hooks):
    hooks.older("#!/bin/sh\necho 'not on a Friday' >&2\nexit 7\n")
    assert hooks.run(line()) == (7, "not on a Friday\n")
    assert hooks.calls == []


def test_an_older_hook_without_a_first_line_is_a_shell_script_as_for_git(hooks):
    hooks.older('cat >"$LOG.older"\n')
    assert hooks.run(line()) == (0, "")
    assert (hooks.folder / "log.older").read_text() == line() + "\n"


def test_an_older_hook_that_is_not_executable_is_ignored_with_a_hint(hooks):
    hooks.older("#!/bin/sh\nexit 7\n", mode=0o644)
    code, said = hooks.run(line())
    assert (code, "ignored because it is not executable" in said) == (0, True)
    assert line() in hooks.calls


@pytest.mark.parametrize("umask", [0o022, 0o777])
def test_the_older_hook_sees_the_user_s_umask_and_ours_keeps_private_whatever_it_is(hooks, umask):
    hooks.older('#!/bin/sh\numask; ls -ld "$TMPDIR"/*/ "$TMPDIR"/*/* >&2\n')
    done = subprocess.run(
        hooks.command(),
        input=line().encode(),
        env=hooks.variables,
        capture_output=True,
        check=True,
        umask=umask,
    )
    folder, lines = done.stderr.decode().splitlines()
    assert (int(done.stdout, 8), folder[:10], lines[:10]) == (umask, "drwx------", "-rw-------")


def test_a_push_of_nothing_starts_nothing(hooks):
    assert hooks.run() == (0, "")
    assert hooks.calls == []


def test_ours_run_by_the_older_one_does_nothing_again(hooks):
    hooks.program(hooks.hooks / "pre-push.legacy", hook.text().decode())
    hooks.older('#!/bin/sh\nexec "$(dirname "$0")/pre-push.legacy" "$@"\n')
    assert hooks.run(line()) == (0, "")
    assert sum("--push-branches" in call for call in hooks.calls) == 1


def test_the_push_of_our_own_does_not_start_the_hook_again(hooks):
    hooks.older("#!/bin/sh\nexit 7\n")
    assert hooks.run(line(), OPENSESSION_INTERNAL_PUSH="1") == (0, "")
    assert hooks.calls == []


def test_a_failure_of_ours_only_warns(hooks):
    assert hooks.run(line(), PUSH_CODE="7")[0] == 0


@pytest.mark.parametrize("word", ["1", "true", "True", "YES", "oN"])
def test_strict_in_any_spelling_refuses_the_push(hooks, word):
    code, said = hooks.run(line(), PUSH_CODE="7", OPENSESSION_STRICT=word)
    assert (code, "the push is refused, because OPENSESSION_STRICT is set" in said) == (1, True)


@pytest.mark.parametrize(("strict", "code"), [("", 0), ("1", 1)])
def test_a_program_that_cannot_work_here_is_not_asked_again(hooks, strict, code):
    assert hooks.run(line(), MODE_CODE="6", OPENSESSION_STRICT=strict)[0] == code
    assert hooks.calls == [call("--print-fanout-mode")]


def test_strict_lets_a_push_pass_that_had_no_failure(hooks):
    assert hooks.run(line(), OPENSESSION_STRICT="1") == (0, "")


@pytest.mark.parametrize(("strict", "code"), [("", 0), ("0", 0), ("1", 1)])
def test_a_missing_program_is_a_warning_and_a_failure_only_under_strict(hooks, strict, code):
    (hooks.folder / "bin" / "opensession").unlink()
    path = os.pathsep.join(
        folder
        for folder in hooks.variables["PATH"].split(os.pathsep)
        if not os.path.exists(os.path.join(folder, "opensession"))
    )
    got, said = hooks.run(line(), OPENSESSION_STRICT=strict, PATH=path)
    assert (got, "opensession is not installed" in said) == (code, True)


def test_the_launcher_goes_before_what_is_on_the_path(hooks, env):
    hooks.program(env.home / ".local/share/opensession/bin/opensession", PROGRAM.replace("call", "launcher"))
    assert hooks.run(line())[0] == 0
    assert hooks.calls[0] == "launcher [setup] [--print-fanout-mode]"


def test_the_launcher_is_found_below_xdg_data_home(hooks, tmp_path):
    hooks.program(tmp_path / "data home/opensession/bin/opensession", PROGRAM.replace("call", "launcher"))
    assert hooks.run(line(), XDG_DATA_HOME=str(tmp_path / "data home"))[0] == 0
    assert hooks.calls[0].startswith("launcher")


@pytest.mark.parametrize(("strict", "code"), [("", 0), ("1", 1)])
def test_a_launcher_whose_program_is_gone_is_said_once(hooks, env, strict, code):
    gone = "#!/no/such/interpreter\n"
    hooks.program(env.home / ".local/share/opensession/bin/opensession", gone)
    got, said = hooks.run(line(), OPENSESSION_STRICT=strict)
    assert (got, said.count("does not start")) == (code, 1)


def test_without_a_temporary_folder_the_older_hook_still_runs(hooks):
    hooks.older('#!/bin/sh\ncat >"$LOG.older"; exit 5\n')
    code, said = hooks.run(line(), TMPDIR=str(hooks.folder / "no such folder"))
    assert (code, "no temporary folder" in said) == (5, True)
    assert (hooks.folder / "log.older").read_text() == line() + "\n"
    assert hooks.calls == []


def test_the_program_is_told_when_to_stop(hooks):
    before = int(time.time())
    assert hooks.run(line())[0] == 0
    for told in (hooks.folder / "log.deadline").read_text().splitlines():
        assert before + 18 <= int(told.split()[1]) <= int(time.time()) + 18


def shortened(hooks, seconds):
    text = hook.text().decode()
    assert "\ncap=20\n" in text
    hooks.program(hooks.hooks / "pre-push", text.replace("\ncap=20\n", f"\ncap={seconds}\n"))


@pytest.mark.slow
@pytest.mark.parametrize(("strict", "code"), [("", 0), ("1", 1)])
def test_a_program_that_hangs_is_ended_and_the_push_goes_on(hooks, strict, code):
    shortened(hooks, 2)
    hooks.program(
        hooks.folder / "bin" / "opensession", "#!/bin/sh\necho $$ >>\"$LOG\"\ntrap '' TERM\nexec sleep 60\n"
    )
    got, said = hooks.run(line(), OPENSESSION_STRICT=strict)
    assert (got, "stopped after 2 seconds" in said) == (code, True)
    (pid,) = hooks.calls
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_program_and_leaves_nothing_behind(hooks, number):
    fifo = hooks.folder / "started"
    os.mkfifo(fifo)
    hooks.program(hooks.folder / "bin" / "opensession", "#!/bin/sh\necho >started\nexec sleep 60\n")
    running = subprocess.Popen(
        hooks.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=hooks.folder, env=hooks.variables
    )
    assert running.stdin is not None
    running.stdin.write(line().encode() + b"\n")
    running.stdin.close()
    running.stdin = None
    fifo.read_text()
    running.send_signal(number)
    # The program has the same standard output: this waits for its end too.
    assert running.communicate(timeout=30) == (b"", None)
    assert running.returncode == 128 + number
    assert not list(hooks.temporary.iterdir())


def test_the_text_names_what_is_agreed_for_it():
    text = hook.text().decode()
    for words in (
        "# opensession-managed\n",
        "setup --print-fanout-mode",
        "setup --sync-branch-session",
        "--sync-branch-commit",
        "setup --print-ledger-ref",
        ".local/share/opensession/bin/opensession",
    ):
        assert words in text


def test_a_hook_is_known_by_its_marker_and_an_edit_by_its_hash():
    ours = hook.text()
    assert hook.kind(None) is hook.Kind.ABSENT
    assert hook.kind(ours) is hook.Kind.CURRENT
    assert hook.kind(ours + b"echo more\n") is hook.Kind.EDITED
    assert hook.kind(b"#!/bin/sh\n# opensession-managed\nexit 0\n") is hook.Kind.EDITED
    assert hook.kind(b"#!/bin/sh\n# says: no '# opensession-managed' here\n\xff") is hook.Kind.FOREIGN
    assert hook.version(ours) is not None


def test_an_untouched_hook_of_another_version_is_outdated():
    import hashlib

    body = b"#!/bin/sh\n# opensession-managed\nexit 0\n"
    digest = hashlib.sha256(body).hexdigest().encode()
    older = body.replace(b"exit", b"# opensession-hook: 0 " + digest + b"\nexit")
    assert hook.kind(older) is hook.Kind.OUTDATED
