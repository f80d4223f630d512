"""``os://`` URIs: one identity, one spelling (docs/uri.md).

Owns the five kinds as immutable values, their text and their web path. Every value that can be constructed
prints a text that parses back to it, and every accepted text is the one its value prints. Knows no store, no
git and no network; remote addresses are brought into normal form by :mod:`opensession.remotes`.
"""

from __future__ import annotations

from opensession.errors import BadUriError

_DIGITS = frozenset("0123456789abcdef")
_BASE64URL = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_NAME = _BASE64URL | {"."}
_NAME_LIMIT = 200
_NOT_IN_A_REF = (*map(chr, range(0x21)), *"\x7f~^:?*[\\", "..", "@{", "//")
_SHAPES = {
    "local": "os://src/local/<sha256>",
    "gh": "os://src/gh/<owner>/<repo>/ref/<ref>/path/<path>",
    "gl": "os://src/gl/<project in base64url>/ref/<ref>/path/<path>",
    "git": "os://src/git/<remote in base64url>/ref/<ref>/path/<path>",
}


class _Value:
    """Immutable; equal to a value of the same kind with the same fields.

    A frozen dataclass by hand: the module `dataclasses` costs a git hook more than all of the store.
    """

    __slots__: tuple[str, ...] = ()

    def _set(self, *values: str) -> None:
        for name, value in zip(self.__slots__, values, strict=True):
            object.__setattr__(self, name, value)

    def _values(self) -> tuple[str, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a {type(self).__name__} cannot be changed")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a {type(self).__name__} cannot be changed")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, _Value) and other._values() == self._values()

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._values()))})"

    def __reduce__(self) -> tuple[type, tuple[str, ...]]:
        return type(self), self._values()


class LocalUri(_Value):
    """A session in a store on this machine."""

    __slots__ = ("sha256",)
    sha256: str

    def __init__(self, sha256: str) -> None:
        _check_sha256(sha256)
        self._set(sha256)

    def __str__(self) -> str:
        return f"os://src/local/{self.sha256}"

    @property
    def web_path(self) -> None:
        """None: a public host does not have it."""
        return None


class ArtifactUri(_Value):
    """A handoff artifact in a store on this machine."""

    __slots__ = ("sha256",)
    sha256: str

    def __init__(self, sha256: str) -> None:
        _check_sha256(sha256)
        self._set(sha256)

    def __str__(self) -> str:
        return f"os://artifact/{self.sha256}"

    @property
    def web_path(self) -> None:
        """None: a public host does not have it."""
        return None


class _Remote(_Value):
    """What the three remote kinds share: a place, then a ref and a path in it."""

    __slots__ = ()
    ref: str
    path: str

    @property
    def _place(self) -> str:
        raise NotImplementedError

    def __str__(self) -> str:
        encoded = "/".join(_encode(segment) for segment in self.path.split("/"))
        return f"os://src/{self._place}/ref/{_encode(self.ref)}/path/{encoded}"

    @property
    def web_path(self) -> str:
        """Where a public server shows it; matched without decoding."""
        return str(self).removeprefix("os:/")


class GithubUri(_Remote):
    """A file at a ref of a repository on github.com."""

    __slots__ = ("owner", "repo", "ref", "path")  # noqa: RUF023  in the order of the text
    owner: str
    repo: str

    def __init__(self, owner: str, repo: str, ref: str, path: str) -> None:
        for what, name in (("owner", owner), ("repository", repo)):
            if not _NAME.issuperset(name) or not name or len(name) > _NAME_LIMIT or name in (".", ".."):
                raise BadUriError(
                    f"{name!r} is no {what} name on GitHub (letters, digits, '.', '_', '-', up to 200)"
                )
        _check_ref(ref)
        _check_path(path)
        self._set(owner, repo, ref, path)

    @property
    def _place(self) -> str:
        return f"gh/{self.owner}/{self.repo}"


class GitlabUri(_Remote):
    """A file at a ref of a project on gitlab.com."""

    __slots__ = ("project", "ref", "path")  # noqa: RUF023
    project: str

    def __init__(self, project: str, ref: str, path: str) -> None:
        from opensession.remotes import normal_project  # here and below: a local address does not pay for it

        normal = normal_project(project)
        if normal != project:
            raise _respelled(project, GitlabUri(normal, ref, path))
        _check_ref(ref)
        _check_path(path)
        self._set(project, ref, path)

    @property
    def _place(self) -> str:
        return f"gl/{_base64(self.project)}"


class GitUri(_Remote):
    """A file at a ref of any other git remote, which stands in normal form."""

    __slots__ = ("remote", "ref", "path")  # noqa: RUF023
    remote: str

    def __init__(self, remote: str, ref: str, path: str) -> None:
        from opensession.remotes import host_of, normal_form, refusal_of

        if (reason := refusal_of(remote)) is not None:
            raise BadUriError(f"the remote inside this URI cannot be used: {reason}")
        if normal_form(remote) != remote or host_of(remote) in ("github.com", "gitlab.com"):
            # The remote is not repeated as typed: what is not in normal form may hold a password.
            raise _respelled("the remote inside this URI", remote_uri(remote, ref, path))
        _check_ref(ref)
        _check_path(path)
        self._set(remote, ref, path)

    @property
    def _place(self) -> str:
        return f"git/{_base64(self.remote)}"


Uri = LocalUri | ArtifactUri | GithubUri | GitlabUri | GitUri


def format_local(sha256: str) -> str:
    """The URI of a stored session."""
    return str(LocalUri(sha256))


def remote_uri(remote: str, ref: str, path: str) -> GithubUri | GitlabUri | GitUri:
    """Mint the URI of a file at a ref of a git remote, given any address git accepts.

    The kind follows the host; a branch given as ``refs/heads/…`` is written in its short form.
    """
    from opensession.remotes import host_of, normal_form, refusal_of

    if (reason := refusal_of(remote)) is not None:
        raise BadUriError(f"no URI can be made for this remote: {reason}")
    normal = normal_form(remote)
    ref = _shortest(ref)
    host, where = host_of(normal), normal.partition("://")[2].partition("/")[2]
    if host == "github.com":
        owner, _, repo = where.partition("/")
        return GithubUri(owner, repo, ref, path)
    if host == "gitlab.com":
        return GitlabUri(where, ref, path)
    return GitUri(normal, ref, path)


def parse_uri(text: str) -> Uri:
    """The value of ``text``, which must be spelled in the one right way.

    Raises :class:`BadUriError` that says why, with the right spelling where there is one.
    """
    uri = _parse_loosely(text)
    if str(uri) != text:
        raise _respelled(repr(text) if isinstance(uri, LocalUri | ArtifactUri) else "this URI", uri)
    return uri


def _parse_loosely(text: str) -> Uri:
    """What ``text`` is meant to say, all misspellings forgiven that leave no doubt."""
    scheme, colon, rest = text.strip().partition(":")
    if scheme.lower() != "os" or not colon or not rest.startswith("/"):
        raise BadUriError(
            f"{text!r} is no opensession URI: it must begin with os://", next=["opensession ls"]
        )
    segments = [s for s in rest.partition("#")[0].partition("?")[0].split("/") if s]
    match segments:
        case ["artifact", sha256]:
            return ArtifactUri(sha256.lower())
        case ["src", "local", sha256]:
            return LocalUri(sha256.lower())
        case ["src", "gh", owner, repo, "ref", *tail]:
            return GithubUri(owner, repo, *_ref_and_path(text, "gh", tail))
        case ["src", "gl", project, "ref", *tail]:
            return GitlabUri(_unbase64(project), *_ref_and_path(text, "gl", tail))
        case ["src", "git", remote, "ref", *tail]:
            return GitUri(_unbase64(remote), *_ref_and_path(text, "git", tail))
        case ["src", ("local" | "gh" | "gl" | "git") as kind, *_]:
            raise _misshapen(text, kind)
        case ["artifact", *_]:
            raise BadUriError(f"{text!r} has the wrong shape: an artifact is written os://artifact/<sha256>")
        case ["src", kind, *_]:
            raise BadUriError(f"{text!r} is of an unknown kind {kind!r}: known are local, gh, gl and git")
        case _:
            raise BadUriError(
                f"{text!r} is of an unknown kind: an opensession URI begins os://src/ or os://artifact/"
            )


def _ref_and_path(text: str, kind: str, tail: list[str]) -> tuple[str, str]:
    if "path" not in tail[1:-1]:
        raise _misshapen(text, kind)
    end = tail.index("path", 1)
    ref = "/".join(_decode(segment) for segment in tail[:end])
    segments = [_decode(segment) for segment in tail[end + 1 :]]
    for segment in segments:
        _check_segment(segment)
    return _shortest(ref), "/".join(segments)


def _misshapen(text: str, kind: str) -> BadUriError:
    return BadUriError(f"{text!r} has the wrong shape: it is written {_SHAPES[kind]}")


def _respelled(typed: str, uri: Uri) -> BadUriError:
    right = str(uri)
    return BadUriError(
        f"{typed} is not spelled in the one right way, which is {right}",
        spelling=right,
        next=[f"opensession inspect {right}"],
    )


def _check_sha256(digits: str) -> None:
    if not (len(digits) == 64 and _DIGITS.issuperset(digits)):
        raise BadUriError(
            f"{digits!r} is no SHA-256 address: it takes 64 digits of 0-9 and a-f", next=["opensession ls"]
        )


def _check_ref(ref: str) -> None:
    if _is_object_name(ref):
        return
    if _is_object_name(ref.lower()):
        raise BadUriError(f"{ref!r} is no ref: a commit's name is written in lower case, {ref.lower()}")
    if not _is_ref_name(ref):
        raise BadUriError(f"{ref!r} is no name git accepts for a ref")
    if ref[0] in "-+":
        raise BadUriError(
            f"{ref!r} is no ref: a short name cannot begin with '-' or '+'; write refs/heads/{ref}"
        )
    if _shortest(ref) != ref:
        raise BadUriError(f"{ref!r} is a branch, and a branch is written in its short form, {_shortest(ref)}")


def _is_object_name(text: str) -> bool:
    return len(text) in (40, 64) and _DIGITS.issuperset(text)


def _shortest(ref: str) -> str:
    """``ref`` in the form it is written in a URI: a branch by its short name where that is not something
    else.
    """
    short = ref.removeprefix("refs/heads/")
    taken = short.startswith("refs/") or short[:1] in ("-", "+", "") or _is_object_name(short.lower())
    return ref if taken else short


def _is_ref_name(ref: str) -> bool:
    """What ``git check-ref-format --allow-onelevel`` accepts."""
    if not ref or ref == "@" or ref.endswith((".", "/")) or any(bad in ref for bad in _NOT_IN_A_REF):
        return False
    return not any(part == "" or part.startswith(".") or part.endswith(".lock") for part in ref.split("/"))


def _check_path(path: str) -> None:
    for segment in path.split("/"):
        _check_segment(segment)


def _check_segment(segment: str) -> None:
    if segment in ("", ".", "..") or any(c in "/\\" or c < " " or "\x7f" <= c <= "\x9f" for c in segment):
        raise BadUriError(
            f"{segment!r} cannot be part of a path: a segment is not empty, '.' or '..' and holds no "
            "'/', '\\' or control character"
        )


def _encode(segment: str) -> str:
    """RFC 3986: everything but unreserved characters, in upper-case hex."""
    from urllib.parse import quote

    try:
        return quote(segment, safe="", encoding="utf-8", errors="strict")
    except UnicodeEncodeError:
        raise BadUriError(f"{segment!r} is not Unicode text") from None


def _decode(segment: str) -> str:
    from urllib.parse import unquote_to_bytes

    try:
        return unquote_to_bytes(segment).decode("utf-8")
    except UnicodeError:
        raise BadUriError(f"{segment!r} is not percent-encoded UTF-8") from None


def _base64(text: str) -> str:
    from base64 import urlsafe_b64encode

    try:
        return urlsafe_b64encode(text.encode("utf-8")).rstrip(b"=").decode("ascii")
    except UnicodeEncodeError:
        raise BadUriError(f"{text!r} is not Unicode text") from None


def _unbase64(segment: str) -> str:
    from base64 import urlsafe_b64decode

    digits = segment.rstrip("=")
    if not digits or not _BASE64URL.issuperset(digits):
        raise BadUriError(f"{segment!r} is not base64url")
    try:
        return urlsafe_b64decode(digits + "=" * (-len(digits) % 4)).decode("utf-8")
    except ValueError:  # binascii.Error or UnicodeDecodeError
        raise BadUriError(f"{segment!r} is not base64url of UTF-8 text") from None
