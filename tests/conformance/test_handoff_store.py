"""Artifacts and aliases in a store: what is pinned stays, what is damaged is said, nothing else is touched."""

from __future__ import annotations

import hashlib
import os
import stat

import pytest

from opensession.errors import IntegrityError, NotFoundError, RefusedError, UsageError
from opensession.store import Store, Stores
from opensession.store.handoffs import Handoffs, find

ONE, TWO = b'{"sources":[],"type":"artifact"}\n', b'{"sources":[],"type":"artifact","x":2}\n'


@pytest.fixture
def handoffs(env) -> Handoffs:
    return Handoffs(Store(env.work / "store"))


def pin_file(handoffs: Handoffs, alias: str):
    return handoffs.store.root / "artifacts" / "pins" / alias


def test_what_was_put_is_read_under_its_hash(handoffs):
    sha256, existed = handoffs.put(ONE)
    assert (sha256, existed) == (hashlib.sha256(ONE).hexdigest(), False)
    assert handoffs.put(ONE) == (sha256, True)
    assert handoffs.read(sha256) == ONE
    assert handoffs.addresses() == [sha256]
    assert stat.S_IMODE(handoffs.path_of(sha256).stat().st_mode) == 0o400


def test_damaged_bytes_are_never_read(handoffs):
    sha256, _ = handoffs.put(ONE)
    handoffs.path_of(sha256).chmod(0o600)
    handoffs.path_of(sha256).write_bytes(TWO)
    with pytest.raises(IntegrityError, match="is damaged"):
        handoffs.read(sha256)


def test_the_origin_lies_beside_the_artifact_and_changes_nothing(handoffs):
    sha256, _ = handoffs.put(ONE)
    handoffs.put_origin(sha256, b"{}\n")
    handoffs.put_origin(sha256, b'{"sources":[]}\n')
    assert handoffs.origin(sha256) == b'{"sources":[]}\n'
    assert handoffs.read(sha256) == ONE
    assert handoffs.store.fsck().findings == ()


def test_an_alias_moves_and_tells_where_it_was(handoffs):
    one, two = handoffs.put(ONE)[0], handoffs.put(TWO)[0]
    assert handoffs.pin("latest", one) is None
    assert handoffs.pin("latest", two) == one
    assert handoffs.pinned("latest") == two
    assert pin_file(handoffs, "latest").read_text() == f"{two}\n"
    assert handoffs.unpin("latest") == two
    assert handoffs.pinned("latest") is None


@pytest.mark.parametrize("alias", ["", ".x", "-x", "a b", "a/b", "a\n", "ü", "x" * 65, "a" * 64, "0" * 64])
def test_what_is_no_alias_is_refused_before_anything_is_written(handoffs, alias):
    with pytest.raises(UsageError, match="is no alias"):
        handoffs.pin(alias, "0" * 64)
    assert not handoffs.store.root.exists()


def test_aliases_that_differ_only_in_case_are_refused(handoffs):
    one = handoffs.put(ONE)[0]
    handoffs.pin("Latest", one)
    with pytest.raises(RefusedError, match="differs from 'latest' only in case"):
        handoffs.pin("latest", one)
    handoffs.pin("Latest", one)


def test_only_an_artifact_that_is_here_can_be_pinned(handoffs):
    with pytest.raises(NotFoundError):
        handoffs.pin("latest", "0" * 64)


def test_a_pinned_artifact_is_not_removed_and_the_aliases_are_named(handoffs):
    one, two = handoffs.put(ONE)[0], handoffs.put(TWO)[0]
    handoffs.pin("a", one)
    handoffs.pin("b", one)
    handoffs.rm(two)
    with pytest.raises(RefusedError, match="pinned as a, b") as caught:
        handoffs.rm(one)
    assert caught.value.exit_code == 6
    handoffs.unpin("a")
    handoffs.unpin("b")
    handoffs.put_origin(one, b"{}\n")
    assert handoffs.rm(one) == len(ONE)
    assert not list(handoffs.store.root.glob("artifacts/sha256/*/*/*"))


@pytest.mark.parametrize(
    "damage",
    [b"", b"latest\n", b"0" * 64, b"A" * 64 + b"\n", b"0" * 65 + b"\n", b"0" * 64 + b"\n\n", b"\xff" * 65],
)
def test_a_damaged_alias_is_an_integrity_error_and_can_be_taken_away(handoffs, damage):
    one = handoffs.put(ONE)[0]
    handoffs.pin("good", one)
    handoffs.pin("bad", one)
    pin_file(handoffs, "bad").chmod(0o600)
    pin_file(handoffs, "bad").write_bytes(damage)
    for ask in (lambda: handoffs.pinned("bad"), handoffs.pins, lambda: handoffs.rm(one)):
        with pytest.raises(IntegrityError, match="the alias 'bad' is damaged"):
            ask()
    assert handoffs.pinned("good") == one, "another alias is not affected"
    assert handoffs.damaged_pins() == ["bad"]
    assert handoffs.unpin("bad") is None
    assert [pin.alias for pin in handoffs.pins()] == ["good"]


def test_an_alias_that_points_at_nothing_was_changed_by_somebody(handoffs):
    one = handoffs.put(ONE)[0]
    handoffs.pin("latest", one)
    other = ("1" if one[0] != "1" else "2") + one[1:]
    pin_file(handoffs, "latest").chmod(0o600)
    pin_file(handoffs, "latest").write_text(f"{other}\n")
    with pytest.raises(IntegrityError, match="which is not here"):
        handoffs.pinned("latest")


def test_every_flipped_bit_of_an_alias_is_found(handoffs):
    one = handoffs.put(ONE)[0]
    handoffs.pin("latest", one)
    file = pin_file(handoffs, "latest")
    right = file.read_bytes()
    file.chmod(0o600)
    for bit in range(len(right) * 8):
        wrong = bytearray(right)
        wrong[bit // 8] ^= 1 << bit % 8
        file.write_bytes(wrong)
        with pytest.raises(IntegrityError):
            handoffs.pinned("latest")


def test_a_link_in_place_of_an_alias_is_not_followed(handoffs):
    one = handoffs.put(ONE)[0]
    handoffs.pin("latest", one)
    os.rename(pin_file(handoffs, "latest"), handoffs.store.root / "elsewhere")
    pin_file(handoffs, "latest").symlink_to(handoffs.store.root / "elsewhere")
    with pytest.raises(IntegrityError):
        handoffs.pinned("latest")


def test_a_name_means_a_uri_then_a_hash_then_an_alias_in_the_first_store_that_has_it(env):
    first, second = Handoffs(Store(env.work / "a")), Handoffs(Store(env.work / "b"))
    stores = Stores([first.store, second.store])
    one, two = first.put(ONE)[0], second.put(TWO)[0]
    first.pin("latest", one)
    second.pin("latest", two)
    second.pin("older", two)
    for named, sha256 in [
        (f"os://artifact/{two}", two), (two, two), ("latest", one), ("older", two), (one, one)
    ]:  # fmt: skip
        assert find(stores, named).sha256 == sha256
    with pytest.raises(NotFoundError, match="no artifact or alias 'nothing'"):
        find(stores, "nothing")
    with pytest.raises(UsageError):
        find(stores, f"os://src/local/{one}")


def test_a_session_that_an_artifact_cites_stays(env, hail):
    store = Store(env.work / "store")
    [session] = store.put_hail(hail.session())
    cites = b'{"sources":[{"sha256":"%s"}],"type":"artifact"}\n' % session.sha256.encode()
    sha256, _ = Handoffs(store).put(cites)
    with pytest.raises(RefusedError, match=f"cited by os://artifact/{sha256}"):
        store.rm(session.sha256)
    assert store.gc(apply=True, sessions=True, older_than=0, now=4e9).kept_cited == 1
    Handoffs(store).rm(sha256)
    store.rm(session.sha256)


def test_a_session_that_is_cited_while_old_ones_are_collected_stays(env, hail, monkeypatch):
    """An artifact that becomes visible after gc has looked at the citations still keeps its sources."""
    from opensession.store import removal

    store = Store(env.work / "store")
    [session] = store.put_hail(hail.session())
    cites = b'{"sources":[{"sha256":"%s"}],"type":"artifact"}\n' % session.sha256.encode()
    looked = removal.citations

    def look_and_then_build(root):
        found = looked(root)
        Handoffs(store).put(cites)
        return found

    monkeypatch.setattr(removal, "citations", look_and_then_build)
    report = store.gc(apply=True, sessions=True, older_than=0, now=4e9)
    assert (report.kept_cited, report.items) == (1, ())
    assert store.has(session.sha256)


def test_a_session_that_is_removed_while_a_handoff_is_built_is_said(env, hail, monkeypatch):
    from opensession import handoff

    store = Store(env.work / "store")
    [session] = store.put_hail(hail.session())
    put = Handoffs.put

    def remove_and_put(self, data):
        store.rm(session.sha256)
        return put(self, data)

    monkeypatch.setattr(Handoffs, "put", remove_and_put)
    with pytest.raises(NotFoundError, match="was removed while the handoff was being stored"):
        handoff.build(sessions=[session.uri], pin="latest", store=store)
    assert Handoffs(store).pins() == []
