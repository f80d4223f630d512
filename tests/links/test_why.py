"""Why a line is there, and which sessions made which commits: `why`, `log` and `link`."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest
from toaster import HEAT, KETTLE, at, claude_records

from opensession.actions.links.changes import Change, Failed
from opensession.actions.links.clock import Clock
from opensession.actions.links.origin import wrote
from opensession.actions.links.paths import Whereabouts
from opensession.actions.log import log
from opensession.actions.why import why
from opensession.cli import revisions
from opensession.cli.app import main
from opensession.cli.commitlines import utc
from opensession.errors import NotFoundError, UsageError
from opensession.git.ledger import Ledger


def ask(world, path: str, line: int, revision: str | None = None, **more):
    stores, repository = world.stores(), world.repository()
    return why(stores, repository, path, line, revision=revision, env=os.environ, clock=Clock(None), **more)


def listed(world, revision: str = "HEAD", **more):
    stores, repository = world.stores(), world.repository()
    more = {"most": 20, "clock": Clock(None), **more}
    found = log(stores, repository, revision, env=os.environ, **more)
    return [
        (e.commit.subject, [(s.known.link.sha256, s.known.how, s.known.link.confidence) for s in e.sessions])
        for e in found.entries
    ]


def run(capsys, *words: str) -> tuple[int, str, str]:
    code = main(words)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


# ---- the event that wrote a line ----

NAMES = {"heat.py"}
HERE = Whereabouts("/w", ["/w"], gone=False)


def change(ordinal: int, *, added=(), removed=(), whole=False, path="heat.py", time=0.0, call="") -> Change:
    call = call or f"c{ordinal}"
    return Change(ordinal, f"e{ordinal}", call, time, "", path, list(added), list(removed), whole, None)


def writer(*changes, until: float = 0.0) -> int | None:
    found = wrote(changes, HERE, NAMES, b"heat=100", until)
    return None if found is None else found.ordinal


LINE = "heat = 100"


@pytest.mark.parametrize(
    ("changes", "ordinal"),
    [
        ([], None),
        ([change(0, added=["other"])], None),
        ([change(0, added=[LINE])], 0),
        ([change(0, added=["  heat =100\r"])], 0),
        ([change(0, added=[LINE], path="kettle.py")], None),
        # Written again while it was there, it is still the first one's.
        ([change(0, added=[LINE]), change(1, added=[LINE, "more"], whole=True)], 0),
        # Taken away and put back, it is the second one's.
        ([change(0, added=[LINE]), change(1, removed=[LINE]), change(2, added=[LINE])], 2),
        ([change(0, added=[LINE]), change(1, added=["all new"], whole=True), change(2, added=[LINE])], 2),
        ([change(0, added=[LINE]), change(1, removed=[LINE])], 0),
        # An edit that moves the line does not write it.
        ([change(0, added=[LINE]), change(1, added=[LINE], removed=[LINE])], 0),
        ([change(0, added=[LINE], call="x"), Failed("x"), change(2, added=[LINE])], 2),
        ([change(0, added=[LINE], time=1e6)], None),
    ],
)
def test_the_event_is_the_one_after_which_the_line_stood_there(changes, ordinal):
    assert writer(*changes) == ordinal


# ---- why ----


def test_a_line_has_its_commit_its_session_its_event_and_what_was_asked_for(world):
    commit = world.commit("heat", 50, **{"src__heat.py": HEAT})
    session = world.session(
        "s", world.said("make it hot\nplease"), world.said("now!", 6), world.wrote("src/heat.py", HEAT)
    )
    world.sync()

    found = ask(world, "src/heat.py", 2)
    [answer] = found.answers
    assert (found.commit.oid, found.text) == (commit, "    return slices * TEMPERATURE")
    assert (answer.session.known.link.sha256, answer.session.known.how) == (session, "link")
    assert (answer.session.tool, answer.session.title) == ("toaster", "s")
    assert (answer.wrote.kind, answer.wrote.ordinal, answer.wrote.timestamp) == (
        "FileCreate",
        2,
        at(10),
    )
    assert (answer.wrote.prompt.ordinal, answer.wrote.prompt.text) == (1, "now!")


def test_what_a_program_put_into_the_user_s_mouth_is_no_prompt(world):
    world.commit("heat", 50, **{"heat.py": HEAT})
    reminder = world.said("<reminder>", 7, attributes={"source.origin": "reminder"})
    typed = world.said("typed", 6, attributes={"source.origin": "typed"})
    world.session("s", typed, reminder, world.wrote("heat.py", HEAT))
    world.sync()

    assert ask(world, "heat.py", 1).answers[0].wrote.prompt.text == "typed"


def test_the_session_that_wrote_the_line_comes_before_the_one_that_wrote_more(world):
    world.commit("both", 50, **{"heat.py": HEAT + KETTLE + "ALL_OF_IT = True\n"})
    more = world.session("a", world.wrote("heat.py", HEAT + KETTLE))
    less = world.session("b", world.edited("heat.py", "+ALL_OF_IT = True"))
    world.sync()

    answers = ask(world, "heat.py", 5).answers
    assert [a.session.known.link.sha256 for a in answers] == [less, more]
    assert [a.wrote is not None for a in answers] == [True, False]


def test_a_line_that_is_not_committed_has_no_session(world):
    world.commit("heat", 50, **{"heat.py": HEAT})
    (world.top / "heat.py").write_text(HEAT + "more\n")

    found = ask(world, "heat.py", 3)
    assert (found.commit, found.answers) == (None, ())


def test_a_commit_without_a_session_has_none(world):
    world.commit("heat", 50, **{"heat.py": HEAT})

    assert ask(world, "heat.py", 1).answers == ()


def test_a_file_that_was_moved_later_is_asked_about_by_its_new_name(world):
    world.commit("heat", 50, **{"old.py": HEAT})
    session = world.session("s", world.wrote("old.py", HEAT))
    world.git("mv", "old.py", "new.py")
    world.git("commit", "-q", "-m", "moved", when=60)
    world.sync()

    found = ask(world, "new.py", 1)
    assert (found.blamed.path, found.answers[0].session.known.link.sha256) == ("old.py", session)
    assert found.answers[0].wrote is not None


def test_an_edit_before_the_move_in_one_commit_is_found(world):
    long = "".join(f"LINE_NUMBER_{n} = {n}\n" for n in range(30))
    world.commit("first", 1, **{"old.py": long})
    world.git("mv", "old.py", "new.py")
    world.commit("moved", 50, **{"new.py": long + HEAT})
    world.session("s", world.edited("old.py", "".join(f"+{li}\n" for li in HEAT.splitlines())))
    world.sync()

    assert ask(world, "new.py", 31).answers[0].wrote.kind == "FileEdit"


def test_another_state_of_the_file_can_be_asked_about(world):
    first = world.commit("heat", 50, **{"heat.py": HEAT})
    world.commit("kettle", 60, **{"heat.py": KETTLE})

    assert ask(world, "heat.py", 1, "HEAD~1").commit.oid == first
    with pytest.raises(NotFoundError, match="'nope' names no commit"):
        ask(world, "heat.py", 1, "nope")


def test_a_short_line_is_not_guessed_about(world):
    world.commit("heat", 50, **{"heat.py": HEAT + "x = 1\n"})
    world.session("s", world.wrote("heat.py", HEAT + "x = 1\n"))
    world.sync()

    [answer] = ask(world, "heat.py", 3).answers
    assert (answer.wrote, answer.problem) == (None, "the line is too short to tell which event wrote it")


def test_a_session_that_is_only_in_the_ledger_is_read_there(world):
    world.commit("heat", 50, **{"heat.py": HEAT})
    session = world.session("s", world.wrote("heat.py", HEAT))
    world.sync()
    world.stores().write.rm(session)

    [answer] = ask(world, "heat.py", 1).answers
    assert answer.wrote is not None
    assert answer.session.title == "s"


def test_a_bare_repository_answers_for_its_head(world, env, monkeypatch):
    commit = world.commit("heat", 50, **{"heat.py": HEAT})
    world.git("clone", "-q", "--bare", str(world.top), str(env.work / "bare.git"))
    world.top = env.work / "bare.git"
    monkeypatch.chdir(world.top)

    assert ask(world, "heat.py", 1).commit.oid == commit


def test_a_rebased_commit_keeps_its_session_before_the_next_sync(world):
    world.commit("heat", 50, **{"heat.py": HEAT})
    session = world.session("s", world.wrote("heat.py", HEAT))
    world.sync()
    world.stores().write.rm(session)
    world.git("commit", "-q", "--amend", "-m", "better words", when=5000)

    [answer] = ask(world, "heat.py", 1).answers
    assert (answer.session.known.link.sha256, answer.session.known.how) == (session, "patch_id")
    assert answer.wrote is not None
    assert listed(world) == [("better words", [(session, "patch_id", 1.0)])]


def test_a_squashed_commit_is_compared_at_the_time_of_asking(world):
    session = world.squashed(-500)

    [answer] = ask(world, "heat.py", 1).answers
    assert (answer.session.known.link.sha256, answer.session.known.how) == (session, "content")
    assert answer.session.known.link.confidence == 0.5
    assert answer.wrote is not None
    assert listed(world) == [("all at once", [(session, "content", 0.5)]), ("base", [])]
    world.sync()
    assert listed(world) == [("all at once", [(session, "link", 0.5)]), ("base", [])]


# ---- log ----


def test_commits_are_listed_newest_first_each_with_its_sessions(world):
    world.commit("heat", 50, **{"heat.py": HEAT})
    world.commit("by hand", 4000, readme="x\n")
    world.commit("both", 5010, **{"kettle.py": HEAT + KETTLE})
    first = world.session("a", world.wrote("heat.py", HEAT))
    second = world.session("b", world.wrote("kettle.py", HEAT, 5001), start=5000, end=5001)
    world.sync()

    everything = [("both", [(second, "link", 0.5)]), ("by hand", []), ("heat", [(first, "link", 1.0)])]
    assert listed(world) == everything
    assert listed(world, "HEAD~1") == everything[1:]
    assert listed(world, "HEAD~1..HEAD") == everything[:1]
    assert listed(world, most=1) == everything[:1]
    assert listed(world, paths=["heat.py"]) == everything[2:]
    with pytest.raises(NotFoundError, match="'nope' names no commits"):
        listed(world, "nope")


def test_a_link_of_any_branch_s_ledger_counts(world):
    world.git("checkout", "-q", "-b", "side")
    world.commit("heat", 50, **{"heat.py": HEAT})
    session = world.session("s", world.wrote("heat.py", HEAT))
    world.sync("side")
    world.git("checkout", "-q", "-b", "main")
    world.stores().write.rm(session)

    assert listed(world) == [("heat", [(session, "link", 1.0)])]


def test_what_was_taken_back_is_not_listed(world):
    from opensession.git.changes import Changes

    world.commit("heat", 50, **{"heat.py": HEAT})
    session = world.session("s", world.wrote("heat.py", HEAT))
    ref = world.sync().ref
    world.stores().write.rm(session)
    Ledger(world.repository().git, ref).record(Changes(gone=[session]), "take back")

    assert listed(world) == [("heat", [])]


def test_without_time_it_is_said_how_many_sessions_were_left(world):
    world.commit("heat", 50, **{"heat.py": HEAT})
    world.session("s", world.wrote("heat.py", HEAT))

    found = log(world.stores(), world.repository(), "HEAD", env=os.environ, clock=Clock(0.0), most=20)
    assert (found.left, found.entries[0].sessions) == (1, ())


def test_a_teammate_s_sessions_are_read_from_the_remote_s_ledger(world, env, monkeypatch):
    world.commit("heat", 50, **{"heat.py": HEAT})
    session = world.session("s", world.said("hot!"), world.wrote("heat.py", HEAT))
    ref = world.sync().ref
    env.git("init", "-q", "--bare", str(env.work / "shared.git"))
    world.git("push", "-q", str(env.work / "shared.git"), "main", ref)
    world.git("clone", "-q", "-b", "main", f"file://{env.work}/shared.git", str(env.work / "mine"))
    world.top = env.work / "mine"
    monkeypatch.chdir(world.top)

    assert ask(world, "heat.py", 1).answers == ()
    assert listed(world, fetch="origin") == [("heat", [(session, "link", 1.0)])]
    [answer] = ask(world, "heat.py", 1).answers
    assert answer.problem == "the session is not here, only what a ledger says of it"
    assert (answer.session.known.remote, answer.session.title) == ("origin", "s")
    [answer] = ask(world, "heat.py", 1, fetch="origin").answers
    assert answer.wrote.prompt.text == "hot!"
    assert world.git("for-each-ref", "refs/opensession") == ""


# ---- the commands ----


@pytest.mark.parametrize(
    ("typed", "file", "line"),
    [
        ("a.py:3", "a.py", 3),
        ("a.py:3:14", "a.py", 3),
        ("a.py:3:", "a.py", 3),
        ("a:b:7", "a:b", 7),
        ("./a b:1", "./a b", 1),
    ],
)
def test_a_place_is_written_as_editors_write_it(typed, file, line):
    assert revisions.place(typed) == (file, line)


@pytest.mark.parametrize("typed", ["a.py", "a.py:", "a.py:0", ":3", "a.py:x", "", "a.py:9999999999"])
def test_what_is_no_place_is_refused(typed):
    with pytest.raises(UsageError, match="is no place in a file"):
        revisions.place(typed)


def test_a_path_is_meant_from_where_one_stands(world):
    world.commit("heat", 50, **{"src__heat.py": HEAT})
    repository = world.repository()
    os.symlink(world.top, world.env.work / "link")

    assert revisions.path_in(repository, "heat.py", world.top / "src") == "src/heat.py"
    assert revisions.path_in(repository, "../src/heat.py", world.top / "src") == "src/heat.py"
    assert revisions.path_in(repository, str(world.env.work / "link/src/heat.py"), Path("/")) == "src/heat.py"
    assert revisions.path_in(repository, ".", world.top) == "."
    with pytest.raises(UsageError, match="lies outside of the repository"):
        revisions.path_in(repository, "../elsewhere", world.top)


def test_the_whole_way_from_a_log_to_an_answer(world, env, capsys):
    commit = world.commit("heat", 50, **{"heat.py": HEAT})
    folder = env.home / ".claude/projects/-repo"
    folder.mkdir(parents=True)
    (folder / "1.jsonl").write_bytes(claude_records(world, HEAT))

    code, out, err = run(capsys, "link", "--json")
    linked = json.loads(out)
    [link] = linked["links"]
    assert (code, err, linked["changed"], linked["refused"], linked["skipped"]) == (0, "", True, [], [])
    assert (link["commit"], link["confidence"], link["reasons"]) == (commit, 1.0, ["content", "cwd", "time"])

    code, out, err = run(capsys, "why", "heat.py:2")
    assert code == 0
    assert out == (
        f"heat.py:2 is from {commit[:12]}  {at(50)}  Ada  heat\n"
        f"session {link['hash'][:12]}  100%  claude-code  heat!\n"
        "  because: content, cwd, time; the ledger of main\n"
        f"  written by: FileCreate a1, event 1, at {at(10)}\n"
        "  asked for: heat!\n"
    )
    assert f"- opensession cat {link['uri']} | sed -n 3p\n" in err

    code, out, _ = run(capsys, "why", "heat.py:2", "--json")
    document = json.loads(out)
    [session] = document["sessions"]
    assert (code, document["committed"], document["commit"]["oid"]) == (0, True, commit)
    assert (session["uri"], session["event"]["event_id"], session["event"]["prompt"]["text"]) == (
        link["uri"], "a1", "heat!",
    )  # fmt: skip

    code, out, _ = run(capsys, "log", "-n", "5", "--path", "heat.py")
    assert code == 0
    assert out == (
        f"{commit[:12]}  {at(50)}  Ada  heat\n"
        f"  {link['hash'][:12]}  100%  claude-code  heat!\n"
        "    content, cwd, time; the ledger of main\n"
    )
    assert json.loads(run(capsys, "log", "--json")[1])["commits"][0]["sessions"][0]["how"] == "link"

    code, out, _ = run(capsys, "link")
    assert (code, out) == (0, "main: 0 new links to 0 sessions; 1 commit looked at\n")


def test_the_step_shows_the_event_that_wrote_the_line(world, capfd):
    world.commit("heat", 50, **{"heat.py": HEAT})
    session = world.session("s", world.said("hot"), world.wrote("heat.py", HEAT))
    world.sync()
    assert main(["why", "heat.py:1"]) == 0
    step = next(li for li in capfd.readouterr().err.splitlines() if li.startswith("- opensession cat"))
    number = int(step.rpartition("sed -n ")[2].removesuffix("p"))
    assert main(["cat", session]) == 0

    assert json.loads(capfd.readouterr().out.splitlines()[number - 1])["event_type"]["type"] == "FileCreate"


def test_a_session_that_is_only_in_a_ledger_can_be_read_by_the_steps(world, env, capfd, monkeypatch):
    world.commit("heat", 50, **{"heat.py": HEAT})
    session = world.session("s", world.wrote("heat.py", HEAT))
    ref = world.sync().ref
    world.stores().write.rm(session)
    assert main(["why", "heat.py:1"]) == 0
    steps = [li[2:] for li in capfd.readouterr().err.splitlines() if li.startswith("- ")]
    blob = subprocess.run(
        steps[0].partition(" | ")[0].split(), cwd=world.top, capture_output=True, check=True
    )
    assert hashlib.sha256(blob.stdout).hexdigest() == session
    assert steps[1].startswith(f"opensession cat os://src/local/{session} | sed -n 2p")

    env.git("init", "-q", "--bare", str(env.work / "shared.git"))
    world.git("push", "-q", str(env.work / "shared.git"), "main", ref)
    world.git("clone", "-q", "-b", "main", f"file://{env.work}/shared.git", str(env.work / "mine"))
    monkeypatch.chdir(env.work / "mine")
    assert main(["why", "heat.py:1", "--fetch", "origin"]) == 0
    [step] = [li[2:] for li in capfd.readouterr().err.splitlines() if li.startswith("- ")]
    assert main(["cat", step.split()[2]]) == 0
    assert hashlib.sha256(capfd.readouterr().out.encode()).hexdigest() == session


def test_hostile_words_reach_no_terminal(world, capsys):
    world.commit("heat\x1b[2J", 50, **{"heat.py": HEAT})
    world.session("\x1b]0;title\x07", world.said("\x1b[31mred\u202e"), world.wrote("heat.py", HEAT))
    world.sync()

    for words in (("why", "heat.py:1"), ("log",), ("why", "heat.py:1", "--json"), ("log", "--json")):
        _, out, err = run(capsys, *words)
        assert "red" in out or words[0] == "log"
        assert not {"\x1b", "\x07", "\u202e"} & {*out, *err}


def test_a_file_s_name_makes_no_line_of_its_own(world, capsys):
    world.commit("heat", 50, **{"heat\nsession 123.py": HEAT})

    out = run(capsys, "why", "heat\nsession 123.py:1")[1]
    assert out.startswith("heat\\x0asession 123.py:1 is from ")
    assert len(out.splitlines()) == 2


def test_a_clone_that_knows_no_session_is_told_where_to_ask(world, env, capsys):
    world.commit("heat", 50, **{"heat.py": HEAT})
    assert "--fetch" not in run(capsys, "why", "heat.py:1")[2], "there is no remote"
    world.git("remote", "add", "up", "/nowhere")
    assert "next:\n- opensession why --fetch up -- heat.py:1\n" in run(capsys, "why", "--", "heat.py:1")[2]
    world.git("remote", "add", "origin", "/nowhere")
    assert "next:\n- opensession why --fetch origin heat.py:1\n" in run(capsys, "why", "heat.py:1")[2]
    world.session("s", world.wrote("heat.py", HEAT))
    world.sync()
    assert "--fetch" not in run(capsys, "why", "heat.py:1")[2]


def test_where_a_shallow_clone_ends_is_said(world, env, monkeypatch, capsys):
    world.commit("heat", 50, **{"heat.py": HEAT})
    world.commit("kettle", 60, **{"kettle.py": KETTLE})
    assert "shallow" not in run(capsys, "why", "kettle.py:1")[1]
    env.git("clone", "-q", "--depth", "1", f"file://{world.top}", str(env.work / "mine"))
    monkeypatch.chdir(env.work / "mine")
    _, out, err = run(capsys, "why", "heat.py:1")
    assert "\nwhere this shallow clone ends: the line may be from an older commit\n" in out
    assert "next:\n- git fetch --unshallow\n" in err


def test_a_line_of_a_repository_inside_of_this_one_is_to_be_asked_about_there(world, env, capsys):
    world.commit("heat", 50, **{"heat.py": HEAT})
    inner = world.top / "libs" / "in ner"
    env.git("init", "-q", str(inner))
    (inner / "x.py").write_text("x = 1\n")
    code, _, err = run(capsys, "why", "libs/in ner/x.py:1")
    assert (code, "'libs/in ner/x.py' is in a repository of its own, 'libs/in ner'" in err) == (4, True)
    assert err.endswith(f"next:\n- cd '{inner}'\n- opensession why x.py:1\n")
    env.git(
        "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "i", cwd=inner
    )
    world.git("add", "libs/in ner")
    world.git("commit", "-q", "-m", "inner")
    code, _, err = run(capsys, "why", "libs/in ner:1")
    assert (code, "'libs/in ner' is no file with lines" in err, "fsck" in err) == (4, True, False)


def test_a_secret_keeps_a_session_out_until_it_is_allowed_or_replaced(world, capsys):
    commit = world.commit("heat", 50, **{"heat.py": HEAT, "kettle.py": KETTLE})
    key = "AKIA" + "Q3EGRI5KZ7WJ4N2P"
    session = world.session("a", world.said(f"use {key}"), world.wrote("heat.py", HEAT))
    clean = world.session("b", world.wrote("kettle.py", KETTLE))

    code, out, err = run(capsys, "link")
    assert (code, key in out + err) == (6, False)
    assert "- opensession link --redact" in err
    assert world.linked(commit) == {clean: 0.5}
    fingerprint = err.partition("--allow-secret ")[2].split()[0]
    code, out, _ = run(capsys, "link", "--json", "--allow-secret", fingerprint)
    assert (code, json.loads(out)["links"][0]["hash"]) == (0, session)
    assert world.linked(commit) == {session: 0.5, clean: 0.5}


def test_a_redacted_copy_is_recorded_where_that_is_asked_for(world, capsys):
    world.commit("heat", 50, **{"heat.py": HEAT})
    session = world.session("a", world.said("use AKIA" + "Q3EGRI5KZ7WJ4N2P"), world.wrote("heat.py", HEAT))

    code, out, _ = run(capsys, "link", "--redact", "--json")
    [link] = json.loads(out)["links"]
    assert code == 0
    assert link["hash"] != session
    code, out, _ = run(capsys, "why", "heat.py:1")
    assert (code, "REDACTED" in out) == (0, True)


def test_outside_of_a_repository_the_commands_say_so(env, capsys):
    for words in (("why", "a:1"), ("log",), ("link",)):
        code, _, err = run(capsys, *words)
        assert (code, "is not in a git repository" in err) == (4, True)


def test_honest_answers_where_nothing_is_known(world, capsys):
    world.commit("heat", 50, **{"heat.py": HEAT})
    (world.top / "heat.py").write_text(HEAT + "more = 1\n")
    (world.top / "new.py").write_text("x\n")

    assert run(capsys, "why", "heat.py:1")[:2] == (
        0,
        f"heat.py:1 is from {world.head()[:12]}  {at(50)}  Ada  heat\nno session is known for that commit\n",
    )
    assert run(capsys, "why", "heat.py:3")[1] == (
        "heat.py:3 is not committed yet, so no session is known for it\n"
    )
    code, _, err = run(capsys, "why", "new.py:1")
    assert (code, "git knows no file 'new.py'" in err) == (4, True)
    code, _, err = run(capsys, "why", "heat.py:40")
    assert (code, "has 3 lines" in err) == (4, True)
    code, out, _ = run(capsys, "log")
    assert (code, out.splitlines()[1]) == (0, "  no session is known")


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (10**14, f"@{10**14}")]
)
def test_a_commit_may_claim_any_time(seconds, shown):
    assert utc(seconds) == shown
