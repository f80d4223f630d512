"""The checks of `doctor`: facts in, levels and steps out."""

from __future__ import annotations

from pathlib import Path

import pytest

from opensession.actions.setup import checks, checks_machine, consent, hook, modes, place
from opensession.actions.setup.checks import Level
from opensession.actions.setup.facts import CloneFacts, RefFacts, RemoteFact
from opensession.actions.setup.machine import Daemon, GitFacts, LogFolder, MachineFacts, StoreFacts
from opensession.actions.setup.place import HookFile, Place
from opensession.actions.setup.shim import Shim
from opensession.config import Config, Ignored
from opensession.errors import RefusedError
from opensession.store.health import Health

ROOT, ORIGIN = Path("/r"), RemoteFact("origin", ("https://host/o/r",), mirror=False, problem=None)
CONFIG = Config(ROOT / ".opensession/config.toml", None, {}, (), trusted=False)


def a_hook(kind=hook.Kind.CURRENT, path=ROOT / ".git/hooks/pre-push", executable=True):
    data = None if kind is hook.Kind.ABSENT else b"text"
    return HookFile(path, kind, data, 0o755, executable, "1.0badcafe")


def a_place(kind=hook.Kind.CURRENT, **more):
    entry = a_hook(kind)
    facts = {"origin": "usual", "off": False, "closed": None, "calls_us": False, "ours": entry} | more
    return Place(ROOT / ".git/hooks", entry=entry, **facts)


def a_clone(**more):
    facts = {
        "mode": "hidden_ref",
        "own_modes": ("hidden_ref",),
        "grants": ("origin https://host/o/r",),
        "remotes": (ORIGIN,),
        "hook": a_place(),
        "branch": "main",
        "ledger_branch": "main",
        "ledger_ref": "refs/opensession/branches/bWFpbg",
        "refs": RefFacts(2, notes=False, tracked=0, mirrored=1, branches=("main",)),
        "ignores_case": False,
        "ignored": True,
        "raw": True,
    }
    return CloneFacts(
        ROOT,
        ROOT / ".git",
        bare=False,
        exclude=ROOT / ".git/info/exclude",
        exclude_data=b"",
        **{**facts, **more},
    )


def a_shim(name="opensession", **more):
    facts = {"exists": True, "ours": True, "target": "/usr/bin/python3", "works": True, "current": True}
    return Shim(Path("/home/ada/bin") / name, **{**facts, **more})


def a_daemon(**more):
    facts = {"program": None, "pid_file": Path("/home/ada/daemon.pid"), "text": None, "pid": None}
    return Daemon(**{**facts, "alive": False, "ours": None, **more})


WHOLE = Health(exists=True, problem=None, open_to_others=(), sampled=3, damaged=(), cache=None)


def a_machine(**more):
    facts = {
        "program": Path("/usr/bin/opensession"),
        "interpreter": "/usr/bin/python3",
        "git": GitFacts("/usr/bin/git", (2, 50, 1), mended=False),
        "shims": (a_shim(), a_shim("ops")),
        "on_path": True,
        "daemon": a_daemon(),
        "logs": (LogFolder("Toaster", Path("/home/ada/.toaster"), exists=True),),
        "stores": (StoreFacts(ROOT / "store", WHOLE, 90 << 30),),
        "config": CONFIG,
    }
    return MachineFacts(**{**facts, **more})


def clone(label, **facts):
    return [check for check in checks.clone_checks(a_clone(**facts)) if check.label == label]


def machine(label, **facts):
    found = a_machine(**facts)
    every = [*checks_machine.launcher_checks(found), *checks_machine.machine_checks(found)]
    return [check for check in every if check.label == label]


def test_a_clone_and_a_machine_that_are_set_up_have_no_issue():
    found = [*checks.clone_checks(a_clone()), *checks_machine.launcher_checks(a_machine())]
    found += checks_machine.machine_checks(a_machine())
    assert [check for check in found if check.issue] == []
    assert [check.label for check in found] == [
        "opensession hooks", "hook executable", "hook version", "fanout mode", "fan-out consent", "review readiness",
        "ignored by git", "mirror pushes", "branch names", "current branch", "expected ledger ref",
        "opensession shim", "ops shim", "active binary", "daemon program", "daemon", "git version", "agents' logs",
        "store", "disk space", "configuration", "server",
    ]  # fmt: skip


def test_the_page_names_every_check_and_the_lines_for_a_tracked_hook():
    page = (Path(__file__).parents[2] / "docs" / "setup.md").read_text()
    for check in [*checks.clone_checks(a_clone()), *checks_machine.machine_checks(a_machine())]:
        assert check.label in page
    assert "\n".join(place.LINES) in page


@pytest.mark.parametrize(
    ("label", "facts", "level"),
    [
        ("opensession hooks", {"hook": a_place(hook.Kind.ABSENT)}, Level.WARN),
        ("opensession hooks", {"hook": a_place(hook.Kind.FOREIGN)}, Level.WARN),
        ("opensession hooks", {"hook": a_place(off=True, origin="global")}, Level.WARN),
        ("opensession hooks", {"hook": RefusedError("no")}, Level.FAIL),
        ("hook version", {"hook": a_place(hook.Kind.OUTDATED)}, Level.WARN),
        ("hook version", {"hook": a_place(hook.Kind.EDITED)}, Level.WARN),
        ("fanout mode", {"mode": None}, Level.OK),
        ("fanout mode", {"mode": "carrier pigeon"}, Level.WARN),
        ("fan-out consent", {"remotes": ()}, Level.INFO),
        ("fan-out consent", {"grants": ()}, Level.INFO),
        ("fan-out consent", {"grants": ("origin https://elsewhere/o/r",)}, Level.WARN),
        ("fan-out consent", {"remotes": (ORIGIN._replace(normal=(), problem="no address"),)}, Level.INFO),
        ("review readiness", {"hook": a_place(hook.Kind.ABSENT)}, Level.WARN),
        (
            "review readiness",
            {"refs": RefFacts(0, notes=False, tracked=0, mirrored=0, branches=())},
            Level.INFO,
        ),
        ("ignored by git", {"ignored": False}, Level.WARN),
        ("ignored by git", {"ignored": False, "raw": False}, Level.INFO),
        ("mirror pushes", {"remotes": (ORIGIN._replace(mirror=True),)}, Level.WARN),
        ("current branch", {"branch": None}, Level.INFO),
        ("ledger branch", {"branch": None, "ledger_branch": "detached@0badcafe"}, Level.INFO),
        ("ledger branch", {"branch": None, "ledger_branch": None, "ledger_ref": None}, Level.INFO),
    ],
)
def test_what_is_wrong_with_a_clone_is_told_at_its_level(label, facts, level):
    (check,) = clone(label, **facts)
    assert check.level is level
    assert check.steps or level in (Level.OK, Level.INFO, Level.FAIL)


@pytest.mark.parametrize(("count", "told"), [(0, "(0 ledgers)"), (1, "(1 ledger)"), (2, "(2 ledgers)")])
def test_ledgers_are_counted_in_words_that_fit(count, told):
    (check,) = clone("mirror pushes", refs=RefFacts(count, notes=False, tracked=0, mirrored=0, branches=()))
    assert told in check.text
    stores = (StoreFacts(ROOT / "store", WHOLE._replace(sampled=count), 90 << 30),)
    (check,) = machine("store", stores=stores)
    assert told[1:-1].replace("ledger", "object") + " looked at" in check.text


@pytest.mark.parametrize(
    ("label", "facts", "level"),
    [
        ("opensession shim", {"shims": (a_shim(exists=False), a_shim("ops"))}, Level.WARN),
        ("opensession shim", {"shims": (a_shim(works=False), a_shim("ops"))}, Level.WARN),
        ("opensession shim", {"shims": (a_shim(ours=False), a_shim("ops"))}, Level.WARN),
        ("opensession shim", {"shims": (a_shim(current=False), a_shim("ops"))}, Level.OK),
        ("ops shim", {"shims": (a_shim(), a_shim("ops", exists=False))}, Level.INFO),
        ("daemon program", {"daemon": a_daemon(program="/usr/bin/opensession-daemon")}, Level.OK),
        ("daemon", {"daemon": a_daemon(text="77", pid=77, alive=True, ours=True)}, Level.OK),
        ("daemon", {"daemon": a_daemon(text="77", pid=77, alive=True, ours=False)}, Level.INFO),
        ("daemon", {"daemon": a_daemon(text="77", pid=77)}, Level.INFO),
        ("daemon", {"daemon": a_daemon(text="soon")}, Level.FAIL),
        ("git version", {"git": GitFacts(None, (), mended=False)}, Level.FAIL),
        ("git version", {"git": GitFacts("/usr/bin/git", (2, 38, 5), mended=True)}, Level.FAIL),
        ("git version", {"git": GitFacts("/usr/bin/git", (2, 39, 5), mended=False)}, Level.WARN),
        ("git version", {"git": GitFacts("/usr/bin/git", (2, 39, 5), mended=True)}, Level.OK),
        ("git version", {"git": GitFacts("/usr/bin/git", (2, 47, 2), mended=False)}, Level.WARN),
        ("git version", {"git": GitFacts("/usr/bin/git", (2, 47, 3), mended=False)}, Level.OK),
        ("git version", {"git": GitFacts("/usr/bin/git", (2, 50), mended=False)}, Level.WARN),
        ("git version", {"git": GitFacts("/usr/bin/git", (2, 51), mended=False)}, Level.OK),
        ("git version", {"git": GitFacts("/usr/bin/git", (3, 0), mended=False)}, Level.OK),
        ("agents' logs", {"logs": (LogFolder("Toaster", Path("/t"), exists=False),)}, Level.INFO),
        (
            "store",
            {"stores": (StoreFacts(ROOT, WHOLE._replace(problem=RefusedError("newer")), 1),)},
            Level.FAIL,
        ),
        ("store", {"stores": (StoreFacts(ROOT, WHOLE._replace(damaged=("ab" * 32,)), 1),)}, Level.FAIL),
        ("store", {"stores": (StoreFacts(ROOT, WHOLE._replace(open_to_others=(ROOT,)), 1),)}, Level.WARN),
        ("store", {"stores": (StoreFacts(ROOT, WHOLE._replace(cache="not a database"), 1),)}, Level.WARN),
        ("store", {"stores": (StoreFacts(ROOT, WHOLE._replace(exists=False), 1),)}, Level.OK),
        ("disk space", {"stores": (StoreFacts(ROOT, WHOLE, 1 << 20),)}, Level.FAIL),
        ("disk space", {"stores": (StoreFacts(ROOT, WHOLE, 200 << 20),)}, Level.WARN),
        ("disk space", {"stores": (StoreFacts(ROOT, WHOLE, None),)}, Level.INFO),
        ("configuration", {"config": RefusedError("no TOML")}, Level.FAIL),
        ("configuration", {"config": CONFIG._replace(sha256="0", ignored=(Ignored("x", "y"),))}, Level.INFO),
        ("server", {"config": CONFIG._replace(values={"share.base_url": "https://host"})}, Level.INFO),
        ("server", {"config": CONFIG._replace(values={"share.base_url": "nowhere"})}, Level.FAIL),
    ],
)
def test_what_is_wrong_with_a_machine_is_told_at_its_level(label, facts, level):
    assert [check.level for check in machine(label, **facts)] == [level]


def test_hidden_refs_are_counted_by_where_they_are():
    (check,) = clone("review readiness", refs=RefFacts(3, notes=False, tracked=1, mirrored=2, branches=()))
    assert check.text == "hidden-fanout=ok hidden-refs=present (3 own, 2 mirrored, 1 fetched)"


def test_without_hidden_refs_a_command_is_given_that_fetches_them():
    (check,) = clone("review readiness", refs=RefFacts(0, notes=False, tracked=0, mirrored=0, branches=()))
    assert check.steps == ("opensession log --fetch origin",)


@pytest.mark.parametrize(("ignores_case", "level"), [(False, Level.INFO), (True, Level.WARN)])
def test_branches_that_differ_by_case_matter_where_the_disk_ignores_it(ignores_case, level):
    refs = RefFacts(0, notes=False, tracked=0, mirrored=0, branches=("aab", "Fix", "fix"))
    (check,) = clone("branch names", refs=refs, ignores_case=ignores_case)
    assert (check.level, "'Fix' and 'fix'" in check.text) == (level, True)


def test_a_hook_that_git_would_ignore_is_told_with_the_command_that_mends_it():
    entry = a_hook(executable=False)
    (check,) = clone("hook executable", hook=a_place(ours=entry)._replace(entry=entry))
    assert (check.level, check.steps) == (Level.WARN, ("chmod +x /r/.git/hooks/pre-push",))


def test_a_tracked_hook_that_runs_ours_is_right():
    ours = a_hook(path=ROOT / ".git/opensession-hooks/pre-push")
    tracked = a_hook(hook.Kind.FOREIGN, ROOT / ".githooks/pre-push")
    place = Place(ROOT / ".githooks", "local", False, tracked, "it is in the working tree", True, ours)
    assert [check.level for check in checks.hook_checks(place)] == [Level.OK] * 3


@pytest.mark.parametrize("spelling", ["git_notes", "GIT-NOTES", " notes ", "note", "2"])
def test_every_spelling_of_a_mode_is_understood(spelling):
    assert modes.mode_of(spelling) == "git_notes"


@pytest.mark.parametrize("spelling", [None, "", "hidden", "1", "pigeon"])
def test_what_is_no_mode_means_hidden_refs(spelling):
    assert modes.mode_of(spelling) == "hidden_ref"


def test_consent_is_for_a_name_and_an_address_and_both_must_be_the_same():
    values = ["origin https://host/o/r", "up git@host:o/up.git", "nothing", ""]
    assert consent.is_granted("origin", "https://host/o/r", values)
    assert consent.is_granted("up", "https://host/o/up", values)
    assert not consent.is_granted("origin", "https://host/o/other", values)
    assert not consent.is_granted("other", "https://host/o/r", values)
    assert not consent.is_granted("origin", None, values)


def test_an_address_in_the_configuration_holds_no_password():
    normal = consent.normal_of("https://ada:hunter2@host/o/r.git")
    assert normal == "https://host/o/r"


@pytest.mark.parametrize(
    ("address", "normal"),
    [
        ("../remote.git", "file:///w/remote"),
        ("/srv/a b.git/", "file:///srv/a%20b"),
        ("ext::sh -c id", None),
        ("host:o/r", "https://host/o/r"),
    ],
)
def test_paths_have_an_address_too_and_helpers_have_none(address, normal):
    assert consent.normal_of(address, "/w/clone") == normal


def test_a_changed_address_and_one_more_of_a_remote_are_told_apart():
    moved = consent.standing("origin", ["https://new/r"], ["origin https://old/r"])
    assert (moved.changed, [g.value for g in moved.missing]) == (True, ["origin https://new/r"])
    second = consent.standing("origin", ["https://a/r", "https://b/r"], ["origin https://a/r"])
    assert (second.changed, [g.value for g in second.missing]) == (False, ["origin https://b/r"])
