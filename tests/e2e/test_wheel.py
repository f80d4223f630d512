"""The wheel works where there is neither cargo nor this source tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from pages import ROOT, blocks

TOOLS = ("bash", "sh", "env", "cat", "head", "cmp", "cut", "grep", "ls")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        "OPENSESSION_WHEEL" not in os.environ, reason="`make test` builds the wheel and names its folder"
    ),
]


@pytest.fixture(scope="module")
def wheel() -> Path:
    (found,) = Path(os.environ["OPENSESSION_WHEEL"]).glob("*.whl")
    return found


@pytest.fixture(scope="module")
def programs(wheel, tmp_path_factory) -> str:
    """A PATH with a clean environment that has the wheel, and a few tools; cargo is not among them."""
    folder = tmp_path_factory.mktemp("clean")
    clean = folder / "venv"
    venv.create(clean, with_pip=False, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", str(clean / "bin" / "python"), "install", "--quiet"]
    subprocess.run([*pip, "--no-index", "--no-deps", "--disable-pip-version-check", str(wheel)], check=True)
    tools = folder / "tools"
    tools.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, f"{tool} is needed"
        (tools / tool).symlink_to(found)
    return f"{clean / 'bin'}{os.pathsep}{tools}"


def run(env, programs: str, line: str) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in env.variables.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        ["bash", "-c", line],
        cwd=env.work,
        env={**variables, "PATH": programs},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_holds_the_compiled_core_for_every_python_from_3_11(wheel):
    assert "-cp311-abi3-" in wheel.name
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.startswith("opensession/_core") and name.endswith(".so") for name in names)
    assert "opensession/py.typed" in names
    assert "opensession/_core.pyi" in names
    assert "opensession/actions/setup/pre_push.sh" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not any("tests" in name or name.endswith(".rs") for name in names)


def test_it_asks_for_no_other_package(wheel):
    archive = zipfile.ZipFile(wheel)
    (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    required = [
        line for line in archive.read(metadata).decode().splitlines() if line.startswith("Requires-Dist")
    ]
    assert all("extra ==" in line for line in required)


def test_there_is_no_cargo_and_no_source_tree(env, programs):
    assert run(env, programs, "command -v cargo").returncode == 1
    where = run(env, programs, "python -c 'import opensession; print(opensession.__file__)'").stdout
    assert not Path(where.strip()).is_relative_to(ROOT / "python")


def test_the_readme_s_quick_start_runs(env, programs):
    shutil.copytree(ROOT / "examples", env.work / "examples")
    (quick_start,) = blocks(ROOT / "README.md", "sh", below="Quick start")
    done = run(env, programs, f"set -euo pipefail\n{quick_start}")
    assert done.returncode == 0, done.stderr
    assert "address: yes\ncanonical: yes\nvalid: yes" in done.stdout


def test_the_readme_s_python_runs(env, programs):
    shutil.copytree(ROOT / "examples", env.work / "examples")
    (code,) = blocks(ROOT / "README.md", "python", below="From Python")
    (env.work / "example.py").write_text(code)
    done = run(env, programs, "python example.py")
    assert (done.returncode, done.stderr) == (0, "")
