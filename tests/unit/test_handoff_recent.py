"""Which sessions `--last` means: those of this repository, the newest first."""

from __future__ import annotations

import os

import pytest

from opensession import handoff
from opensession.actions.handoff import recent
from opensession.errors import NotFoundError
from opensession.store import Store, Stores


def at(second: int) -> str:
    return f"2026-01-02T03:05:{second:02}Z"


@pytest.fixture
def repo(env):
    env.git("init", "-q", "repo")
    folder = env.work / "repo"
    (folder / "src").mkdir()
    env.git("remote", "add", "origin", "git@git.example:ada/toaster.git", cwd=folder)
    return folder


def put(store: Store, hail, name: str, second: int, **attributes) -> str:
    [stored] = store.put_hail(hail.session(name, updated_at=at(second), attributes=attributes))
    return stored.sha256


def last(stores: Stores, folder, count: int, env) -> list[str]:
    return [entry.sha256 for entry in recent.sessions(stores, recent.here(folder, os.environ), count)]


def test_a_session_belongs_by_its_folder_or_by_its_remote(env, hail, repo):
    store = Store(env.work / "store")
    inside = put(store, hail, "inside", 1, cwd=str(repo / "src"))
    top = put(store, hail, "top", 2, cwd=str(repo))
    put(store, hail, "beside", 3, cwd=str(repo) + "-other")
    put(store, hail, "above", 4, cwd=str(env.work))
    by_remote = put(
        store, hail, "remote", 5, cwd="/elsewhere", git={"remote": "ssh://git@git.example/ada/toaster"}
    )
    put(store, hail, "other", 6, git={"remote": "https://git.example/ada/kettle.git"})
    put(store, hail, "nowhere", 7)
    put(store, hail, "escaping", 8, cwd=f"{repo}/../elsewhere")
    assert last(Stores([store]), repo / "src", 9, env) == [by_remote, top, inside]
    assert last(Stores([store]), repo, 1, env) == [by_remote]


def test_linked_work_trees_are_one_repository(env, hail, repo):
    store = Store(env.work / "store")
    env.git("commit", "-q", "--allow-empty", "-m", "x", cwd=repo)
    env.git("worktree", "add", "-q", "../linked", cwd=repo)
    linked = env.work / "linked"
    main = put(store, hail, "main", 1, cwd=str(repo))
    tree = put(store, hail, "tree", 2, cwd=str(linked / "src"))
    for folder in (repo, linked):
        assert last(Stores([store]), folder, 9, env) == [tree, main]


def test_a_session_in_a_repository_inside_of_another_belongs_to_the_inner_one(env, hail, repo):
    store = Store(env.work / "store")
    inner = repo / "src" / "inner"
    env.git("init", "-q", str(inner))
    (inner / "deep").mkdir()
    theirs = put(store, hail, "inner", 1, cwd=str(inner / "deep"))
    ours = put(store, hail, "outer", 2, cwd=str(repo / "src"))
    gone = put(store, hail, "gone", 3, cwd=str(repo / "src" / "gone"))
    odd = put(store, hail, "odd", 4, cwd=f"{repo}/a\0b")
    assert last(Stores([store]), repo, 9, env) == [odd, gone, ours]
    assert last(Stores([store]), inner, 9, env) == [theirs]
    assert len(last(Stores([store]), env.work, 9, env)) == 4, "outside of any, the folder decides"


def test_outside_of_a_repository_the_folder_decides(env, hail):
    store = Store(env.work / "store")
    here = put(store, hail, "here", 1, cwd=str(env.work / "a"))
    put(store, hail, "there", 2, cwd="/elsewhere")
    assert last(Stores([store]), env.work, 9, env) == [here]
    with pytest.raises(NotFoundError, match="no stored session belongs to the folder"):
        last(Stores([store]), env.home, 1, env)


def test_equal_times_are_ordered_by_address_over_all_stores(env, hail, repo):
    one, two = Store(env.work / "one"), Store(env.work / "two")
    names = [put(one, hail, "a", 1, cwd=str(repo)), put(two, hail, "b", 1, cwd=str(repo))]
    names.append(put(one, hail, "c", 1, cwd=str(repo)))
    assert last(Stores([two, one]), repo, 9, env) == sorted(names)


def test_a_superseded_reading_of_a_log_is_not_counted(env, hail, repo):
    store = Store(env.work / "store")
    ledger = {"agent": "toaster", "bytes": 10, "blake3": "0" * 64, "records": {"read": 0, "mapped": 0}}
    found = []
    for parser in (1, 2):
        data = hail.session(
            "s", source={**ledger, "parser": f"toaster/{parser}"}, attributes={"cwd": str(repo)}
        )
        [stored] = store.put_hail(data)
        found.append(stored.sha256)
    assert last(Stores([store]), repo, 9, env) == [found[1]]


def test_what_another_store_holds_is_registered_before_it_is_cited(env, hail, repo, monkeypatch):
    shared = Store(env.store)
    sha256 = put(shared, hail, "s", 1, cwd=str(repo))
    monkeypatch.chdir(repo)
    built = handoff.build(last=1)
    own = Store(repo / ".git" / "opensession")
    assert built.sources == (sha256,)
    assert own.has(sha256)
    assert handoff.verify(built.uri, store=own).ok
    [artifact] = handoff.artifacts(store=own).artifacts
    assert artifact.sources == 1


def test_an_object_that_is_not_canonical_is_cited_by_its_canonical_form(env, hail, repo, monkeypatch):
    import hashlib
    import json

    data = hail.session("s")
    old = hashlib.sha256(data).hexdigest()
    path = repo / ".opensession" / "objects" / "sha256" / old[:2] / old[2:4] / f"{old}.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    monkeypatch.chdir(repo)
    built = handoff.build(sessions=[old])
    assert built.sources != (old,)
    assert handoff.verify(built.uri).ok
    origin = json.loads(built.path.with_name(f"{built.sha256}.origin.json").read_text())
    assert [(row["sha256"], row["uri"]) for row in origin["sources"]] == [
        (built.sources[0], f"os://src/local/{old}")
    ]
