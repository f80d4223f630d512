"""Who may import what, where the import linter cannot see it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import opensession.core

PACKAGE = Path(opensession.core.__file__).resolve().parent
MODULES = {str(path.relative_to(PACKAGE)): path for path in PACKAGE.rglob("*.py")}


def imported(path: Path) -> set[str]:
    """The full names of what a module imports at run time; type checking is nobody's dependency."""
    names: set[str] = set()
    pending: list[ast.AST] = [ast.parse(path.read_text())]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
        pending += ast.iter_child_nodes(node)
    return names


def importers(name: str) -> set[str]:
    return {module for module, path in MODULES.items() if name in imported(path)}


def test_only_core_imports_the_compiled_module():
    assert importers("opensession._core") == {"core.py"}


def test_only_the_store_s_cache_imports_sqlite3():
    assert importers("sqlite3") == {"store/cachedb.py"}


@pytest.mark.parametrize("name", ["urllib.request", "http.client", "ssl"])
def test_nothing_reaches_the_network_by_itself(name):
    assert importers(name) == set()


def test_only_the_check_of_addresses_asks_for_names():
    assert importers("socket") == {"git/addresses.py"}


def test_only_git_starts_a_program():
    assert importers("subprocess") == {"git/child.py", "cli/clipboard.py"}
    assert importers("multiprocessing") == importers("pty") == set()


STARTERS = re.compile(r"os\.(exec\w+|spawn\w+|posix_spawnp?|system|popen|fork|forkpty)\b")


@pytest.mark.parametrize("module", sorted(MODULES.keys() - {"git/child.py"}))
def test_no_program_is_started_by_another_way(module):
    assert not STARTERS.search(MODULES[module].read_text())


@pytest.mark.parametrize("module", MODULES)
def test_a_module_opens_with_what_it_owns(module):
    assert ast.get_docstring(ast.parse(MODULES[module].read_text()))


@pytest.mark.parametrize("module", MODULES)
def test_files_and_functions_stay_small(module):
    text = MODULES[module].read_text()
    assert len(text.splitlines()) < 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 40, node.name
