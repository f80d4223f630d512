"""Setting a clone up and taking that back: what changes, what stays, what is refused."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from opensession.actions.setup import files, hook, machine, place, record
from opensession.cli import app, settingup
from opensession.errors import StorageFailedError

FIX = ("doctor", "--fix", "--yes", "--fanout-mode", "hidden_ref")
OLDER = "#!/usr/bin/env python3\nprint('mine')\n"


def tree(*folders):
    """Every file below the folders: its mode and its bytes, or where it points to."""
    found = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            mode = stat.S_IMODE(path.lstat().st_mode)
            found[str(path)] = (
                os.readlink(path) if path.is_symlink() else (mode, path.is_file() and path.read_bytes())
            )
    return found


class Clone:
    """A clone, and the command line in it."""

    def __init__(self, env, capsys) -> None:
        self.env, self.capsys = env, capsys
        self.git_dir = env.work / ".git"
        self.hooks = self.git_dir / "hooks"
        env.git("init", "-q", "-b", "main", "--template=")
        env.git("remote", "add", "origin", "https://ada:hunter2@host/o/r.git")

    def __call__(self, *words):
        code = app.main(list(words))
        out, err = self.capsys.readouterr()
        return code, out, err

    def fixed(self, *words):
        code, out, err = self(*FIX, *words)
        assert (code, err) == (0, "")
        return out

    def config(self, key):
        listed = self.env.git("config", "--local", "--list").splitlines()
        return [value for name, _, value in (line.partition("=") for line in listed) if name == key]

    def older(self, text=OLDER, name="pre-push"):
        self.hooks.mkdir(exist_ok=True)
        (self.hooks / name).write_text(text)
        (self.hooks / name).chmod(0o755)

    def world(self):
        return tree(self.git_dir, self.env.home), self.env.git("config", "--local", "--list")


@pytest.fixture
def clone(env, capsys, monkeypatch) -> Clone:
    real = machine.git_facts

    def repaired(given):
        """What is found, with a version that nothing is wrong with: that of this machine is not ours to judge."""
        found = real(given)
        return found if found.program is None else found._replace(version=(2, 50, 1))

    monkeypatch.setattr(machine, "git_facts", repaired)
    return Clone(env, capsys)


def test_a_clone_that_was_set_up_has_no_issue_left(clone):
    assert "doctor summary: found issues in 3 categories." in clone("doctor")[1]
    out = clone.fixed()
    assert out.rstrip().endswith("doctor summary: no blocking issues.")
    assert "[WARN]" not in out
    assert "[FAIL]" not in out
    assert clone("doctor", "--strict")[0] == 0


def test_setting_up_does_what_its_plan_says(clone, env):
    out = clone.fixed()
    assert out.startswith(f"OpenSession doctor (apply mode)\nrepo: {env.work}\n\nsetup plan:\n- ")
    assert clone.config("opensession.fanout-mode") == ["hidden_ref"]
    assert clone.config("opensession.fanout-remote") == ["origin https://host/o/r"]
    assert (clone.hooks / "pre-push").read_bytes() == hook.text()
    assert stat.S_IMODE((clone.hooks / "pre-push").stat().st_mode) == 0o755
    for name in ("opensession", "ops"):
        launcher = env.store / "bin" / name
        assert f"exec {sys.executable} -P -c 'import sys; " in launcher.read_text()
        assert str(launcher) in out
    (env.work / ".opensession/objects").mkdir(parents=True)
    for name in ("objects/raw.jsonl", "config.toml"):
        (env.work / ".opensession" / name).write_text("x")
    assert env.git("status", "--porcelain", "-uall") == "?? .opensession/config.toml"
    assert "restore: git config --local --unset-all opensession.fanout-mode" in out
    assert "hunter2" not in out + json.dumps(sorted(map(str, clone.world()[0].values())))[:0]


def test_doing_it_twice_changes_nothing(clone):
    clone.fixed()
    before = clone.world()
    assert "- nothing is to be changed" in clone.fixed()
    assert "applied: 0 changes" in clone.fixed("--json").replace('"applied": 0', "applied: 0 changes")
    assert clone.world() == before


@pytest.mark.parametrize("words", [FIX, ("doctor", "--unfix", "--yes")])
def test_one_at_a_time_sets_up_or_takes_back(clone, words):
    clone.fixed()
    before = clone.world()
    for held in (clone.git_dir, clone.env.home):
        with files.alone([held]):
            code, _, err = clone(*words)
            assert (code, "another `opensession doctor` is changing something" in err) == (9, True)
    assert clone.world() == before
    assert clone(*words)[0] == 0


def test_taking_it_back_leaves_what_was_there(clone, env):
    (env.store).mkdir(parents=True, mode=0o700)
    env.git("config", "opensession.fanout-mode", "notes")
    env.git("config", "opensession.fanout-remote", "up https://host/up")
    clone.older()
    before = clone.world()
    clone.fixed()
    assert (clone.hooks / hook.ORIGINAL).read_text() == OLDER
    code, out, err = clone("doctor", "--unfix", "--yes")
    assert (code, err) == (0, "")
    assert "undone: 7 of 7 changes" in out
    after = clone.world()
    gone = {str(clone.git_dir / "info")}
    assert (
        {path: was for path, was in after[0].items() if path not in gone and not path.endswith("/config")},
        after[1],
    ) == (
        {path: was for path, was in before[0].items() if not path.endswith("/config")},
        before[1],
    )


def test_the_commands_of_the_plan_restore_what_was_there(clone, env):
    env.git("config", "opensession.fanout-mode", "notes")
    clone.older()
    before = clone.world()
    out = clone.fixed()
    restore = [line.strip().removeprefix("restore: ") for line in out.splitlines() if "restore: " in line]
    assert len(restore) == 6
    for command in reversed(restore):
        assert os.system(command) == 0, command
    after = clone.world()
    assert after[1] == before[1]
    assert {path for path in after[0] if path.startswith(str(clone.hooks))} == {
        path for path in before[0] if path.startswith(str(clone.hooks))
    }


def test_what_was_changed_since_is_not_taken_back(clone, env):
    clone.fixed()
    env.git("config", "opensession.fanout-mode", "git_notes")
    out = clone("doctor", "--unfix", "--yes")[1]
    assert "- opensession.fanout-mode stays: it was changed since" in out
    assert clone.config("opensession.fanout-mode") == ["git_notes"]


@pytest.mark.parametrize("fixed_again", [False, True])
def test_a_changed_hook_makes_room_for_the_one_that_was_there_and_is_kept(clone, fixed_again):
    clone.older()
    before = tree(clone.hooks)
    clone.fixed()
    with open(clone.hooks / "pre-push", "a") as file:
        file.write("echo mine\n")
    if fixed_again:
        clone.fixed()
    out = clone("doctor", "--unfix", "--yes")[1]
    kept = clone.hooks / hook.EDITED
    assert f"- {kept} is kept: it is the hook as it was changed since" in out
    assert kept.read_text().endswith("echo mine\n")
    kept.unlink()
    assert tree(clone.hooks) == before


def test_a_hook_that_somebody_put_in_the_place_of_ours_stays(clone):
    clone.fixed()
    clone.older()
    out = clone("doctor", "--unfix", "--yes")[1]
    assert f"- {clone.hooks / 'pre-push'} stays: it was changed since" in out
    assert (clone.hooks / "pre-push").read_text() == OLDER


def test_a_list_of_ignored_files_gets_its_bytes_back_whether_or_not_its_last_line_had_an_end(clone):
    listed = clone.git_dir / "info" / "exclude"
    listed.parent.mkdir()
    for text in ("*.o", "*.o\n"):
        listed.write_text(text)
        clone.fixed()
        assert listed.read_text().startswith("*.o\n# opensession")
        assert clone("doctor", "--unfix", "--yes")[0] == 0
        assert listed.read_text() == text


def test_a_hook_that_points_to_nothing_at_the_moment_is_kept(clone):
    clone.hooks.mkdir()
    (clone.hooks / "pre-push").symlink_to("/not/mounted/hook")
    clone.fixed()
    assert (clone.hooks / "pre-push").read_bytes() == hook.text()
    assert clone("doctor", "--unfix", "--yes")[0] == 0
    assert os.readlink(clone.hooks / "pre-push") == "/not/mounted/hook"


def test_the_launchers_go_with_the_last_clone_that_uses_them(clone, env, monkeypatch):
    clone.fixed()
    other = env.home / "other"
    other.mkdir()
    env.git("init", "-q", "-b", "main", "--template=", cwd=other)
    monkeypatch.chdir(other)
    clone.fixed()
    assert "the launchers: of use to 1 other clone, " in clone("doctor", "--unfix", "--yes")[1]
    assert (env.store / "bin" / "ops").exists()
    monkeypatch.chdir(env.work)
    clone("doctor", "--unfix", "--yes")
    assert not (env.store / "bin").exists()


def test_a_hook_without_a_record_is_taken_back_too(clone):
    clone.older(hook.text().decode())
    clone.older(OLDER, hook.ORIGINAL)
    assert clone("doctor", "--unfix", "--yes")[0] == 0
    assert (clone.hooks / "pre-push").read_text() == OLDER
    assert not (clone.hooks / hook.ORIGINAL).exists()


def test_a_step_that_fails_undoes_those_before_it(clone, monkeypatch):
    clone.older()
    before = clone.world()
    put = files.put

    def full(path, data, mode, **more):
        if path.name == "pre-push":
            raise StorageFailedError("no space left on device")
        put(path, data, mode, **more)

    monkeypatch.setattr(files, "put", full)
    code, out, err = clone(*FIX)
    assert (code, "no space left on device" in err, "applied" in out) == (8, True, False)
    after = clone.world()
    assert after[1] == before[1]
    made = {
        str(clone.env.home / sub)
        for sub in (".local", ".local/share", ".local/share/opensession", ".local/share/opensession/bin")
    }
    made |= {str(clone.git_dir / "info"), str(clone.git_dir / "config")}
    assert {p: w for p, w in after[0].items() if p not in made} == {
        p: w for p, w in before[0].items() if p not in made
    }


def test_a_hook_that_may_not_be_taken_from_its_place_keeps_one_name(clone, monkeypatch):
    clone.older()
    unlink = os.unlink

    def refused(path, **more):
        if str(path) == str(clone.hooks / "pre-push"):
            raise PermissionError(1, "Operation not permitted", str(path))
        unlink(path, **more)

    monkeypatch.setattr(os, "unlink", refused)
    assert clone(*FIX)[0] == 8
    assert [path.name for path in clone.hooks.iterdir()] == ["pre-push"]


def test_what_cannot_be_undone_after_a_failure_is_told_and_stays_on_record(clone, monkeypatch):
    put = files.put

    def full(path, data, mode, **more):
        if path.name == "pre-push":
            (clone.git_dir / "info" / "exclude").write_text("somebody else's\n")
            raise StorageFailedError("no space left on device")
        put(path, data, mode, **more)

    monkeypatch.setattr(files, "put", full)
    _, _, err = clone(*FIX)
    assert "not all could be undone: " in err
    assert "exclude stays: the lines that were added were changed since" in err
    assert (clone.git_dir / record.NAME).exists()


def test_a_folder_that_is_not_there_yet_is_no_place_to_look_at(clone, monkeypatch):
    def refused(path, mode):
        raise PermissionError(1, "Operation not permitted", str(path))

    monkeypatch.setattr(os, "mkdir", refused)
    code, _, err = clone(*FIX)
    assert (code, f"- ls -ld {clone.env.home}\n" in err) == (8, True)


@pytest.mark.parametrize("data", [b"#!/bin/sh\nexit 0\n", b"\xff\xfe\n"])
def test_a_hook_that_is_there_keeps_its_bytes_and_its_mode(clone, data):
    clone.hooks.mkdir()
    (clone.hooks / "pre-push").write_bytes(data)
    (clone.hooks / "pre-push").chmod(0o750)
    out = clone.fixed()
    kept = clone.hooks / hook.ORIGINAL
    assert (kept.read_bytes(), stat.S_IMODE(kept.stat().st_mode)) == (data, 0o750)
    assert f"restore: mv {kept} {clone.hooks / 'pre-push'}" in out


def test_a_link_to_a_tracked_hook_is_moved_and_what_it_names_is_not_touched(clone, env):
    (env.work / "tools").mkdir()
    tracked = env.work / "tools" / "push.sh"
    tracked.write_text(OLDER)
    tracked.chmod(0o755)
    clone.hooks.mkdir()
    (clone.hooks / "pre-push").symlink_to("../../tools/push.sh")
    clone.fixed()
    assert os.readlink(clone.hooks / hook.ORIGINAL) == "../../tools/push.sh"
    assert tracked.read_text() == OLDER
    assert (clone.hooks / "pre-push").read_bytes() == hook.text()


def test_a_second_hook_does_not_overwrite_the_one_that_was_set_aside_first(clone):
    clone.older("#!/bin/sh\n# first\n")
    clone.fixed()
    clone.older("#!/bin/sh\n# second\n")
    clone.fixed()
    assert (clone.hooks / hook.ORIGINAL).read_text() == "#!/bin/sh\n# second\n"
    assert (clone.hooks / f"{hook.ORIGINAL}.1").read_text() == "#!/bin/sh\n# first\n"


def test_the_backup_of_an_older_program_is_taken_over(clone):
    clone.older("#!/bin/sh\n# opensession-managed\nexit 0\n")
    clone.older(OLDER, hook.OLDER_ORIGINAL)
    clone.fixed()
    assert (clone.hooks / hook.ORIGINAL).read_text() == OLDER
    assert (clone.hooks / hook.EDITED).read_text().endswith("opensession-managed\nexit 0\n")
    assert (clone.hooks / "pre-push").read_bytes() == hook.text()


def test_a_hook_that_lost_its_x_gets_it_back(clone):
    clone.fixed()
    (clone.hooks / "pre-push").chmod(0o644)
    assert "[WARN] hook executable" in clone("doctor")[1]
    clone.fixed()
    assert os.access(clone.hooks / "pre-push", os.X_OK)


def test_a_hook_in_the_working_tree_is_refused_with_the_lines_to_add(clone, env):
    tracked = env.work / ".githooks" / "pre-push"
    tracked.parent.mkdir()
    tracked.write_text("#!/bin/sh\necho team\n")
    env.git("config", "core.hooksPath", ".githooks")
    before = clone.world(), tree(env.work / ".githooks")
    code, _, err = clone(*FIX)
    assert (code, all(line in err for line in place.LINES)) == (6, True)
    assert (clone.world(), tree(env.work / ".githooks")) == before
    steps = [line.removeprefix("- ") for line in err.partition("next:\n")[2].splitlines()]
    assert os.system(" && ".join(steps)) == 0
    assert tracked.read_text() == "#!/bin/sh\necho team\n\n" + "".join(line + "\n" for line in place.LINES)
    assert "doctor summary: no blocking issues." in clone.fixed()
    assert (clone.git_dir / "opensession-hooks" / "pre-push").read_bytes() == hook.text()
    assert clone("doctor", "--unfix", "--yes")[0] == 0
    assert not (clone.git_dir / "opensession-hooks").exists()


def test_where_nothing_may_be_written_no_step_writes(clone, monkeypatch):
    clone.older()
    access = os.access
    monkeypatch.setattr(
        os, "access", lambda path, how: access(path, how) and (how, Path(path)) != (os.W_OK, clone.hooks)
    )
    code, _, err = clone(*FIX)
    assert (code, "you may not write there" in err) == (6, True)
    assert err.partition("next:\n")[2] == f"- ls -ld {clone.hooks}\n"


@pytest.mark.parametrize(
    "text",
    [
        'name=$(basename "$0")\n',
        "case ${0##*/} in pre-push) ;; esac\n",
        "hook_type = File.basename($0)\n",
        "# husky\n",
    ],
)
def test_a_hook_that_goes_by_its_own_name_keeps_it(clone, text):
    clone.older("#!/bin/sh\n" + text)
    code, _, err = clone(*FIX)
    assert (code, "would lose that name" in err) == (6, True)
    clone.older("#!/bin/sh\n" + text + "\n".join(place.LINES))
    assert "doctor summary: no blocking issues." in clone.fixed()
    assert (clone.hooks / "pre-push").read_text().startswith("#!/bin/sh\n" + text)


def test_a_folder_of_stubs_means_the_file_that_they_run(clone, env):
    stubs = env.work / ".husky" / "_"
    stubs.mkdir(parents=True)
    for name in ("h", "pre-push"):
        (stubs / name).write_text("#!/usr/bin/env sh\n")
        (stubs / name).chmod(0o755)
    env.git("config", "core.hooksPath", ".husky/_")
    code, _, err = clone(*FIX)
    assert (code, f"{str(env.work / '.husky' / 'pre-push')!r}" in err) == (6, True)
    (env.work / ".husky" / "pre-push").write_text("\n".join(place.LINES))
    assert "doctor summary: no blocking issues." in clone.fixed()


def test_a_folder_of_hooks_for_all_clones_is_used_as_git_uses_it(clone, env, monkeypatch, tmp_path):
    own = tmp_path / "my hooks"
    own.mkdir()
    (own / "pre-push").write_text(OLDER)
    config = tmp_path / "gitconfig"
    config.write_text(f'[core]\nhooksPath = "{own}"\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    out = clone.fixed()
    assert (own / "pre-push").read_bytes() == hook.text()
    assert f"[ OK ] opensession hooks  pre-push: {str(own / 'pre-push')!r} (core.hooksPath, global)" in out
    assert not (clone.hooks / "pre-push").exists()


def test_a_hook_for_all_clones_goes_with_the_last_that_was_set_up(clone, env, monkeypatch, tmp_path):
    shared = tmp_path / "all" / "pre-push"
    shared.parent.mkdir()
    shared.write_text(OLDER)
    shared.chmod(0o755)
    config = tmp_path / "gitconfig"
    config.write_text(f'[core]\nhooksPath = "{shared.parent}"\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    other = env.home / "other"
    other.mkdir()
    env.git("init", "-q", "-b", "main", "--template=", cwd=other)
    clone.fixed()
    monkeypatch.chdir(other)
    clone.fixed()
    monkeypatch.chdir(env.work)
    out = clone("doctor", "--unfix", "--yes")[1]
    assert f"the launchers and the hook '{shared}': of use to 1 other clone, " in out
    assert clone("doctor", "--unfix", "--yes")[0] == 0
    assert shared.read_bytes() == hook.text(), "the other clone still needs it"
    monkeypatch.chdir(other)
    clone("doctor", "--unfix", "--yes")
    assert (shared.read_text(), [each.name for each in shared.parent.iterdir()]) == (OLDER, ["pre-push"])


@pytest.mark.parametrize("value", ["/dev/null", ""])
def test_switched_off_hooks_are_told_and_not_switched_on(clone, env, value):
    env.git("config", "core.hooksPath", value)
    told = f"hooks are switched off here: core.hooksPath (local) is {value!r}"
    assert f"[WARN] opensession hooks  {told}\n" in clone("doctor")[1]
    assert clone(*FIX)[0] == 6


def test_a_linked_worktree_is_set_up_in_the_folder_that_all_share(clone, env, monkeypatch):
    env.git("commit", "-q", "--allow-empty", "-m", "one")
    env.git("worktree", "add", "-q", str(env.home / "linked"))
    monkeypatch.chdir(env.home / "linked")
    assert "doctor summary: no blocking issues." in clone.fixed()
    assert (clone.hooks / "pre-push").exists()
    monkeypatch.chdir(env.work)
    assert "- nothing is to be changed" in clone.fixed()


def test_the_pre_commit_framework_s_hook_that_runs_ours_is_right(clone):
    clone.fixed()
    os.rename(clone.hooks / "pre-push", clone.hooks / "pre-push.legacy")
    clone.older("#!/usr/bin/env bash\n# File generated by pre-commit: https://pre-commit.com\n")
    assert "doctor summary: no blocking issues." in clone("doctor")[1]
    assert "- nothing is to be changed" in clone.fixed()


def test_consent_is_asked_for_by_name_and_origin_is_meant_where_none_is_named(clone, env):
    env.git("remote", "add", "up", "git@host:team/up.git")
    clone.fixed("--fanout-remote", "up")
    assert clone.config("opensession.fanout-remote") == ["up https://host/team/up"]
    clone.fixed()
    assert clone.config("opensession.fanout-remote") == ["up https://host/team/up", "origin https://host/o/r"]


def test_a_changed_address_is_told_and_replaces_the_old_one_when_it_is_agreed_to(clone, env):
    clone.fixed()
    env.git("remote", "set-url", "origin", "https://host/o/moved")
    assert (
        "[WARN] fan-out consent    origin: its address is not the one that was agreed to"
        in clone("doctor")[1]
    )
    clone.fixed("--fanout-remote", "origin")
    assert clone.config("opensession.fanout-remote") == ["origin https://host/o/moved"]


def test_a_consent_in_the_global_configuration_is_none(clone, env, monkeypatch, tmp_path):
    config = tmp_path / "gitconfig"
    config.write_text('[opensession]\nfanout-remote = "origin https://host/o/r"\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    assert "[INFO] fan-out consent    origin: not agreed to" in clone("doctor")[1]


@pytest.mark.parametrize(
    ("words", "code", "step"),
    [
        (("doctor", "--yes"), 2, "opensession doctor --fix"),
        (("doctor", "--fanout-mode", "hidden_ref"), 2, "opensession doctor --fix --fanout-mode hidden_ref"),
        (("doctor", "--fix", "--unfix"), 2, "opensession doctor --unfix"),
        (("doctor", "--fix", "--strict"), 2, "opensession doctor --strict"),
        (("doctor", "--fix"), 2, "opensession doctor --fix --yes --fanout-mode hidden_ref"),
        (("setup",), 2, "opensession doctor --fix --yes --fanout-mode hidden_ref"),
        (("doctor", "--fix", "--yes"), 2, "opensession doctor --fix --yes --fanout-mode hidden_ref"),
        (("doctor", "--fix", "--yes", "--fanout-mode", "git_note"), 2, "opensession doctor --fix --yes --fanout-mode git_notes"),
        ((*FIX, "--fanout-remote", "orign"), 4, "git remote -v"),
        (("doctor", "--unfix"), 2, "opensession doctor --unfix --yes"),
        (("setup", "--check", "--yes"), 2, "opensession setup --check"),
        (("setup", "--sync-branch-commit", "abc"), 2, "opensession setup --help"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_meant_is_answered_with_one_that_can(clone, words, code, step):
    before = clone.world()
    got, _, err = clone(*words)
    assert (got, f"- {step}" in err.splitlines()) == (code, True)
    assert clone.world() == before


class Terminal:
    """Somebody who sits there and types."""

    def __init__(self, monkeypatch, *lines):
        self.lines = list(lines)
        monkeypatch.setattr(settingup, "can_ask", lambda report: True)
        monkeypatch.setattr(sys, "stdin", self)

    def readline(self):
        return self.lines.pop(0) + "\n"


def test_a_person_is_asked_for_the_mode_for_each_remote_and_in_the_end(clone, env, monkeypatch):
    env.git("remote", "add", "up", "https://host/up")
    typing = Terminal(monkeypatch, "2", "n", "y", "yes")
    code, _, err = clone("doctor", "--fix")
    assert (code, typing.lines) == (0, [])
    assert (
        "1 or 2 [1]: Send sessions to the remote origin (https://host/o/r) whenever you push there? [y/N] "
        in err
    )
    assert err.endswith("Apply these changes? [y/N] ")
    assert clone.config("opensession.fanout-mode") == ["git_notes"]
    assert clone.config("opensession.fanout-remote") == ["up https://host/up"]


@pytest.mark.parametrize("answer", ["", "n", "maybe"])
def test_anything_but_a_yes_changes_nothing(clone, monkeypatch, answer):
    before = clone.world()
    Terminal(monkeypatch, "", "y", answer)
    code, _, err = clone("doctor", "--fix")
    assert (code, "cancelled by user: nothing was changed\nnext:\n- opensession doctor --fix\n" in err) == (
        6,
        True,
    )
    assert clone.world() == before


def test_yes_is_not_asked_even_at_a_terminal(clone, monkeypatch):
    typing = Terminal(monkeypatch, "n")
    assert clone(*FIX)[0] == 0
    assert typing.lines == ["n"]


def test_setup_is_the_same_under_another_name(clone):
    assert clone("setup", "--check")[1] == clone("doctor")[1]
    assert "doctor summary: no blocking issues." in clone("setup", "--yes", "--fanout-mode", "hidden-ref")[1]


def test_programs_get_one_document(clone):
    code, out, _ = clone("doctor", "--json", "--strict")
    found = json.loads(out)
    assert (code, found["ok"], found["issues"], found["mode"]) == (10, False, 3, "check")
    assert found["next"]["recommended"] == ["opensession doctor --fix"]
    assert {check["level"] for check in found["checks"]} == {"ok", "info", "warn"}
    applied = json.loads(clone.fixed("--json"))
    assert (applied["ok"], applied["applied"], len(applied["plan"])) == (True, 6, 6)
    undone = json.loads(clone("doctor", "--unfix", "--yes", "--json")[1])
    assert (len(undone["undone"]), undone["left"]) == (6, [])


def test_outside_of_a_repository_the_rest_is_still_told(clone, env, monkeypatch):
    monkeypatch.chdir(env.home)
    code, out, _ = clone("doctor")
    assert (code, "[INFO] repository" in out, "[ OK ] git version" in out) == (0, True, True)
    assert "doctor --fix" not in out, "it would not work here"
    code, _, err = clone(*FIX)
    assert (code, "is not in a git repository" in err) == (4, True)


def test_a_clone_without_a_commit_and_one_without_a_branch_are_looked_at(clone, env):
    assert "[ OK ] current branch     main\n" in clone("doctor")[1]
    env.git("commit", "-q", "--allow-empty", "-m", "one")
    env.git("checkout", "-q", "--detach")
    out = clone("doctor")[1]
    assert "[INFO] current branch     none: HEAD is detached\n" in out
    assert f"[INFO] ledger branch      detached@{env.git('rev-parse', 'HEAD')[:8]}\n" in out


def test_the_hook_s_questions_are_answered(clone, env):
    assert clone("setup", "--print-fanout-mode") == (0, "hidden_ref\n", "")
    env.git("config", "opensession.fanout-mode", "notes")
    assert clone("setup", "--print-fanout-mode") == (0, "git_notes\n", "")
    refs = "refs/opensession/branches/bWFpbg\nrefs/opensession/branches/ZmVhdHVyZS9hYmM\n"
    assert clone("setup", "--print-ledger-ref", "main", "--print-ledger-ref", "feature/abc") == (0, refs, "")


def test_a_file_in_a_launcher_s_place_is_kept(clone, env):
    (env.store / "bin").mkdir(parents=True)
    program = env.store / "bin" / "opensession"
    program.symlink_to("/opt/elsewhere/opensession")
    clone.fixed()
    assert os.readlink(Path(f"{program}.original.pre-opensession")) == "/opt/elsewhere/opensession"
    clone("doctor", "--unfix", "--yes")
    assert os.readlink(program) == "/opt/elsewhere/opensession"


def test_a_clone_that_was_moved_is_taken_back_where_it_is_now(clone, env, monkeypatch):
    clone.older()
    clone.fixed()
    moved = env.home / "moved"
    os.rename(env.work, moved)
    monkeypatch.chdir(moved)
    code, out, _ = clone("doctor", "--unfix", "--yes")
    assert (code, "not taken back" in out) == (0, False)
    assert (moved / ".git" / "hooks" / "pre-push").read_text() == OLDER
    env.work.mkdir()


@pytest.mark.parametrize(
    "step",
    [
        {"kind": "MoveFile", "source": {"path": "/home/ada/.profile"}, "target": {"path": "/tmp/x"}, "what": "x"},
        {"kind": "PutFile", "path": {"path": "/home/ada/.profile"}, "before": {"bytes": ""}, "after": {"bytes": ""}, "mode": 420, "what": "x"},
        {"kind": "PutFile", "path": {"here": "../pre-push"}, "before": None, "after": {"bytes": ""}, "mode": 420, "what": "x"},
        {"kind": "PutFile", "path": {"here": "config"}, "before": {"bytes": ""}, "after": {"bytes": ""}, "mode": 420, "what": "x"},
        {"kind": "AddLines", "path": {"path": "/home/ada/.profile"}, "lines": ["x"], "existed": True},
        {"kind": "SetKey", "key": "core.sshCommand", "before": ["id"], "after": "x"},
        {"kind": "AddValue", "key": "core.sshCommand", "value": "id", "drop": True},
        {"kind": "RunProgram", "words": ["id"]},
        {"kind": "SetKey"},
    ],
)  # fmt: skip
def test_a_record_that_somebody_else_wrote_changes_nothing(clone, step):
    (clone.git_dir / "opensession-setup.json").write_text(
        json.dumps({"version": 1, "steps": [step], "clones": []})
    )
    before = clone.world()
    assert clone("doctor", "--unfix", "--yes")[0] == 6
    assert clone.world() == before


def test_a_list_of_ignored_files_that_is_a_link_is_not_written_through(clone, env):
    (clone.git_dir / "info").mkdir()
    (env.home / "mine").write_text("*.o\n")
    (clone.git_dir / "info" / "exclude").symlink_to(env.home / "mine")
    code, _, err = clone(*FIX)
    assert (code, (env.home / "mine").read_text()) == (6, "*.o\n")
    assert os.system(err.partition("next:\n- ")[2]) == 0
    assert "doctor summary: no blocking issues." in clone.fixed()


def test_a_hook_of_ours_among_a_repository_s_files_is_right_and_not_refreshed(clone, env):
    (env.work / "hooks").mkdir()
    clone.hooks = env.work / "hooks"
    clone.older(hook.text().decode())
    env.git("config", "core.hooksPath", "hooks")
    assert "doctor summary: no blocking issues." in clone.fixed()
    clone.older("#!/bin/sh\n# opensession-managed\n")
    assert "[WARN] hook version" in clone("doctor")[1]
    assert clone(*FIX)[0] == 6


def test_without_git_the_rest_is_told(clone, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    code, out, _ = clone("doctor")
    assert (code, "[FAIL] git version        git is not installed" in out) == (0, True)


def test_a_configuration_that_git_cannot_read_is_told_with_its_line(clone, env, monkeypatch, tmp_path):
    broken = tmp_path / "gitconfig"
    broken.write_text("[user]\n[opensession\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(broken))
    code, out, _ = clone("doctor")
    assert code == 0
    assert f"line 2 of '{broken}' is wrong" in out
    assert f"- sed -n 2p {broken}\n" in out
    assert "not installed, or not on PATH" not in out
    assert "fsck" not in out, "no git command works until then"


@pytest.mark.parametrize(("no_color", "coloured"), [(None, True), ("", True), ("1", False)])
def test_colours_are_for_terminals_that_want_them(clone, monkeypatch, no_color, coloured):
    if no_color is None:
        monkeypatch.delenv("NO_COLOR")
    else:
        monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    out = clone("doctor")[1]
    assert ("[\x1b[1;32m OK \x1b[0m]" in out, "\x1b" in out) == (coloured, coloured)
