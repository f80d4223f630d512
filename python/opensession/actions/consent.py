"""Whether this repository may push sessions to a remote without asking: a person said so once, for that very address.

Owns the key in the repository's own git configuration and what it is bound to. Must not know who is asked, or how.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.git.remotes import Remote
    from opensession.git.repository import Repository

KEY = "opensession.share.auto-push-consent"
_NAMELESS = "-"
"""For a remote that was typed as an address. No remote can have this name."""


class Consent:
    """The consent for one remote: for its name with every address that a push to it goes to.

    One value ``<name> <address>`` for each, so that a changed address is asked for again. An address is in its normal
    form: the configuration is no place for a password.
    """

    def __init__(self, repository: Repository, remote: Remote) -> None:
        self._repository = repository
        name = remote.name or _NAMELESS
        self._wanted = [f"{name} {place.normal}" for place in remote.destinations()]

    def given(self) -> bool:
        """Whether consent was given for all of it."""
        known = self._repository.config_get_all(KEY)
        return all(value in known for value in self._wanted)

    def give(self) -> None:
        """Remember it; only after a push that succeeded, which shows that the address is right."""
        known = self._repository.config_get_all(KEY)
        for value in self._wanted:
            if value not in known:
                self._repository.config_add(KEY, value)
