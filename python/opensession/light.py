"""``NamedTuple``, ``contextmanager`` and ``suppress`` without their imports: `typing` and `contextlib`, with all they
bring along, would cost a git hook more time than the store takes.

Owns three stand-ins that behave as the originals do in all that this project uses them for
(tests/unit/test_light.py compares them); type checkers see the originals. Knows nothing of the project.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from contextlib import contextmanager, suppress
    from types import TracebackType
    from typing import Any, NamedTuple, Self

__all__ = ["NamedTuple", "contextmanager", "suppress"]


class _RecordType(type):
    """Makes a property of every annotated name, in the order in which they stand."""

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, object]) -> Any:  # noqa: ANN401
        made: Any = super().__new__(cls, name, bases, {**body, "__slots__": ()})
        fields = tuple(made.__annotations__)
        made._fields = fields
        made._field_defaults = {field: body[field] for field in fields if field in body}
        made.__match_args__ = fields  # type: ignore[misc]
        for at, field in enumerate(fields):
            setattr(made, field, _nth(at))
        return made


def _nth(at: int) -> property:
    return property(lambda record: record[at])


class _Record(tuple[object, ...], metaclass=_RecordType):
    __slots__ = _fields = tuple[str, ...]()
    _field_defaults = dict[str, object]()  # noqa: RUF012  each class gets its own

    def __new__(cls, *values: object, **named: object) -> Self:
        if named or len(values) != len(cls._fields):
            values = cls._filled_up(values, named)
        return super().__new__(cls, values)

    @classmethod
    def _filled_up(cls, values: tuple[object, ...], named: dict[str, object]) -> tuple[object, ...]:
        """All values in order: those given by place, then those given by name, then the defaults."""
        rest = cls._fields[len(values) :]
        given = cls._field_defaults | named
        missing = [field for field in rest if field not in given]
        if len(values) > len(cls._fields) or missing or named.keys() - set(rest):
            raise TypeError(
                f"{cls.__name__} takes {', '.join(cls._fields)}, and got {len(values)} by place and "
                f"{', '.join(named) or 'none'} by name"
            )
        return (*values, *(given[field] for field in rest))

    @classmethod
    def _make(cls, values: Iterable[object]) -> Self:
        return cls(*values)

    def _replace(self, **changed: object) -> Self:
        return type(self)(**(self._asdict() | changed))

    def _asdict(self) -> dict[str, object]:
        return dict(zip(self._fields, self, strict=True))

    def __getnewargs__(self) -> tuple[object, ...]:
        return tuple(self)

    def __repr__(self) -> str:
        fields = ", ".join(f"{field}={value!r}" for field, value in self._asdict().items())
        return f"{type(self).__name__}({fields})"


class _Block:
    """A ``with`` block made of a generator: what stands before its ``yield`` enters, what stands after it leaves."""

    def __init__(self, generator: Generator[object, None, None]) -> None:
        self._generator = generator

    def __enter__(self) -> object:
        for value in self._generator:
            return value
        raise RuntimeError("the generator of a with block did not yield")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None:
            for _ in self._generator:
                raise RuntimeError("the generator of a with block yielded twice")
            return False
        try:
            self._generator.throw(error)
        except StopIteration as stop:
            return stop is not error
        except BaseException as raised:
            # A StopIteration that passes through a generator arrives as the cause of a RuntimeError.
            if raised is not error and not (isinstance(error, StopIteration) and raised.__cause__ is error):
                raise
            error.__traceback__ = trace
            return False
        raise RuntimeError("the generator of a with block yielded twice")


def _contextmanager(function: Callable[..., Generator[object, None, None]]) -> Callable[..., _Block]:
    def block(*values: object, **named: object) -> _Block:
        return _Block(function(*values, **named))

    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(block, name, getattr(function, name))
    block.__wrapped__ = function  # type: ignore[attr-defined]  # where `help` finds the signature
    return block


class _Suppress:
    def __init__(self, *kinds: type[BaseException]) -> None:
        self._kinds = kinds

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> bool:
        return kind is not None and issubclass(kind, self._kinds)


if not TYPE_CHECKING:
    NamedTuple, contextmanager, suppress = _Record, _contextmanager, _Suppress
