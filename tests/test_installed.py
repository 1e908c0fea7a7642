"""Installed from a wheel, the command works in any folder and finds what ships; tables are read without torch."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ("t2s_offline", "tables", "sweeps", "pyproject.toml", "README.md", "LICENSE")
BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
#: Stands for an environment in which these are not installed: importing them fails as it would there.
WITHOUT = """
import sys

class Missing:
    names = {"torch", "torchvision", "warp", "trimesh", "manifold3d", "tdw"}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
"""


def plain() -> dict[str, str]:
    """This environment without what points to this checkout."""
    return {name: value for name, value in os.environ.items() if not name.startswith("T2S_") and name != "PYTHONPATH"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with this package's wheel, and the packages of this one."""
    pytest.importorskip("setuptools")
    source = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    subprocess.run([sys.executable, "-c", BUILD, str(source)], cwd=source, check=True, capture_output=True)
    made = tmp_path_factory.mktemp("with a space and ü")
    venv.create(made, with_pip=False, symlinks=True)
    (packages,) = made.glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"))
    (wheel,) = source.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", str(made / "bin" / "python"), "--disable-pip-version-check"]
    # --ignore-installed: the packages of this environment may hold the one under test
    install = ["install", "--quiet", "--no-deps", "--no-index", "--ignore-installed", str(wheel)]
    subprocess.run([*pip, *install], check=True, capture_output=True, env=plain())
    return made


def run(place: Path, *arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    call = [str(place / "bin" / "python"), "-m", "t2s_offline", *arguments]
    return subprocess.run(call, capture_output=True, text=True, check=False, cwd=cwd, env=plain() | environment)


def shipped_tables() -> set[str]:
    return {path.parent.name for path in (ROOT / "tables").glob("*/SHA256SUMS")}


def test_tables_and_specifications_are_installed(place: Path, tmp_path: Path) -> None:
    listed = run(place, "tables", "--format", "csv", cwd=tmp_path)
    assert listed.returncode == 0, listed.stderr
    assert {line.split(",")[0] for line in listed.stdout.splitlines()[1:]} == shipped_tables()
    assert all(line.endswith("whole") for line in listed.stdout.splitlines()[1:])
    status = run(place, "status", "tiny", "--store", "tiny", cwd=tmp_path)
    assert "tiny-9bcc3b34   34    34" in status.stdout, status.stderr


@pytest.mark.parametrize("home", [{"HOME": "/nonexistent"}, {"HOME": ""}], ids=["no home", "empty"])
def test_it_needs_no_home_and_no_language(place: Path, tmp_path: Path, home: dict[str, str]) -> None:
    effects = run(place, "effects", "--store", "tiny", cwd=tmp_path, LC_ALL="C", COLUMNS="40", **home)
    assert effects.returncode == 0, effects.stderr
    assert "background" in effects.stdout


def test_what_reads_tables_runs_without_torch(place: Path, tmp_path: Path) -> None:
    (hook := tmp_path / "hook").mkdir()
    (hook / "sitecustomize.py").write_text(WITHOUT)
    for arguments in (
        ["query", "SELECT count(*) FROM rewards"],
        ["effects"],
        ["compare", "--leave-one-out", "--learners", "best_fixed,nearest"],
        ["learn", "--on-miss", "model", "--epochs", "5", "--out", "policy"],
        ["predict", "digits", "--policy", "policy"],
        ["report", "--out", "report.html"],
        ["export", "out"],
    ):
        done = run(place, *arguments, cwd=tmp_path, T2S_STORE="tiny", PYTHONPATH=str(hook))
        assert done.returncode == 0, (arguments, done.stderr)
    assert (tmp_path / "report.html").stat().st_size > 100_000


def test_what_needs_torch_says_so(place: Path, tmp_path: Path) -> None:
    (hook := tmp_path / "hook").mkdir()
    (hook / "sitecustomize.py").write_text(WITHOUT)
    for arguments in (
        ["render", "00000000", "--out", "pictures"],
        ["sweep", "tiny", "--store", "mine.duckdb"],
        ["evaluate", str(next((ROOT / "tables" / "cpu" / "backbones").iterdir())), "--task", "digits"],
        ["embed", "digits", "--probe", str(ROOT / "tables" / "cpu" / "probe.safetensors"), "--store", "mine.duckdb"],
    ):
        done = run(place, *arguments, cwd=tmp_path, PYTHONPATH=str(hook))
        assert done.returncode == 2, (arguments, done.stderr)
        assert "this needs torch, which is not installed; pip install torch torchvision" in done.stderr, arguments
        assert len(done.stderr.splitlines()) == 1, (arguments, done.stderr)
