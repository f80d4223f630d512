"""The sessions' token totals are those that the agents and other programs counted."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.corpus, pytest.mark.slow]


@pytest.fixture(scope="module")
def compared(corpus):
    import logs
    import totals
    import usage

    rows = [totals.compare(o, logs.Log(o.log, corpus / o.log)) for o in usage.oracles(corpus)]
    assert len(rows) == 116
    return rows


def test_the_oracles_are_met_in_the_records_that_they_counted(compared):
    unequal = {c.oracle.log: (c.oracle.expected, c.window()) for c in compared if not c.equal(c.window())}
    assert len(unequal) <= 0.05 * len(compared), unequal


def test_an_oracle_that_is_not_met_names_a_start_and_counted_from_the_beginning_of_the_log(compared):
    rest = [c for c in compared if not c.equal(c.window())]
    unexplained = [c.oracle.log for c in rest if not (c.oracle.start and c.equal(c.window(from_start=False)))]
    assert not unexplained


def test_the_total_of_a_whole_session_differs_from_an_oracle_for_three_reasons_only(compared):
    differing = [c.oracle for c in compared if not c.equal(c.whole)]
    assert not [oracle.log for oracle in differing if not oracle.reasons]
    assert {reason for oracle in differing for reason in oracle.reasons} == {
        "counted from a checkpoint on",
        "the log went on after the count",
        "input counted without the cached part",
    }
