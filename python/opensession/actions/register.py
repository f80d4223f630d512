"""Stores sessions: HAIL as it is, an agent's log through its parser, in one pass.

Owns the choice between the two. Must not know how a store keeps things.
"""

from __future__ import annotations

import os

from opensession import core
from opensession.actions import parse
from opensession.errors import NoEventsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opensession.actions.parse import Progress
    from opensession.store import Store, Stored


def register(
    store: Store,
    source: int,
    *,
    profile: str | None = None,
    source_name: str = "",
    final: bool = False,
    jobs: int = core.DEFAULT_JOBS,
    progress: Progress | None = None,
) -> list[Stored]:
    """Store what the descriptor ``source`` holds; without ``profile`` it must be HAIL.

    When this returns, every address in the answer survives a power cut.
    """
    if profile is None or profile == parse.HAIL:
        return store.put_hail(source, jobs=jobs, progress=progress)
    parse.check_profile(profile)
    start = os.lseek(source, 0, os.SEEK_CUR)
    candidates = core.detect(source, source_name=source_name) if profile == parse.AUTO else []
    failed: NoEventsError | None = None
    for each in parse.order(profile, candidates):
        os.lseek(source, start, os.SEEK_SET)
        if each == parse.HAIL:
            return store.put_hail(source, jobs=jobs, progress=progress)
        try:
            stored = store.put_log(
                source, each, source_name=source_name, final=final, jobs=jobs, progress=progress
            )
        except NoEventsError as error:
            failed = failed or error
        else:
            return [stored]
    raise failed or NoEventsError("the input is no log of an agent that is known here")
