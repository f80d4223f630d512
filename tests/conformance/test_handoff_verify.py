"""`verify` accepts exactly what `build` made, and says which check does not hold."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from opensession import core
from opensession.actions.handoff import build, check, recent, sources, verify
from opensession.actions.handoff.check import FAILED, MISSING, NOT_CHECKED, OK
from opensession.errors import IntegrityError
from opensession.store import Store, Stores
from opensession.store.handoffs import Handoffs

DATA = Path(__file__).parents[1] / "data" / "handoff"


def built(store: Store, *files: Path) -> build.Built:
    stores = Stores([store])
    wanted = sources.Wanted([str(file) for file in files])
    here = recent.Here((), frozenset(), "nowhere")
    cited = sources.gather(stores, wanted, here=here, guide=lambda _: nullcontext(), jobs=1, progress=None)
    return build.build(store, cited, jobs=1)


@pytest.fixture
def store(env) -> Store:
    return Store(env.work / "store")


@pytest.fixture
def artifact(store) -> build.Built:
    return built(store, DATA / "interrupted.hail.jsonl", DATA / "plan-list.hail.jsonl")


def overwrite(path: Path, data: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(data)


def bad(verified: check.Verified) -> dict[str, str]:
    """The checks that do not hold, with their status."""
    return {each.name: each.status for each in verified.checks if each.status != OK}


def replaced(store: Store, data: bytes) -> str:
    """An artifact of other bytes under its own right address."""
    return Handoffs(store).put(data)[0]


def test_what_build_made_holds_in_every_check(store, artifact):
    verified = verify.in_store(Stores([store]), artifact.uri)
    assert (verified.ok, verified.exit_code, bad(verified)) == (True, 0, {})
    names = [each.name for each in verified.checks]
    one = [
        "source present", "source hash", "source canonical", "source valid", "source counts",
        "summary follows", "report follows",
    ]  # fmt: skip
    assert names == ["artifact hash", "artifact form", *one, *one, "artifact follows"]


def test_a_missing_source_is_4_and_the_other_is_still_checked(store, artifact):
    store.rm(artifact.sources[0], force=True)
    verified = verify.in_store(Stores([store]), artifact.uri)
    assert bad(verified) == {"source present": MISSING, "artifact follows": NOT_CHECKED}
    assert verified.exit_code == 4


def test_a_damaged_source_is_5_even_where_another_one_is_missing(store, artifact):
    store.rm(artifact.sources[0], force=True)
    path = store.path_of(artifact.sources[1])
    overwrite(path, path.read_bytes().replace(b"toaster", b"roaster", 1) + b" ")
    verified = verify.in_store(Stores([store]), artifact.uri)
    assert bad(verified)["source hash"] == FAILED
    assert verified.exit_code == 5


def test_another_session_in_place_of_a_source_is_found(store, artifact, hail):
    [other] = store.put_hail(hail.session())
    overwrite(store.path_of(artifact.sources[0]), other.path.read_bytes())
    assert bad(verify.in_store(Stores([store]), artifact.uri))["source hash"] == FAILED


@pytest.mark.parametrize(
    ("old", "new", "name", "field"),
    [
        (b'"objective":"', b'"objective":"not ', "summary follows", "objective does not follow"),
        (b'"passed":false', b'"passed":true', "report follows", "passed does not follow"),
        (b'"severity":"warning"', b'"severity":"fine"', "report follows", "findings[0].severity does not"),
        (b'"event_count":', b'"event_count":1', "source counts", "event_count does not follow"),
    ],
)
def test_a_summary_that_does_not_follow_is_found_though_every_hash_is_right(
    store, artifact, old, new, name, field
):
    data = artifact.path.read_bytes()
    assert old in data
    named = replaced(store, data.replace(old, new, 1))
    verified = verify.in_store(Stores([store]), named)
    found = bad(verified)
    assert found == {name: FAILED, "artifact follows": FAILED}
    assert any(field in each.detail for each in verified.checks)
    assert verified.exit_code == 5


def lines_of(artifact: build.Built) -> list[bytes]:
    return artifact.path.read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: [], "the artifact is empty"),
        (lambda lines: lines[:-1], "is not the last of 5"),
        (lambda lines: [*lines, lines[-1]], "is not the last of 5"),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "line 2 of the artifact belongs to another"),
        (lambda lines: [*lines[:3], lines[4], lines[3]], "line 4 of the artifact belongs to another"),
        (lambda lines: [lines[0], lines[3], *lines[2:]], "line 2 of the artifact is not a summary"),
        (lambda lines: [*lines[:-1], lines[-1][:-1]], "line 5 of the artifact has no end"),
        (lambda lines: [lines[0].replace(b":", b": ", 1), *lines[1:]], "is not canonical from byte"),
        (lambda lines: [lines[0].replace(b"{}", b'{"a":1}', 1), *lines[1:]], "members that do not belong"),
        (lambda lines: [b"{]\n", *lines[1:]], "line 1 of the artifact is no JSON"),
        (lambda lines: [b"[]\n", *lines[1:]], "line 1 of the artifact is no object"),
        (lambda lines: [lines[0].replace(b'"type":"artifact"', b'"type":"fact"'), *lines[1:]], "not the first"),
    ],
)  # fmt: skip
def test_lines_of_another_form_are_named(store, artifact, change, said):
    named = replaced(store, b"".join(change(lines_of(artifact))))
    verified = verify.in_store(Stores([store]), named)
    [form] = [each for each in verified.checks if each.name == "artifact form"]
    assert form.status == FAILED
    assert said in form.detail
    assert verified.exit_code == 5


@pytest.mark.parametrize(
    ("old", "new"), [(b'"rules-1"', b'"rules-2"'), (b'"handoff-1.0.0"', b'"handoff-2.0.0"')]
)
def test_rules_that_are_not_known_here_are_not_checked_and_10(store, artifact, old, new):
    named = replaced(store, artifact.path.read_bytes().replace(old, new))
    verified = verify.in_store(Stores([store]), named)
    assert [each.detail for each in verified.checks][-1] == f"needs {new.decode()[1:-1]}"
    assert (verified.exit_code, verified.ok) == (10, False)


def test_unknown_rules_in_damaged_bytes_are_5(store, artifact):
    overwrite(artifact.path, artifact.path.read_bytes().replace(b'"rules-1"', b'"rules-2"'))
    assert verify.in_store(Stores([store]), artifact.uri).exit_code == 5


def test_building_from_a_damaged_object_is_refused(store, artifact):
    path = store.path_of(artifact.sources[0])
    overwrite(path, path.read_bytes()[:-1] + b" ")
    cited = [sources.Cited(artifact.sources[0], {"kind": "address"})]
    with pytest.raises(IntegrityError, match="is damaged"):
        build.build(store, cited)


def flips(data: bytes):
    for bit in range(len(data) * 8):
        wrong = bytearray(data)
        wrong[bit // 8] ^= 1 << bit % 8
        yield bytes(wrong)


def in_memory(objects: dict[str, bytes]):
    @contextmanager
    def opened(source):
        if source.sha256 not in objects:
            yield None
            return
        with tempfile.TemporaryFile(buffering=0) as file:
            file.write(objects[source.sha256])
            file.seek(0)
            yield check.Opened(file.fileno(), None)

    return opened


@pytest.fixture
def small(hail):
    """A small artifact and the source it is about."""
    with tempfile.TemporaryFile(buffering=0) as file:
        core.canonicalize(hail.session(text="please toast"), file.fileno())
        file.seek(0)
        source = file.read()
    report = core.summarize(source)
    data, sha256 = core.artifact([report])
    return data, sha256, {report["sha256"]: source}


@pytest.mark.slow
def test_every_flipped_bit_of_an_artifact_is_found(small):
    data, sha256, objects = small
    holder = in_memory(objects)
    assert check.verify(data, sha256, holder, jobs=1).exit_code == 0
    for wrong in flips(data):
        assert check.verify(wrong, sha256, holder, jobs=1).exit_code == 5


def test_every_flipped_bit_of_a_source_is_found(small):
    data, sha256, objects = small
    [(address, source)] = objects.items()
    for wrong in flips(source):
        verified = check.verify(data, sha256, in_memory({address: wrong}), jobs=1)
        assert bad(verified)["source hash"] == FAILED
        assert verified.exit_code == 5


@pytest.mark.slow
def test_every_flipped_bit_of_an_artifact_is_found_though_its_name_was_changed_too(small):
    """Somebody who can rename the file can make the hash right; the sources then tell."""
    data, _, objects = small
    holder = in_memory(objects)
    for wrong in flips(data):
        verified = check.verify(wrong, core.copy(wrong)[0], holder, jobs=1)
        assert not verified.ok
        # 4 where the flip named another session, 10 where it named other rules.
        assert verified.exit_code in (4, 5, 10)
