"""The stand-ins of opensession.light do what typing's and contextlib's originals do."""

from __future__ import annotations

import contextlib
import copy
import inspect
import pickle
import typing

import pytest

from opensession import light


class Original(typing.NamedTuple):
    name: str
    size: int = 0
    tags: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        return f"{self.name}:{self.size}"


class Ours(light.NamedTuple):
    name: str
    size: int = 0
    tags: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        return f"{self.name}:{self.size}"


BOTH = pytest.mark.parametrize("kind", [Original, Ours])


@BOTH
def test_fields_are_given_by_place_by_name_and_by_default(kind):
    for made in (kind("a", 1, ("x",)), kind("a", tags=("x",), size=1), kind(name="a", size=1, tags=("x",))):
        assert made == ("a", 1, ("x",))
        assert (made.name, made.size, made.tags, made.shown) == ("a", 1, ("x",), "a:1")
    assert kind("a") == ("a", 0, ())


@BOTH
@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((), {}),
        (("a", 1, (), 2), {}),
        (("a",), {"name": "b"}),
        (("a",), {"colour": "red"}),
        ((), {"size": 1}),
    ],
)
def test_wrong_values_are_refused(kind, values, named):
    with pytest.raises(TypeError):
        kind(*values, **named)


@BOTH
def test_it_is_a_tuple_that_cannot_be_changed(kind):
    made = kind("a", 1)
    assert isinstance(made, tuple)
    name, size, tags = made
    assert (name, size, tags) == ("a", 1, ())
    assert hash(made) == hash(("a", 1, ()))
    with pytest.raises(AttributeError):
        made.name = "b"
    with pytest.raises(AttributeError):
        made.colour = "red"


@BOTH
def test_a_copy_may_differ(kind):
    made = kind("a", 1)
    assert kind._make(["a", 2, ()]) == kind("a", 2)
    assert made._replace(size=2) == kind("a", 2)
    assert type(made._replace(size=2)) is kind
    assert made._asdict() == {"name": "a", "size": 1, "tags": ()}
    with pytest.raises((TypeError, ValueError)):
        made._replace(colour="red")


@BOTH
def test_it_survives_pickling_and_copying(kind):
    made = kind("a", 1)
    for again in (pickle.loads(pickle.dumps(made)), copy.copy(made), copy.deepcopy(made)):
        assert again == made
        assert type(again) is kind


@BOTH
def test_it_can_be_matched(kind):
    match kind("a", 1):
        case Original(name, size) | Ours(name, size):
            assert (name, size) == ("a", 1)
        case _:
            pytest.fail("it did not match")


def test_it_shows_its_fields():
    assert repr(Ours("a", 1)) == repr(Original("a", 1)).replace("Original", "Ours")
    assert Ours._fields == Original._fields


def outcome(block, body) -> tuple[object, ...]:
    """What a block and the code in it do together."""
    seen: list[object] = []
    try:
        with block(seen) as value:
            seen.append(value)
            body(seen)
        seen.append("after")
    except BaseException as error:  # noqa: BLE001  whatever it is: the originals do the same
        seen += [type(error), error.args, type(error.__cause__), type(error.__context__)]
    return tuple(seen)


def passing(seen):
    seen.append("in")
    try:
        yield 7
    finally:
        seen.append("out")


def catching(seen):
    try:
        yield 7
    except (KeyError, StopIteration):
        seen.append("caught")


def translating(seen):
    try:
        yield 7
    except KeyError as error:
        raise ValueError("translated") from error


def raising_again(seen):
    try:
        yield 7
    except KeyError:
        seen.append("again")
        raise


def failing_before(seen):
    raise ValueError("before")
    yield 7


def failing_after(seen):
    yield 7
    raise ValueError("after")


def doing_nothing(seen):
    seen.append("in")


def raiser(error: BaseException):
    def body(seen):
        raise error

    return body


@pytest.mark.parametrize(
    "generator",
    [passing, catching, translating, raising_again, failing_before, failing_after],
)
@pytest.mark.parametrize(
    "make",
    [
        lambda: lambda seen: None,
        lambda: raiser(KeyError("k")),
        lambda: raiser(OSError(5, "x")),
        lambda: raiser(StopIteration("s")),
        lambda: raiser(RuntimeError("r")),
        lambda: raiser(KeyboardInterrupt()),
        lambda: raiser(GeneratorExit()),
    ],
)
def test_a_block_does_what_contextlib_s_does(generator, make):
    assert outcome(light.contextmanager(generator), make()) == outcome(
        contextlib.contextmanager(generator), make()
    )


@pytest.mark.parametrize("body", [lambda seen: None, raiser(KeyError("k"))])
def test_a_generator_that_yields_twice_is_a_mistake(body):
    @light.contextmanager
    def twice():
        with contextlib.suppress(KeyError):
            yield 1
        yield 2

    with pytest.raises(RuntimeError), twice():
        body([])


def test_a_generator_that_does_not_yield_is_a_mistake():
    @light.contextmanager
    def never():
        yield from ()

    with pytest.raises(RuntimeError), never():
        pytest.fail("the block was entered")


def test_a_block_s_function_keeps_its_name_its_text_and_its_signature():
    @light.contextmanager
    def block(number: int):
        """What it is for."""
        yield number

    assert (block.__name__, block.__doc__) == ("block", "What it is for.")
    assert list(inspect.signature(block).parameters) == ["number"]


def test_an_error_that_passes_a_block_keeps_where_it_was_raised():
    def deep():
        raise KeyError("k")

    with pytest.raises(KeyError) as caught, light.contextmanager(passing)([]):
        deep()
    assert caught.traceback[-1].name == "deep"
    assert [entry.name for entry in caught.traceback].count("passing") == 0


@pytest.mark.parametrize("suppress", [light.suppress, contextlib.suppress])
def test_suppress_lets_only_the_named_errors_go(suppress):
    with suppress(OSError, KeyError):
        raise FileNotFoundError
    with pytest.raises(ValueError, match="x"), suppress(OSError):
        raise ValueError("x")
    with suppress(OSError):
        pass
