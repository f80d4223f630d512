"""Reading sessions through ``gh``, ``gl`` and ``git`` URIs: which way is taken, what is checked, what is refused."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from opensession import core
from opensession.actions import targets
from opensession.actions.remote import SIZE, limits_of, materialize
from opensession.errors import (
    BadUriError,
    HailError,
    IntegrityError,
    NotFoundError,
    RefusedError,
    RemoteFailedError,
    UsageError,
)
from opensession.git import addresses
from opensession.git.entries import session_path
from opensession.git.ledger import Changes, Ledger
from opensession.git.refs import ledger_ref
from opensession.git.repository import Repository
from opensession.git.transport import Limits
from opensession.settings import quoted
from opensession.store import Store, Stores
from opensession.uri import GithubUri, remote_uri

sys.path.insert(0, str(Path(__file__).parent))

from githttp import served

REF = ledger_ref("main")


def canonical(hail, text: str = "hello") -> bytes:
    with core.temporary_file() as fd:
        core.canonicalize(hail.session(text=text), fd)
        return os.pread(fd, 1 << 20, 0)


class World:
    """A bare remote with sessions in a ledger and on a branch, and a clone whose store is its own."""

    def __init__(self, env, tmp_path: Path, hail, *words: str) -> None:
        self.env, self.words, self.root = env, words, tmp_path / "served"
        self.bare = self.root / "toaster.git"
        self.path = tmp_path / "clone"
        env.git("init", "-q", "--bare", "--initial-branch=main", *words, str(self.bare))
        env.git("init", "-q", "--initial-branch=main", *words, str(self.path))
        self.session = canonical(hail)
        self.sha256 = hashlib.sha256(self.session).hexdigest()
        self.loose = hail.session(text="loose")
        self.loose_sha256 = hashlib.sha256(self.loose).hexdigest()

    def fill(self) -> None:
        """Everything that is read here, pushed to the remote, and gone from the clone."""
        files = {
            "notes.jsonl": self.session,
            f"sessions/{self.sha256}.jsonl": self.session,
            f"sessions/{self.loose_sha256}.jsonl": self.loose,
            f"wrong/{'0' * 64}.jsonl": self.session,
            "no session.jsonl": b"{}\n",
        }
        other = self.path.parent / "other"
        self.env.git("init", "-q", "--initial-branch=main", *self.words, str(other))
        for name, data in files.items():
            (other / name).parent.mkdir(parents=True, exist_ok=True)
            (other / name).write_bytes(data)
        (other / "link.jsonl").symlink_to("notes.jsonl")
        self.env.git("add", ".", cwd=other)
        self.env.git("commit", "-q", "-m", "x", cwd=other)
        self.env.git("tag", "-a", "-m", "x", "v1", cwd=other)
        record(other, self.sha256, self.session)
        refs = ["HEAD:refs/heads/main", "HEAD:refs/heads/feature/crumbs", "v1", f"{REF}:{REF}"]
        self.env.git("push", "-q", str(self.bare), *refs, cwd=other)
        self.commit = self.env.git("rev-parse", "HEAD", cwd=other)

    def add(self, url: str) -> None:
        self.env.git("remote", "add", "origin", url, cwd=self.path)

    def uri(self, ref: str, path: str, remote: str | None = None):
        return remote_uri(remote or str(self.bare), ref, path)

    @property
    def place(self) -> targets.Place:
        return targets.Place(self.path, os.environ)

    @property
    def stores(self) -> Stores:
        return Stores([Store(self.path / ".git" / "opensession")])

    def read(self, ref: str, path: str, remote: str | None = None) -> targets.Origin:
        return materialize(self.stores, self.uri(ref, path, remote), self.place)


def record(path: Path, sha256: str, session: bytes) -> None:
    """Put a session into the ledger of the repository at ``path``."""
    repository = Repository.discover(path, os.environ)
    ledger = Ledger(
        repository.git, REF, common_dir=repository.common_dir, object_format=repository.object_format
    )
    with core.temporary_file() as fd:
        os.write(fd, session)
        ledger.record(Changes(sessions=[(sha256, fd, b"{}")]), "add")


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> Path:
    """Where the repositories of the first test are kept, so that the others need not make them anew."""
    return tmp_path_factory.mktemp("filled") / "served"


@pytest.fixture
def world(env, tmp_path, hail, filled) -> World:
    made = World(env, tmp_path, hail)
    if filled.exists():
        shutil.rmtree(made.root)
        shutil.copytree(filled, made.root)
        made.commit = env.git("rev-parse", "main", cwd=made.bare)
    else:
        made.fill()
        shutil.copytree(made.root, filled)
    return made


@pytest.fixture
def known(world) -> World:
    """The same, with the remote configured."""
    world.add(str(world.bare))
    return world


def stored(origin: targets.Origin) -> bytes:
    return origin.store.path_of(origin.sha256).read_bytes()


@pytest.mark.parametrize("ref", ["main", "feature/crumbs", "refs/tags/v1"])
def test_a_session_on_a_branch_or_a_tag_is_read_and_stored(known, ref):
    origin = known.read(ref, f"sessions/{known.sha256}.jsonl")
    assert (origin.sha256, origin.checked, origin.canonical) == (known.sha256, True, True)
    assert stored(origin) == known.session


def test_a_session_in_a_ledger_is_read(known):
    assert known.read(REF, session_path(known.sha256)).sha256 == known.sha256


def test_a_commit_is_read_by_its_name(known):
    known.env.git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=known.bare)
    assert known.read(known.commit, "notes.jsonl").sha256 == known.sha256


def test_a_path_that_promises_no_hash_is_read_and_not_called_checked(known):
    origin = known.read("main", "notes.jsonl")
    assert (origin.sha256, origin.checked) == (known.sha256, False)
    assert targets.doubts(origin) == [
        "the address could not be checked: its path does not end in <sha256>.jsonl"
    ]


def test_bytes_that_are_not_canonical_are_checked_as_they_are_and_stored_in_canonical_form(known):
    origin = known.read("main", f"sessions/{known.loose_sha256}.jsonl")
    assert (origin.checked, origin.canonical) == (True, False)
    assert hashlib.sha256(stored(origin)).hexdigest() == origin.sha256 != known.loose_sha256
    known.bare.rename(known.bare.with_name("away.git"))
    again = known.read("main", f"sessions/{known.loose_sha256}.jsonl")
    assert (again.sha256, again.checked, again.canonical) == (origin.sha256, True, False)


def test_bytes_that_do_not_hash_to_their_path_are_refused(known):
    with pytest.raises(IntegrityError, match=known.sha256):
        known.read("main", f"wrong/{'0' * 64}.jsonl")
    assert not known.stores.write.has(known.sha256)


def test_the_steps_after_wrong_bytes_show_how_they_came_there(known, command, monkeypatch):
    monkeypatch.chdir(known.path)
    done = command("verify", str(known.uri("main", f"wrong/{'0' * 64}.jsonl")))
    assert done.code == 5
    for step in done.steps:
        shown = known.env.git(*shlex.split(step)[1:], cwd=known.path)
    assert "1 file changed" in shown


def test_what_is_no_session_is_not_stored(known):
    with pytest.raises(HailError, match="is no session"):
        known.read("main", "no session.jsonl")


def test_a_step_about_what_is_no_session_does_not_take_its_address_for_a_file(known, command, monkeypatch):
    monkeypatch.chdir(known.path)
    for typed in ("cat", "inspect", "verify"):
        done = command(typed, str(known.uri("main", "no session.jsonl")))
        assert (done.code, done.steps) == (3, [f"opensession {typed} --help"])


@pytest.mark.slow
def test_what_is_stored_is_read_without_the_remote(known):
    known.read("main", f"sessions/{known.sha256}.jsonl")
    known.bare.rename(known.bare.with_name("away.git"))
    assert known.read("main", f"sessions/{known.sha256}.jsonl").checked
    with pytest.raises(RemoteFailedError):
        known.read("main", "notes.jsonl")


def test_the_user_s_own_ledger_is_read_without_the_remote(known):
    record(known.path, known.sha256, known.session)
    known.bare.rename(known.bare.with_name("away.git"))
    assert known.read(REF, session_path(known.sha256)).checked


@pytest.mark.slow
def test_the_own_ledger_counts_only_for_the_remote_it_is_of(known):
    record(known.path, known.sha256, known.session)
    with pytest.raises(RefusedError):
        known.read(REF, session_path(known.sha256), str(known.root / "stranger.git"))


@pytest.mark.parametrize(
    ("ref", "path", "said"),
    [
        ("nothing", "notes.jsonl", "refs/heads/nothing"),
        ("refs/opensession/branches/none", "notes.jsonl", "refs/opensession/branches/none"),
        ("main", "none.jsonl", "'none.jsonl'"),
        ("main", "notes.jsonl/none", "none"),
        ("main", "sessions", "is a folder"),
    ],
)
def test_a_ref_or_path_that_does_not_exist_is_named(known, ref, path, said):
    with pytest.raises(NotFoundError, match=said) as failure:
        known.read(ref, path)
    assert failure.value.next


def test_a_link_is_not_followed(known):
    with pytest.raises(RefusedError, match="link"):
        known.read("main", "link.jsonl")


def test_a_commit_that_the_server_lacks_is_named(known):
    with pytest.raises(NotFoundError, match="c" * 40):
        known.read("c" * 40, "notes.jsonl")


@pytest.mark.parametrize(
    "remote",
    [
        "/srv/git/toaster",
        "ssh://git.example:2222/toaster",
        "http://git.example/toaster",
        "git://git.example/toaster",
        "https://localhost/toaster",
        "https://127.0.0.1/toaster",
        "https://10.0.0.7:8443/toaster",
        "https://[::1]/toaster",
        "https://[::ffff:192.168.0.1]/toaster",
        "https://169.254.169.254/toaster",
        "https://0x7f.1/toaster",
        "https://build/toaster",
        "https://git.corp/toaster",
    ],
)
def test_a_uri_alone_leads_neither_into_this_machine_nor_into_its_network(remote):
    normal = remote_uri(remote, "main", "notes.jsonl").remote
    with pytest.raises(RefusedError, match="for a URI alone"):
        addresses.pinned(normal, {}, lambda host, port: ["93.184.216.34"])


def test_what_is_refused_for_a_uri_alone_says_how_it_can_be_read(world):
    uri = world.uri("main", "notes.jsonl", "https://10.0.0.7:8443/toaster")
    with pytest.raises(RefusedError) as failure:
        materialize(world.stores, uri, world.place)
    assert failure.value.next == (
        f"git remote add shared {quoted(uri.remote)}",
        f"opensession inspect {uri} --remote {quoted(uri.remote)}",
    )


@pytest.mark.parametrize(
    "typed", [["cat"], ["handoff", "build", "--from"], ["inspect"], ["verify", "--json"]]
)
def test_the_step_after_that_refusal_is_the_same_command_and_works(known, command, monkeypatch, typed):
    monkeypatch.chdir(known.env.work)
    done = command(*typed, str(known.uri("main", "notes.jsonl")))
    steps = done.json["error"]["next"] if "--json" in typed else done.steps
    words = shlex.split(steps[-1])
    assert (done.code, words[1 : 1 + len(typed)]) == (6, typed)
    assert command(*words[1:]).code == 0


def test_a_name_that_leads_into_the_own_network_is_refused():
    with pytest.raises(RefusedError, match="private network"):
        addresses.pinned("https://git.example/x", {}, lambda host, port: ["93.184.216.34", "10.0.0.1"])


def test_a_public_name_is_held_to_the_addresses_that_were_looked_at():
    found = addresses.pinned(
        "https://git.example/x", {}, lambda host, port: ["93.184.216.34", "2606:2800::1"]
    )
    assert found == ("http.curloptResolve=git.example:443:93.184.216.34,[2606:2800::1]",)


@pytest.mark.parametrize(
    "address", ["64:ff9b::a00:1", "2002:a00:1::1", "fe80::1", "::", "224.0.0.1", "100.64.0.1"]
)
def test_an_address_that_wraps_a_private_one_is_refused(address):
    with pytest.raises(RefusedError):
        addresses.pinned("https://git.example/x", {}, lambda host, port: [address])


def test_behind_a_proxy_the_name_is_the_proxy_s_affair():
    assert addresses.pinned("https://git.example/x", {"https_proxy": "http://proxy:3128"}) == ()


def test_a_typed_remote_is_enough(world, tmp_path):
    outside = targets.Place(tmp_path, os.environ, str(world.bare))
    stores = Stores([Store(tmp_path / "store")])
    origin = materialize(stores, world.uri("main", "notes.jsonl"), outside)
    assert stored(origin) == world.session


def test_a_typed_remote_must_be_the_one_that_the_uri_names(world):
    with pytest.raises(UsageError, match="another repository"):
        materialize(
            world.stores,
            world.uri("main", "notes.jsonl", str(world.root / "other.git")),
            world.place._replace(remote=str(world.bare)),
        )


def test_the_configured_remote_is_used_in_the_way_the_user_set_up(world):
    # The URI and the remote say github.com; how to get there is the user's own affair.
    world.add("git@github.com:Ada/toaster.git")
    world.env.git("config", f"url.{world.root}/.insteadOf", "git@github.com:Ada/", cwd=world.path)
    origin = materialize(world.stores, GithubUri("ada", "toaster", "main", "notes.jsonl"), world.place)
    assert origin.sha256 == world.sha256


@pytest.mark.slow
def test_where_the_configured_remote_fails_its_failure_is_told(world, monkeypatch):
    world.add("git@github.com:Ada/toaster.git")
    world.env.git("config", "core.sshCommand", "false", cwd=world.path)

    def private(normal: str, env: object) -> tuple[str, ...]:
        raise RefusedError("not public")

    monkeypatch.setattr(addresses, "pinned", private)
    uri = GithubUri("ada", "toaster", "main", "notes.jsonl")
    with pytest.raises(RemoteFailedError, match="origin"):
        materialize(world.stores, uri, world.place)


def test_the_private_repository_is_gone_afterwards_and_the_user_s_is_untouched(known):
    before = {p: p.read_bytes() for p in (known.path / ".git").rglob("*") if p.is_file()}
    known.read("main", "notes.jsonl")
    after = {
        p: p.read_bytes()
        for p in (known.path / ".git").rglob("*")
        if p.is_file() and "opensession" not in p.parts
    }
    assert after == before
    assert not list((known.path / ".git" / "opensession" / "git").iterdir())  # nothing of it is left


def test_a_file_larger_than_the_limit_is_refused(known, monkeypatch):
    monkeypatch.setenv(SIZE, "100")
    with pytest.raises(RefusedError, match="larger than 100 bytes") as failure:
        known.read("main", "notes.jsonl")
    assert failure.value.next == ("export OPENSESSION_MAX_FETCH=200",)


@pytest.mark.parametrize("typed", ["0", "-1", "4G", "1_000", "9" * 30])
def test_a_limit_that_is_no_number_is_told(typed):
    with pytest.raises(UsageError, match=SIZE):
        limits_of({SIZE: typed})


@pytest.mark.parametrize(("filters", "protocol"), [("true", "2"), ("false", "2"), ("true", "0")])
def test_a_server_is_read_over_http_whatever_it_can_do(world, filters, protocol):
    world.env.git("config", "uploadpack.allowFilter", filters, cwd=world.bare)
    world.env.git("config", "protocol.version", protocol, cwd=world.path)
    with served(world.root) as server:
        url = f"{server.url}/toaster.git"
        world.add(url)
        origin = world.read("main", f"sessions/{world.sha256}.jsonl", url)
        asked = len(server.requests)
        assert world.read("main", f"sessions/{world.sha256}.jsonl", url).checked
        assert len(server.requests) == asked
    assert stored(origin) == world.session


def test_the_credentials_of_a_configured_remote_are_used_and_never_shown(world):
    key = "Basic YWRhOnMzY3JldA=="
    with served(world.root, needs=key) as server:
        bare_url = f"{server.url}/toaster.git"
        world.add(bare_url.replace("//", "//ada:s3cret@"))
        assert world.read("main", "notes.jsonl", bare_url).sha256 == world.sha256
        world.env.git("remote", "set-url", "origin", bare_url.replace("//", "//ada:wr0ng@"), cwd=world.path)
        with pytest.raises(RemoteFailedError) as failure:
            world.read("main", "notes.jsonl", bare_url)
    assert failure.value.reason == "auth"
    assert "wr0ng" not in json.dumps(failure.value.as_dict())


@pytest.mark.slow
def test_a_sha256_repository_is_read(env, tmp_path, hail):
    world = World(env, tmp_path, hail, "--object-format=sha256")
    world.fill()
    world.add(str(world.bare))
    assert world.read("main", "notes.jsonl").sha256 == world.sha256


@pytest.mark.slow
def test_a_sha256_remote_is_read_from_where_there_is_no_repository(env, tmp_path, hail):
    world = World(env, tmp_path, hail, "--object-format=sha256")
    world.fill()
    place = targets.Place(tmp_path, os.environ, str(world.bare))
    origin = materialize(Stores([Store(tmp_path / "s")]), world.uri("main", "notes.jsonl"), place)
    assert origin.sha256 == world.sha256


def test_without_a_place_the_uri_of_a_remote_is_no_local_session(world):
    with pytest.raises(BadUriError):
        targets.find(world.stores, str(world.uri("main", "notes.jsonl")))


def test_the_reading_commands_take_the_uri_of_a_remote(known):
    uri = str(known.uri("main", "notes.jsonl"))
    cat = known.env.run("cat", uri, cwd=known.path)
    assert (cat.returncode, cat.stdout) == (0, known.session)
    assert b"note: the address could not be checked" in cat.stderr
    inspect = json.loads(known.env.run("inspect", uri, "--json", cwd=known.path).stdout)
    assert (inspect["address_checked"], inspect["hash"]) == (False, known.sha256)
    promised = str(known.uri("main", f"sessions/{known.loose_sha256}.jsonl"))
    verify = json.loads(known.env.run("verify", uri, promised, "--json", cwd=known.path).stdout)
    assert [(t["address"], t["canonical"]) for t in verify["targets"]] == [("none", True), ("yes", False)]
    built = known.env.run("handoff", "build", "--from", uri, "--json", cwd=known.path)
    assert known.sha256 in built.stdout.decode()


@pytest.mark.slow
def test_a_uri_that_is_refused_says_how_it_can_be_read(world, tmp_path):
    uri = str(world.uri("main", "notes.jsonl"))
    refused = world.env.run("cat", uri, cwd=tmp_path)
    assert refused.returncode == 6
    step = refused.stderr.decode().splitlines()[-1].removeprefix("- ")
    assert "--remote" in step
    done = world.env.run(*step.split()[1:], cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, world.session)


def test_a_server_that_says_nothing_is_given_up(world, monkeypatch):
    monkeypatch.setattr("opensession.actions.remote.limits_of", lambda env: Limits(idle=0.3))
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x.git"
        world.add(url)
        with pytest.raises(RemoteFailedError, match="does not answer") as failure:
            world.read("main", "notes.jsonl", url)
    assert failure.value.reason == "hung"
    assert not list((world.path / ".git" / "opensession" / "git").iterdir())


@pytest.fixture
def certificate(tmp_path, monkeypatch) -> tuple[str, str]:
    """A certificate for git.example that git trusts in this test, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=git.example", "-addext", "subjectAltName=DNS:git.example", "-out", cert, "-keyout", key],
        check=True, capture_output=True,
    )  # fmt: skip
    monkeypatch.setenv("GIT_SSL_CAINFO", cert)
    return cert, key


def test_the_public_network_is_asked_as_nobody_and_only_at_the_address_that_was_looked_at(
    world, certificate, monkeypatch, tmp_path
):
    # The user's own settings would send a password; a URI that came from somebody else gets nothing of them.
    config = tmp_path / "config"
    config.write_text('[http]\n\textraHeader = "Authorization: Basic c2VjcmV0"\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    with served(world.root, tls=certificate) as server:
        port = server.url.rpartition(":")[2]
        # No name server knows this name, so that git can only know its address from us.
        monkeypatch.setattr(
            addresses, "pinned", lambda normal, env: (f"http.curloptResolve=git.example:{port}:127.0.0.1",)
        )
        url = f"https://git.example:{port}/toaster"
        origin = world.read("main", f"sessions/{world.sha256}.jsonl", url)
        with pytest.raises(NotFoundError, match="refs/heads/none"):
            world.read("none", "notes.jsonl", url)
    assert (origin.sha256, origin.checked) == (world.sha256, True)
    assert server.requests[0].startswith("GET /toaster/info/refs")
    assert any(line.startswith("GET /toaster.git/info/refs") for line in server.requests)
    assert not any("Basic" in line for line in server.requests)


@pytest.mark.slow
def test_a_public_server_that_asks_for_a_name_is_told(world, certificate, monkeypatch):
    with served(world.root, tls=certificate, needs="Basic c2VjcmV0") as server:
        port = server.url.rpartition(":")[2]
        monkeypatch.setattr(
            addresses, "pinned", lambda normal, env: (f"http.curloptResolve=git.example:{port}:127.0.0.1",)
        )
        with pytest.raises(RemoteFailedError) as failure:
            world.read("main", "notes.jsonl", f"https://git.example:{port}/toaster")
    assert failure.value.reason == "auth"
