"""Laws of the evidence by content."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opensession.actions.links.changes import Change, Failed
from opensession.actions.links.evidence import SLACK, Lines
from opensession.actions.links.paths import Whereabouts

HERE = Whereabouts("/w", ["/w"], gone=False)
FILES = ("a.py", "b.py")

line = st.sampled_from(
    ["import toaster", "heat = 100", "", "}", "    return heat", "raise TooHot(heat)", "# é à ü ö ß ñ ø"]
)
text = st.lists(line, max_size=6)
patch = st.dictionaries(st.sampled_from(FILES), text, max_size=2)
written = st.lists(st.tuples(st.sampled_from(FILES), text), max_size=5)


def change(path: str, added: list[str], *, call: str = "", time: float = 0.0, ordinal: int = 0) -> Change:
    return Change(ordinal, f"e{ordinal}", call or f"c{ordinal}", time, "", path, added, [], False, None)


def changes(calls) -> list[Change]:
    return [change(path, added, ordinal=n) for n, (path, added) in enumerate(calls)]


def held(*patches, time: float = 0.0, end: str = "") -> Lines:
    lines = Lines()
    for number, added in enumerate(patches):
        encoded = {path: [(one + end).encode() for one in all_] for path, all_ in added.items()}
        lines.add(f"commit-{number}", time, encoded, {})
    return lines


def shares(lines: Lines, session) -> dict[str, tuple[int, int]]:
    return {oid: tuple(share) for oid, share in lines.shares(session, HERE).items()}


@given(patch, written)
def test_a_share_is_a_share(added, calls):
    for share in held(added).shares(changes(calls), HERE).values():
        assert 0 < share.matched <= share.total
        assert 0 < share.value <= 1


@given(patch, written, st.randoms())
def test_the_order_of_calls_and_of_lines_changes_nothing(added, calls, random):
    before = shares(held(added), changes(calls))
    mixed = [(path, random.sample(lines, len(lines))) for path, lines in random.sample(calls, len(calls))]
    other = {path: random.sample(lines, len(lines)) for path, lines in added.items()}

    assert shares(held(other), changes(mixed)) == before


@given(patch, written, st.sampled_from(["\r", " ", "\t", " \t\r"]), st.sampled_from(["", "  ", "\t"]))
def test_white_space_and_line_ends_change_nothing(added, calls, end, begin):
    indented = [(path, [begin + one + end for one in lines]) for path, lines in calls]

    assert shares(held(added), changes(indented)) == shares(held(added), changes(calls))
    assert shares(held(added, end=end), changes(calls)) == shares(held(added), changes(calls))


@given(patch)
def test_who_wrote_it_all_has_all_of_it(added):
    counted = sum(len("".join(one.split())) >= 8 for lines in added.values() for one in lines)
    expected = {"commit-0": (counted, counted)} if counted else {}

    assert shares(held(added), changes(added.items())) == expected


@given(patch, patch, written)
def test_commits_are_compared_independently(first, second, calls):
    together = shares(held(first, second), changes(calls))
    alone = shares(held(first), changes(calls)), shares(held(second), changes(calls))

    assert together.get("commit-0") == alone[0].get("commit-0")
    assert together.get("commit-1") == alone[1].get("commit-0")


@given(patch, written)
def test_what_was_written_after_the_commit_is_not_in_it(added, calls):
    late = [each._replace(time=1000 + SLACK + 1) for each in changes(calls)]
    in_time = [each._replace(time=1000 + SLACK) for each in changes(calls)]

    assert shares(held(added, time=1000), late) == {}
    assert shares(held(added, time=1000), in_time) == shares(held(added), changes(calls))


@given(patch, written)
def test_a_call_that_failed_wrote_nothing(added, calls):
    failing = [part for each in changes(calls) for part in (each, Failed(each.call))]
    retried = [*failing, *(each._replace(call=each.call + "-again") for each in changes(calls))]

    assert shares(held(added), failing) == {}
    assert shares(held(added), retried) == shares(held(added), changes(calls))


@given(patch, patch)
def test_another_file_s_lines_are_none_of_this_one_s(added, calls):
    elsewhere = [(f"other/{path}", lines) for path, lines in calls.items()]

    assert shares(held(added), changes(elsewhere)) == {}


def test_a_moved_file_is_known_by_both_names_and_counted_once():
    lines = Lines()
    lines.add("c", 0.0, {"new.py": [b"import toaster", b"import kettle"]}, {"new.py": "old.py"})
    once = [change("old.py", ["import toaster"])]
    twice = [*once, change("new.py", ["import toaster"], ordinal=1)]

    assert shares(lines, once) == shares(lines, twice) == {"c": (1, 2)}


def test_many_calls_at_once_are_all_counted():
    """A result is awaited for a while only; a call without one counts."""
    lines = Lines()
    lines.add("c", 0.0, {"a.py": [f"line number {n}".encode() for n in range(1000)]}, {})

    assert shares(lines, [change("a.py", [f"line number {n}"], ordinal=n) for n in range(1000)]) == {
        "c": (1000, 1000)
    }
