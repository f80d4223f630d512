"""One file that proves itself: the same bytes for the same artifact, and nothing but what `export` writes is accepted."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from opensession import core, handoff
from opensession.actions.handoff import bundle
from opensession.errors import InputMissingError, IntegrityError, NotFoundError, OpensessionError
from opensession.store import Store

DATA = Path(__file__).parents[1] / "data" / "handoff"
FILES = [DATA / "interrupted.hail.jsonl", DATA / "plan-list.hail.jsonl"]


@pytest.fixture
def store(env) -> Store:
    return Store(env.work / "store")


@pytest.fixture
def built(store):
    return handoff.build(*FILES, store=store, pin="latest")


@pytest.fixture
def packed(env, store, built) -> Path:
    out = env.work / "x.tar.zst"
    handoff.export("latest", out, store=store)
    return out


def unpack(packed: Path, out: Path) -> bytes:
    with out.open("wb") as file:
        core.unpack(str(packed), file.fileno())
    return out.read_bytes()


def repack(env, tar: bytes) -> Path:
    path = env.work / "changed.tar.zst"
    with path.open("wb") as file:
        core.pack([tar], file.fileno())
    return path


def refused(env, path: Path) -> str:
    """What both `verify` and `import` say; nothing became visible."""
    fresh = Store(env.work / "fresh")
    said = set()
    for ask in (lambda: _verify(path), lambda: handoff.import_(path, store=fresh)):
        with pytest.raises(IntegrityError) as caught:
            ask()
        said.add(caught.value.message)
    assert list(fresh.ls()) == []
    assert handoff.artifacts(store=fresh).artifacts == ()
    assert not list(fresh.root.rglob(".tmp-*"))
    return " | ".join(said)


def _verify(path: Path) -> None:
    verified = handoff.verify(path)
    assert verified.exit_code == 5
    raise IntegrityError(next(each.detail for each in verified.checks if each.status != "ok"))


def test_it_is_a_plain_archive_that_other_programs_read(env, store, built, packed):
    found = members(unpack(packed, env.work / "x.tar"))
    assert [info.name for info, _ in found] == [
        f"artifact/{built.sha256}.jsonl",
        *(f"sessions/{source}.jsonl" for source in built.sources),
    ]
    owners = {(m.mode, m.uid, m.gid, m.uname, m.gname, m.mtime) for m, _ in found}
    assert owners == {(0o444, 0, 0, "", "", 0)}
    assert found[1][1] == store.path_of(built.sources[0]).read_bytes()


def test_the_same_artifact_gives_the_same_file_on_another_machine(env, store, packed):
    other = Store(env.work / "other" / "place")
    imported = handoff.import_(packed, store=other)
    assert not imported.existed
    again = env.work / "again.tar.zst"
    handoff.export(imported.uri, again, store=other)
    assert again.read_bytes() == packed.read_bytes()
    assert handoff.verify(imported.uri, store=other).ok
    assert handoff.import_(packed, store=other).existed
    assert handoff.artifacts(store=other).artifacts[0].pins == (), "aliases stay where they are"


def test_it_is_verified_without_any_store(env, packed, built):
    verified = handoff.verify(packed)
    assert (verified.ok, verified.uri) == (True, built.uri)
    assert len(verified.checks) == 2 + 7 * 2 + 1
    assert not env.store.exists()


def test_its_page_is_read_without_any_store(env, store, packed):
    assert handoff.get(packed).markdown() == handoff.get("latest", store=store).markdown()
    assert handoff.get("./x.tar.zst").data == handoff.get("latest", store=store).data
    page = env.run("handoff", "artifacts", "get", "x.tar.zst", "--format", "markdown")
    assert page.stdout.decode() == handoff.get(packed).markdown()
    raw = env.run("handoff", "artifacts", "get", "x.tar.zst", "--format", "raw")
    assert (raw.returncode, raw.stdout) == (2, b"")
    assert b"- opensession handoff artifacts import x.tar.zst\n" in raw.stderr
    assert not env.store.exists()


def test_a_missing_source_is_not_exported_and_no_file_is_left(env, store, built):
    store.rm(built.sources[1], force=True)
    with pytest.raises(NotFoundError, match="is not here"):
        handoff.export("latest", env.work / "x.tar.zst", store=store)
    assert not list(env.work.glob("*x.tar.zst*"))


def test_a_damaged_source_is_not_exported_and_no_file_is_left(env, store, built):
    path = store.path_of(built.sources[1])
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    with pytest.raises(IntegrityError, match="is damaged"):
        handoff.export("latest", env.work / "x.tar.zst", store=store)
    assert not list(env.work.glob("*x.tar.zst*"))


def test_every_cut_is_refused(env, packed):
    data = packed.read_bytes()
    for end in [*range(40), *range(40, len(data), 97), len(data) - 1]:
        cut = env.work / "cut.tar.zst"
        cut.write_bytes(data[:end])
        refused(env, cut)


def test_flipped_bits_all_over_the_file_are_found(env, packed):
    data = bytearray(packed.read_bytes())
    for at in range(0, len(data), 41):
        data[at] ^= 1 << at % 8
        changed = env.work / "flipped.tar.zst"
        changed.write_bytes(data)
        data[at] ^= 1 << at % 8
        try:
            verified = handoff.verify(changed)
        except OpensessionError as error:
            assert error.exit_code == 5
        else:
            # Bits of the frame's own header may say nothing about what is inside.
            assert verified.exit_code == 5 or at < 16


def members(tar: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        return [(info, archive.extractfile(info).read()) for info in archive]


def plain(parts: list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """The archive that `export` would write of these members."""
    return (
        b"".join(
            bundle.header(info.name, len(data)) + data + bundle.padding(len(data)) for info, data in parts
        )
        + bundle.END
    )


def _renamed(name: str):
    def change(parts):
        parts[1][0].name = name
        return plain(parts)

    return change


def _linked(parts):
    link = tarfile.TarInfo(parts[1][0].name)
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    tar = plain(parts)
    at = tar.index(b"sessions/")
    return tar[:at] + link.tobuf(tarfile.GNU_FORMAT) + tar[at + 512 :]


def _owned(parts):
    tar = plain(parts)
    info, _data = parts[0]
    info.uid, info.mtime = 1000, 7
    return info.tobuf(tarfile.GNU_FORMAT) + tar[512:]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_renamed("sessions/../../x.jsonl"), "a source is not as export writes it"),
        (_renamed("/etc/passwd"), "a source is not as export writes it"),
        (_renamed(f"sessions/{'0' * 64}.jsonl"), "a source is not as export writes it"),
        (_linked, "a source is not as export writes it"),
        (_owned, "does not begin with an artifact as export writes it"),
        (lambda parts: plain([parts[0], parts[2], parts[1]]), "a source is not as export writes it"),
        (lambda parts: plain(parts[:2]), "a source is not as export writes it"),
        (lambda parts: plain([*parts, parts[2]]), "its end is not as export writes it"),
        (lambda parts: plain(parts[1:]), "does not begin with an artifact"),
        (lambda parts: plain(parts) + bytes(512), "something follows its end"),
        (lambda parts: plain(parts)[:-512], "it ends too early"),
        (lambda parts: b"", "it ends too early"),
        (lambda parts: b"not tar" * 1000, "holds no tar archive"),
    ],
)
def test_an_archive_that_export_did_not_write_is_refused(env, packed, change, said):
    parts = members(unpack(packed, env.work / "x.tar"))
    assert said in refused(env, repack(env, change(parts)))


def test_a_source_of_other_bytes_is_refused(env, packed):
    parts = members(unpack(packed, env.work / "x.tar"))
    parts[1] = (parts[1][0], parts[1][1].replace(b"e1", b"e9", 1))
    assert "bytes hash to" in refused(env, repack(env, plain(parts)))


def test_an_artifact_under_another_address_is_refused(env, packed):
    parts = members(unpack(packed, env.work / "x.tar"))
    parts[0][0].name = f"artifact/{'0' * 64}.jsonl"
    assert "bytes hash to" in refused(env, repack(env, plain(parts)))


def test_a_bomb_is_given_up_at_the_size_that_was_announced(env, packed):
    parts = members(unpack(packed, env.work / "x.tar"))
    path = env.work / "bomb.tar.zst"
    tar = plain(parts)
    zeros = bytes(1 << 24)
    with path.open("wb") as file:
        core.pack((tar if n == 0 else zeros for n in range(64)), file.fileno())
    assert path.stat().st_size < 1 << 20, "a gigabyte would come out"
    assert "something follows its end" in refused(env, path)


@pytest.mark.parametrize(("count", "size"), [(1, bundle.MOST_BYTES + 1), (bundle.MOST_SOURCES + 1, 1)])
def test_more_than_any_bundle_holds_is_refused_before_it_is_read(env, count, size):
    import json

    sources = [
        {"bytes": size, "event_count": 0, "session_id": "s", "sha256": f"{n:064x}"} for n in range(count)
    ]
    first = {
        "parameters": {},
        "sources": sources,
        "summarizer": "rules-1",
        "type": "artifact",
        "version": "handoff-1.0.0",
    }
    lines = [first]
    lines += [{"source_session_id": "s", "type": "summary"}] * count
    lines += [{"findings": [], "passed": True, "session_id": "s", "type": "report"}] * count
    data = b"".join(
        json.dumps(line, separators=(",", ":"), sort_keys=True).encode() + b"\n" for line in lines
    )
    name = bundle.artifact_name(core.copy(data)[0])
    tar = bundle.header(name, len(data)) + data + bundle.padding(len(data))
    with pytest.raises(IntegrityError, match="the bundle announces"):
        handoff.verify(repack(env, tar))
    assert "the bundle announces" in _import_error(env, repack(env, tar))


def _import_error(env, path: Path) -> str:
    with pytest.raises(IntegrityError) as caught:
        handoff.import_(path, store=env.work / "fresh")
    return caught.value.message


def test_a_file_that_is_no_bundle_is_refused_by_name(env):
    path = env.work / "x.tar.zst"
    path.write_bytes(b"hello")
    assert "does not begin like a zstd frame" in refused(env, path)
    with pytest.raises(InputMissingError):
        handoff.verify("./nothing.tar.zst")
