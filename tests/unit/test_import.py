"""`import opensession` costs next to nothing: it loads nothing until it is asked."""

from __future__ import annotations

import pytest

HEAVY = {
    "asyncio", "argparse", "concurrent", "dataclasses", "email", "hashlib", "http", "inspect", "json", "logging",
    "multiprocessing", "orjson", "pathlib", "rich", "socket", "sqlite3", "subprocess", "typer", "typing", "urllib",
}  # fmt: skip


def loaded(env, code: str) -> set[str]:
    """The top names of the modules that a piece of code loads beyond a bare interpreter's."""
    report = "import sys; before = set(sys.modules); {}; print('\\n'.join(set(sys.modules) - before))"
    done = env.python(
        "-I", "-S", "-c", f"import sys; sys.path.insert(0, {package_folder()!r}); " + report.format(code)
    )
    assert done.returncode == 0, done.stderr.decode()
    return {name.partition(".")[0] for name in done.stdout.decode().split()}


def package_folder() -> str:
    import opensession

    assert opensession.__file__ is not None
    return opensession.__file__.removesuffix("/opensession/__init__.py")


def test_the_import_loads_nothing_but_the_package(env):
    assert loaded(env, "import opensession") == {"opensession"}


def test_the_errors_load_no_heavy_module(env):
    assert loaded(env, "import opensession.errors") & HEAVY == set()


@pytest.mark.parametrize(
    "name", ["rich", "typer", "asyncio", "logging", "sqlite3", "socket", "subprocess", "orjson"]
)
def test_the_whole_interface_loads_without(env, name):
    names = loaded(env, "import opensession; [getattr(opensession, n) for n in opensession.__all__]")
    assert "opensession" in names
    assert name not in names


def test_everything_that_is_offered_is_there():
    import opensession

    for name in opensession.__all__:
        assert getattr(opensession, name) is not None
    assert set(opensession.__all__) <= set(dir(opensession))
    assert set(opensession._HOME) | {"errors", "handoff"} == set(opensession.__all__)


def test_what_is_not_offered_is_an_attribute_error():
    import opensession

    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        opensession.nonsense  # noqa: B018
