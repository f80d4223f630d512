"""The normal form of a git remote's address (docs/uri.md), so that one repository is named in one way.

Owns what two spellings of a remote have in common. Knows nothing of URIs, of configured remotes or of the
network, and never keeps a user part: it may be a password.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from opensession.errors import BadUriError

_DEFAULT_PORTS = {"https": 443, "http": 80, "ssh": 22, "git": 9418}
_SSH_SCHEMES = {"ssh", "git+ssh", "ssh+git"}
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?|\[[0-9a-f:.]+\])")
_SCP = re.compile(r"(?:[^/@]*@)?(\[[0-9A-Fa-f:.]+\]|[^/:@]+):(?!//)(.*)", re.DOTALL)
_PROJECT_SEGMENT = re.compile(r"[A-Za-z0-9._-]+")


def refusal_of(remote: str) -> str | None:
    """Why no URI can name this remote, or None where one can. The reason never holds a user part."""
    try:
        normal_form(remote)
    except BadUriError as error:
        return error.message
    return None


def normal_form(remote: str) -> str:
    """The one address for everything that names the same remote; raises BadUriError where there is none."""
    if re.search(r"[\x00-\x20\x7f-\x9f]", remote):
        raise BadUriError("a remote's address holds no spaces or control characters")
    if remote.startswith("/"):
        return "file://" + _trimmed(remote)
    if "://" not in remote:
        if "::" in remote.partition("[")[0]:
            raise BadUriError("remote helpers (helper::address) have no address that others could use")
        scp = _SCP.fullmatch(remote)
        if scp is None:
            raise BadUriError("a remote is a URL, host:path, or an absolute path")
        if "@" in scp[2].lstrip("/").partition("/")[0] and "@" not in remote.partition(":")[0]:
            # As in `user:password@host/path`, where the password would become a part of the path.
            raise BadUriError(
                "what stands before the '@' looks like a password; write the scheme, https://, too"
            )
        return f"https://{_host(scp[1])}{_trimmed('/' + scp[2].lstrip('/'))}"
    return _normal_url(remote)


def _normal_url(remote: str) -> str:
    try:
        parts = urlsplit(remote)
        port = parts.port
    except ValueError:
        raise BadUriError("the remote's address is no valid URL") from None
    if "?" in remote or "#" in remote:
        raise BadUriError("a remote's address has no query and no fragment")
    scheme = "ssh" if parts.scheme in _SSH_SCHEMES else parts.scheme
    if scheme == "file":
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
            raise BadUriError("a file URL names an absolute path on this machine")
        return "file://" + _trimmed(parts.path)
    if scheme not in _DEFAULT_PORTS:
        raise BadUriError(f"{scheme!r} is no scheme for a remote: known are https, http, ssh, git and file")
    host = _host(parts.netloc.rpartition("@")[2].removesuffix(f":{port}" if port is not None else ":"))
    path = _trimmed(parts.path)
    if port is not None and port != _DEFAULT_PORTS[scheme]:
        return f"{scheme}://{host}:{port}{path}"
    return f"{'https' if scheme == 'ssh' else scheme}://{host}{path}"


def host_of(normal: str) -> str:
    """The host in a remote's normal form; empty for ``file``."""
    authority = normal.partition("://")[2].partition("/")[0]
    return re.sub(r":[0-9]+$", "", authority)


def normal_project(project: str) -> str:
    """A GitLab project's whole path in normal form."""
    path = _trimmed("/" + project.strip("/"))[1:]
    segments = path.split("/")
    if len(segments) < 2 or any(not _PROJECT_SEGMENT.fullmatch(s) or s in (".", "..") for s in segments):
        raise BadUriError("a GitLab project is written group/project, of letters, digits, '.', '_' and '-'")
    return path


def _host(host: str) -> str:
    lower = host.lower()
    if not _HOST.fullmatch(lower):
        raise BadUriError("the remote's address has no valid host name")
    return lower


def _trimmed(path: str) -> str:
    """Without trailing slashes and one ``.git``."""
    bare = path.rstrip("/").removesuffix(".git").rstrip("/")
    if not bare:
        raise BadUriError("the remote's address names no repository")
    if bare.endswith(".git"):
        # Its normal form would have to lose the second one too, and then name another repository.
        raise BadUriError("a repository whose name ends in .git.git has no address of its own")
    return bare
