"""Which session is recorded for which commit: real repositories, invented sessions."""

from __future__ import annotations

import json

import pytest
from toaster import HEAT, KETTLE, World, claude_records

from opensession.actions import sync
from opensession.actions.links import compare
from opensession.errors import NotFoundError, RefusedError, SecretsFoundError
from opensession.git.ledger import Ledger

ALL = ("content", "cwd", "time")


def test_a_commit_made_in_a_session_is_linked_to_it(world):
    commit = world.commit("heat", 50, **{"src__heat.py": HEAT})
    session = world.session("s", world.wrote("src/heat.py", HEAT))

    done = world.sync()
    assert world.links() == [(commit, session, 1.0, ALL)]
    assert (done.changed, done.in_time, done.commits) == (True, True, 1)
    assert [(link.commit, link.sha256) for link in done.links] == [(commit, session)]
    assert done.links[0].patch_id is not None
    assert [e.sha256 for e in Ledger(world.repository().git, done.ref).sessions()] == [session]


def test_a_sha_256_repository_is_like_any_other(env, hail):
    world = World(env, hail, "sha256", "--object-format=sha256")
    commit = world.commit("heat", 50, **{"heat.py": HEAT})
    session = world.session("s", world.wrote("heat.py", HEAT))

    assert world.sync().changed
    assert world.linked(commit) == {session: 1.0}
    world.git("commit", "-q", "--amend", "-m", "better words", when=60)
    world.stores().write.rm(session)
    assert world.sync().links[0].reasons == (*ALL, "patch_id")


def test_a_second_run_makes_no_second_commit(world):
    world.commit("heat", 50, **{"heat.py": HEAT})
    world.session("s", world.wrote("heat.py", HEAT))
    first = world.sync()
    again = world.sync()

    assert (again.changed, again.links, again.tip) == (False, (), first.tip)
    (world.stores().write.root / "compared.db").unlink()
    forgotten = world.sync()
    assert (forgotten.changed, forgotten.links, forgotten.tip) == (False, (), first.tip)


def test_nothing_is_compared_twice(world, monkeypatch):
    world.commit("heat", 50, **{"heat.py": HEAT})
    world.session("s", world.wrote("heat.py", HEAT))
    world.sync()
    compared = []
    monkeypatch.setattr(compare, "read_patches", lambda _git, oids, *_, **__: compared.extend(oids))
    world.sync()
    assert compared == []

    second = world.commit("kettle", 60, **{"kettle.py": KETTLE})
    world.sync()
    assert compared == [second]


def test_the_share_of_the_lines_is_the_confidence(world):
    commit = world.commit("both", 50, **{"heat.py": HEAT + KETTLE})
    session = world.session("s", world.wrote("heat.py", HEAT))

    world.sync()
    assert world.linked(commit) == {session: 0.5}


def test_two_sessions_may_have_made_one_commit_and_one_session_many(world):
    one = world.commit("one", 50, **{"heat.py": HEAT, "kettle.py": KETTLE})
    two = world.commit("two", 60, **{"more.py": KETTLE})
    first = world.session("a", world.wrote("heat.py", HEAT))
    second = world.session("b", world.wrote("kettle.py", KETTLE), world.wrote("more.py", KETTLE))

    world.sync()
    assert world.linked(one) == {first: 0.5, second: 0.5}
    assert world.linked(two) == {second: 1.0}


def test_a_session_that_is_found_later_is_linked_too(world):
    commit = world.commit("one", 50, **{"heat.py": HEAT, "kettle.py": KETTLE})
    first = world.session("a", world.wrote("heat.py", HEAT))
    world.sync()
    second = world.session("b", world.wrote("kettle.py", KETTLE))
    world.sync()

    assert world.linked(commit) == {first: 0.5, second: 0.5}


def test_a_helper_s_session_is_never_linked(world):
    world.commit("heat", 50, **{"heat.py": HEAT})
    world.session("s", world.wrote("heat.py", HEAT), session_role="auxiliary")

    assert world.sync().links == ()


def test_a_session_of_another_repository_is_never_linked(world):
    world.commit("heat", 50, **{"heat.py": HEAT})
    world.session("s", world.wrote("/elsewhere/heat.py", HEAT), cwd="/elsewhere")

    assert world.sync().links == ()


def test_a_session_of_a_repository_inside_of_this_one_is_never_linked(world):
    """A home folder may be a repository, and every project below it is none of its business."""
    world.commit("heat", 50, **{"heat.py": HEAT})
    world.git("init", "-q", "project")
    world.session("s", world.wrote("heat.py", HEAT), cwd=f"{world.top}/project/src")

    assert world.sync().links == ()


def test_a_session_of_another_clone_is_linked_by_what_it_wrote(world):
    world.git("remote", "add", "origin", "git@git.example:ada/toaster.git")
    commit = world.commit("heat", 50, **{"src__heat.py": HEAT})
    session = world.session(
        "s",
        world.wrote("/Users/bob/toaster/src/heat.py", HEAT),
        cwd="/Users/bob/toaster",
        git={"remote": "https://git.example/ada/toaster"},
    )

    world.sync()
    assert world.links() == [(commit, session, 1.0, ("content", "time"))]


@pytest.mark.parametrize(("folder", "removed"), [("../linked", False), (".worktrees/linked", True)])
def test_a_session_in_a_linked_work_tree_is_one_of_the_repository(world, folder, removed):
    world.commit("first", 1, readme="x\n")
    world.git("worktree", "add", "-q", "-b", "side", folder)
    linked = (world.top / folder).resolve()
    (linked / "heat.py").write_text(HEAT)
    world.git("-C", str(linked), "add", "-A")
    world.git("-C", str(linked), "commit", "-q", "-m", "heat", when=50)
    commit = world.git("rev-parse", "side")
    session = world.session("s", world.wrote(str(linked / "heat.py"), HEAT), cwd=str(linked))
    if removed:
        world.git("worktree", "remove", str(linked))

    world.sync("side")
    assert world.linked(commit, "side") == {session: 1.0}


def test_a_line_that_was_written_after_the_commit_is_not_in_it(world):
    world.commit("heat", 50, **{"heat.py": HEAT})
    world.session("s", world.wrote("heat.py", HEAT, 1000), start=900, end=1100)

    assert world.sync().links == ()


def test_what_an_edit_leaves_as_it_was_is_not_its_own(world):
    commit = world.commit("heat", 50, **{"heat.py": HEAT})
    diff = (
        "".join(f"{sign}{line}\n" for sign in "-+" for line in HEAT.splitlines()) + "+    # toasted twice\n"
    )
    session = world.session("s", world.edited("heat.py", diff, 40))

    world.sync()
    assert world.links() == [(commit, session, 0.0, ("cwd", "time"))]


def test_a_call_that_failed_wrote_nothing(world):
    commit = world.commit("heat", 50, **{"heat.py": HEAT})
    session = world.session("s", world.wrote("heat.py", HEAT, call="c1"), world.failed("c1"))

    world.sync()
    assert world.linked(commit) == {session: 0.0}


def test_a_moved_file_counts_for_the_lines_that_are_new(world):
    long = "".join(f"LINE_NUMBER_{n} = {n}\n" for n in range(30))
    world.commit("first", 1, **{"old.py": long})
    world.git("mv", "old.py", "new.py")
    commit = world.commit("moved", 50, **{"new.py": long + HEAT})
    session = world.session("s", world.edited("old.py", "".join(f"+{li}\n" for li in HEAT.splitlines())))

    world.sync()
    assert world.linked(commit) == {session: 1.0}


def test_a_rebased_commit_is_found_again_by_its_content(world):
    base = world.commit("base", 1, readme="x\n")
    world.git("checkout", "-q", "-b", "side")
    before = world.commit("heat", 50, **{"heat.py": HEAT})
    session = world.session("s", world.wrote("heat.py", HEAT))
    world.sync("side")
    world.git("checkout", "-q", "main")
    world.commit("other", 60, other="y\n")
    world.git("checkout", "-q", "side")
    world.git("rebase", "-q", "main", when=5000)

    world.sync("side")
    assert base != before != world.head()
    assert world.linked(before, "side") == world.linked(world.head(), "side") == {session: 1.0}


def test_a_rewritten_commit_is_found_again_by_its_patch_id_where_the_session_is_gone(world):
    before = world.commit("heat", 50, **{"heat.py": HEAT})
    session = world.session("s", world.wrote("heat.py", HEAT))
    world.sync()
    world.stores().write.rm(session)
    world.git("commit", "-q", "--amend", "-m", "better words", when=5000)

    done = world.sync()
    assert world.head() != before
    assert [(li.commit, li.sha256, li.confidence) for li in done.links] == [(world.head(), session, 1.0)]
    assert done.links[0].reasons == (*ALL, "patch_id")
    assert world.sync().changed is False


def test_a_cherry_picked_commit_is_linked_on_its_new_branch(world):
    world.commit("base", 1, readme="x\n")
    world.git("checkout", "-q", "-b", "side")
    picked = world.commit("heat", 50, **{"heat.py": HEAT})
    session = world.session("s", world.wrote("heat.py", HEAT))
    world.git("checkout", "-q", "main")
    world.commit("other", 60, other="y\n")
    world.git("cherry-pick", picked, when=70)

    world.sync()
    assert world.linked(world.head()) == {session: 1.0}


def test_after_a_squash_the_share_is_computed_again(world):
    session = world.squashed(1)

    world.sync()
    assert world.linked(world.head()) == {session: 0.5}


def test_time_and_folder_alone_make_a_link_of_no_confidence(world):
    commit = world.commit("by a shell command", 50, **{"heat.py": HEAT})
    during = world.session("during", world.said("toast!"))
    world.session("before", world.said("toast!"), start=-200, end=-100)
    world.session("elsewhere", world.said("toast!"), cwd="/elsewhere")

    world.sync()
    assert world.links() == [(commit, during, 0.0, ("cwd", "time"))]


def test_a_weak_link_is_not_made_where_somebody_has_the_content(world):
    commit = world.commit("heat", 50, **{"heat.py": HEAT})
    session = world.session("s", world.wrote("heat.py", HEAT))
    world.session("beside", world.said("what a day"))
    world.sync()
    world.session("later found", world.said("what a night"))
    world.sync()

    assert world.linked(commit) == {session: 1.0}


def test_a_commit_that_was_pulled_is_not_linked_by_time(world):
    world.commit("base", 1, readme="x\n")
    world.git("clone", "-q", str(world.top), str(world.env.work / "other"))
    theirs = world.env.work / "other"
    (theirs / "heat.py").write_text(HEAT)
    world.git("-C", str(theirs), "add", "-A")
    world.git("-C", str(theirs), "commit", "-q", "-m", "heat", when=50)
    world.git("pull", "-q", str(theirs), "main", when=60)
    world.session("s", world.said("pull, please"), start=20)

    assert world.sync().links == ()


def test_without_a_reflog_the_committer_stands_in_for_it(world, env):
    commit = world.commit("heat", 50, **{"heat.py": HEAT})
    session = world.session("s", world.said("toast!"))
    for log in (world.top / ".git" / "logs").rglob("*"):
        if log.is_file():
            log.unlink()
    world.git("config", "core.logAllRefUpdates", "false")
    theirs = world.git(
        "commit-tree", "-p", commit, "-m", "theirs", f"{commit}^{{tree}}",
        when=60, GIT_COMMITTER_EMAIL="bob@example.com",
    )  # fmt: skip
    world.git("update-ref", "refs/heads/main", theirs)

    world.sync()
    assert world.links() == [(commit, session, 0.0, ("cwd", "time"))]


def test_the_commit_that_is_pushed_may_be_hours_from_the_session(world):
    commit = world.commit("heat", 100 + 6 * 3600, **{"heat.py": HEAT})
    session = world.session("s", world.said("toast!"))

    assert world.sync(commit=commit).links[0].reasons == ("cwd", "hint")
    assert world.linked(commit) == {session: 0.0}


def test_a_commit_that_is_pushed_a_day_later_is_not_linked_by_time(world):
    commit = world.commit("heat", 102 + 6 * 3600, **{"heat.py": HEAT})
    world.session("s", world.said("toast!"))

    assert world.sync(commit=commit).links == ()


def test_a_bare_repository_has_links_too(world, env):
    commit = world.commit("heat", 50, **{"heat.py": HEAT})
    world.git("remote", "add", "origin", "https://git.example/ada/toaster")
    event = world.wrote(str(world.top / "heat.py"), HEAT)
    world.git("clone", "-q", "--bare", str(world.top), str(env.work / "bare.git"))
    world.git(
        "-C", str(env.work / "bare.git"), "config", "remote.origin.url", "https://git.example/ada/toaster"
    )
    cwd = str(world.top)
    world.top = env.work / "bare.git"
    session = world.session("s", event, cwd=cwd, git={"remote": "https://git.example/ada/toaster"})

    world.sync()
    assert world.links() == [(commit, session, 1.0, ("content", "time"))]


def test_of_a_session_that_grew_only_the_longest_is_recorded(world):
    commit = world.commit("heat", 50, **{"heat.py": HEAT})
    event = world.wrote("heat.py", HEAT)
    short = world.session("s", event)
    longer = world.session("s", event, world.said("and now?", 150), end=200)

    world.sync()
    assert world.linked(commit) == {longer: 1.0}
    second = world.commit("kettle", 220, **{"kettle.py": KETTLE})
    longest = world.session(
        "s",
        event,
        {**world.said("and now?", 150), "event_id": "e2"},
        world.wrote("kettle.py", KETTLE, 210),
        end=300,
    )
    world.sync()
    assert short not in {sha256 for _, sha256, _, _ in world.links()}
    assert world.linked(commit) == {longer: 1.0}
    assert world.linked(second) == {longest: 1.0}


def test_a_session_with_a_secret_is_left_out_told_and_asked_about_again(world):
    commit = world.commit("heat", 50, **{"heat.py": HEAT})
    kettle = world.commit("kettle", 60, **{"kettle.py": KETTLE})
    secret = world.session("a", world.wrote("heat.py", HEAT))
    clean = world.session("b", world.wrote("kettle.py", KETTLE))

    def release(sha256: str) -> str:
        if sha256 == secret:
            raise SecretsFoundError("1 place holds what looks like a secret")
        return sha256

    done = world.sync(release=release)
    assert [(each.sha256, each.error.message) for each in done.refused] == [
        (secret, "1 place holds what looks like a secret")
    ]
    assert world.linked(kettle) == {clean: 1.0}
    assert world.linked(commit) == {}
    world.sync(release=lambda sha256: sha256)
    assert world.linked(commit) == {secret: 1.0}


def test_a_real_secret_does_not_pass_the_door(world):
    world.commit("heat", 50, **{"heat.py": HEAT})
    key = "AKIA" + "Q3EGRI5KZ7WJ4N2P"
    world.session("a", world.said(f"use {key}"), world.wrote("heat.py", HEAT))

    done = world.sync()
    assert (done.links, done.tip, len(done.refused)) == ((), None, 1)
    assert key not in str(done.refused[0].error)


def test_a_redacted_copy_is_linked_in_the_place_of_the_session(world):
    commit = world.commit("heat", 50, **{"heat.py": HEAT})
    session = world.session("a", world.wrote("heat.py", HEAT))
    copy = world.session("copy", world.said("[REDACTED]"), cwd="/elsewhere")

    world.sync(release=lambda sha256: copy if sha256 == session else sha256)
    assert world.linked(commit) == {copy: 1.0}


def test_a_redacted_copy_stands_for_both_and_is_linked_once(world):
    world.commit("heat", 50, **{"heat.py": HEAT})
    session = world.session("a", world.wrote("heat.py", HEAT))
    copy = world.session("a", world.said("[REDACTED]"), world.wrote("heat.py", HEAT))

    done = world.sync(release=lambda sha256: copy if sha256 == session else sha256)
    assert [link.sha256 for link in done.links] == [copy]


def test_a_refusal_that_is_none_of_time_is_raised(world):
    world.commit("heat", 50, **{"heat.py": HEAT})
    world.session("a", world.wrote("heat.py", HEAT))

    def release(_sha256: str) -> str:
        raise RefusedError("not today")

    with pytest.raises(RefusedError, match="not today"):
        world.sync(release=release)


def test_without_time_nothing_is_recorded_and_the_next_run_goes_on(world):
    commit = world.commit("heat", 50, **{"heat.py": HEAT})
    session = world.session("s", world.wrote("heat.py", HEAT))

    late = world.sync(deadline=0.0)
    assert (late.links, late.changed, late.in_time) == ((), False, False)
    assert world.sync().in_time
    assert world.linked(commit) == {session: 1.0}


def test_a_damaged_session_is_told_and_the_others_are_linked(world):
    commit = world.commit("heat", 50, **{"heat.py": HEAT})
    good = world.session("a", world.wrote("heat.py", HEAT))
    bad = world.session("b", world.wrote("heat.py", HEAT))
    path = world.stores().write.path_of(bad)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b"slices", b"slicer"))

    done = world.sync()
    assert list(done.problems) == [bad]
    assert world.linked(commit) == {good: 1.0}


def test_an_agent_s_log_is_registered_once_and_linked(world, env):
    commit = world.commit("heat", 50, **{"heat.py": HEAT})
    log = env.home / ".claude/projects/-repo/1.jsonl"
    log.parent.mkdir(parents=True)
    records = claude_records(world, HEAT)
    log.write_bytes(records)

    first = world.sync()
    [session] = first.registered.sessions
    assert world.linked(commit) == {session: 1.0}
    log.chmod(0o600)
    reads = []
    original = sync.register_logs.__globals__["register"]
    sync.register_logs.__globals__["register"] = lambda *a, **k: reads.append(a) or original(*a, **k)
    try:
        world.sync()
        assert reads == []
        log.write_bytes(records + records.splitlines(keepends=True)[0].replace(b"u1", b"u9"))
        grown = world.sync()
    finally:
        sync.register_logs.__globals__["register"] = original
    assert len(reads) == 1
    assert grown.registered.sessions != (session,)
    assert grown.changed is False


def test_a_log_that_is_none_is_passed_over_and_told(world, env):
    world.commit("heat", 50, **{"heat.py": HEAT})
    log = env.home / ".claude/projects/-repo/1.jsonl"
    log.parent.mkdir(parents=True)
    log.write_text(json.dumps({"cwd": str(world.top)}) + "\n")

    done = world.sync()
    assert [path for path, _ in done.registered.skipped] == [str(log)]
    assert done.in_time


def test_what_was_taken_back_stays_out(world):
    from opensession.git.changes import Changes

    world.commit("heat", 50, **{"heat.py": HEAT})
    session = world.session("s", world.wrote("heat.py", HEAT))
    ref = world.sync().ref
    Ledger(world.repository().git, ref).record(Changes(gone=[session]), "take back", rewrite=True)
    (world.stores().write.root / "compared.db").unlink()

    done = world.sync()
    assert (done.links, done.taken_back, done.changed) == ((), (session,), False)


def test_what_was_taken_back_from_one_branch_does_not_come_back_by_the_next(world):
    from opensession.git.changes import Changes

    world.commit("heat", 50, **{"heat.py": HEAT})
    session = world.session("s", world.wrote("heat.py", HEAT))
    ref = world.sync().ref
    Ledger(world.repository().git, ref).record(Changes(gone=[session]), "take back", rewrite=True)
    world.git("branch", "next")

    done = world.sync("next")
    assert (done.links, done.taken_back, done.tip) == ((), (session,), None)


def test_a_branch_without_commits_is_not_found(world):
    with pytest.raises(NotFoundError, match="the branch 'main' has no commits"):
        world.sync()


def test_a_detached_head_has_a_ledger_of_its_own(world):
    commit = world.commit("heat", 50, **{"heat.py": HEAT})
    world.git("checkout", "-q", "--detach")
    session = world.session("s", world.wrote("heat.py", HEAT))
    branch = world.repository().ledger_branch()

    world.sync(branch)
    assert branch == f"detached@{commit[:8]}"
    assert world.linked(commit, branch) == {session: 1.0}
