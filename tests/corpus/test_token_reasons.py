"""Why a correct token total can differ from what another program wrote down: one invented log a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parent / "reasons"


def compare(name: str, kind: str = "checkpoint"):
    import logs
    import totals
    import usage

    (oracle,) = [o for o in usage.oracles(ROOT) if o.log.endswith(f"/{name}.jsonl") and o.kind == kind]
    return totals.compare(oracle, logs.Log(oracle.log, ROOT / oracle.log))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("from_a_checkpoint", "counted from a checkpoint on"),
        ("log_went_on", "the log went on after the count"),
        ("without_the_cached_part", "input counted without the cached part"),
    ],
)
def test_the_count_is_that_of_the_records_counted_and_not_of_the_whole_log(name, reason):
    found = compare(name)
    assert found.oracle.reasons == [reason]
    assert not found.equal(found.whole)
    assert found.equal(found.window())


def test_a_count_can_name_a_start_and_yet_begin_at_the_beginning():
    found = compare("start_not_used")
    assert not found.equal(found.window())
    assert found.equal(found.window(from_start=False))


def test_totals_that_the_agent_wrote_into_its_own_log_are_the_sessions_totals():
    found = compare("without_the_cached_part", "embedded")
    assert found.equal(found.whole)
