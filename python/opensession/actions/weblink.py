"""The link under which a server shows a session that lies in git. Offline: nothing is asked of anybody.

Owns how a link is put together. Must not know whether a server is there.
"""

from __future__ import annotations

from opensession.config import INIT_STEP
from opensession.errors import NotFoundError
from opensession.light import NamedTuple
from opensession.uri import GitUri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from opensession.config import Config
    from opensession.uri import GithubUri, GitlabUri


class WebLink(NamedTuple):
    """A link, and where its beginning comes from."""

    uri: str
    web_url: str
    base_url: str
    config: Path
    private: bool
    """The URI names a folder of this machine, so that no server can show it."""


def web_link(config: Config, uri: GithubUri | GitlabUri | GitUri) -> WebLink:
    """The link of a remote URI."""
    base_url = config.base_url
    if base_url is None:
        missing = "there is no configuration" if config.sha256 is None else "share.base_url is not set in"
        raise NotFoundError(
            f"no web address is known for links: {missing} {str(config.path)!r}",
            next=[INIT_STEP, "opensession config show"],
        )
    private = isinstance(uri, GitUri) and uri.remote.startswith("file:")
    return WebLink(str(uri), base_url + uri.web_path, base_url, config.path, private)
