"""Imports point to a lower floor only, and heavy packages stay where they belong."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "t2s_offline"

FLOORS = {
    "errors": 0,
    "device": 1,
    "files": 0,
    "digests": 0,
    "formats": 0,
    "seeds": 0,
    "space": 1,
    "tensor_files": 1,
    "tasks": 1,
    "recipe": 1,
    "intervals": 1,
    "networks": 2,
    "schema": 1,
    "matrix": 2,
    "augment": 2,
    "stochastic_depth": 2,
    "checkpoint": 2,
    "walsh": 2,
    "belief": 3,
    "judge": 3,
    "noise": 3,
    "render": 3,
    "pretrain": 4,
    "authors_probe": 4,
    "evaluate": 5,
    "task2vec": 4,
    "fisher": 3,
    "imagenet": 3,
    "variational": 3,
    "task_files": 3,
    "scoring": 3,
    "training_set": 3,
    "task_data": 4,
    "pictures": 2,
    "connection": 2,
    "frames": 2,
    "store": 3,
    "policy": 3,
    "learners": 4,
    "published": 4,
    "design": 4,
    "sweep": 8,
    "predict": 4,
    "measure": 4,
    "spool": 5,
    "workshop": 5,
    "asked": 5,
    "work": 6,
    "handover": 7,
    "single": 6,
    "estimate": 6,
    "live": 8,
    "progress": 9,
    "compare": 4,
    "effects": 4,
    "report": 5,
    "ladders": 2,
    "scaling": 4,
    "doctor": 5,
    "exchange": 4,
    "query": 4,
    "fetch": 5,
    "tables": 5,
    "cli": 10,
}
#: package -> modules that may import it
KEPT = {
    "tdw": {"render/tdw.py"},
    "duckdb": {"connection.py", "query.py"},
    "click": {"cli"},
    "altair": {"report"},
    "vl_convert": {"report"},
}
TORCHLESS = (
    "space",
    "recipe",
    "tasks",
    "store",
    "schema",
    "matrix",
    "ladders",
    "scaling",
    "policy",
    "query",
    "exchange",
    "learners",
    "report",
    "cli",
)

MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))


def floor_of(module: str) -> int:
    assert module in FLOORS, f"{module} has no floor yet: give it one in tests/test_floors.py"
    return FLOORS[module]


def home(path: Path) -> str:
    return path.parts[0].removesuffix(".py")


def imports(path: Path) -> list[tuple[str, bool]]:
    """Absolute names of what a module imports, and whether that is at the top of the module."""
    tree = ast.parse((PACKAGE / path).read_text("utf-8"))
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    found = []
    for node in ast.walk(tree):
        top = node in tree.body and id(node) not in typing_only
        if isinstance(node, ast.Import):
            found += [(alias.name, top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [(name, top) for name in names]
    return found


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_go_down(path: Path) -> None:
    if path.name == "__init__.py" and len(path.parts) == 1:
        return
    own = home(path)
    for name, _top in imports(path):
        parts = name.split(".")
        if parts[0] != "t2s_offline" or parts[1] in ("__version__", own):
            continue
        assert floor_of(parts[1]) < floor_of(own), f"{path} (floor {floor_of(own)}) imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_packages_stay_where_they_belong(path: Path) -> None:
    for name, top in imports(path):
        package = name.split(".")[0]
        if package in KEPT:
            assert str(path) in KEPT[package] or home(path) in KEPT[package], f"{path} imports {package}"
        if package in ("torch", "torchvision", "warp") and home(path) in TORCHLESS:
            assert not top, f"{path} imports {package} at the top"


def test_learners_and_the_live_path_do_not_know_each_other() -> None:
    live = {"render", "pretrain", "evaluate", "task2vec", "task_data", "networks", "sweep", "store"}
    for path in MODULES:
        used = {name.split(".")[1] for name, _ in imports(path) if name.startswith("t2s_offline.")}
        if home(path) == "learners":
            assert not used & live, f"{path} imports {used & live}"
        if home(path) == "sweep":
            assert "learners" not in used


@pytest.mark.parametrize(
    "arguments", [["--help"], ["learn", "--help"], ["query", "SELECT 1", "--store", "none.duckdb"]], ids=" ".join
)
def test_light_commands_import_no_torch(arguments: list[str], tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['t2s-offline', *sys.argv[1:]]\n"
        "from t2s_offline.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'torchvision', 'warp', 'sklearn', 'polars'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_modules_say_what_they_are_and_stay_short() -> None:
    for path in MODULES:
        text = (PACKAGE / path).read_text("utf-8")
        assert ast.get_docstring(ast.parse(text)), f"{path} has no docstring"
        assert len(text.splitlines()) <= 350, f"{path} is {len(text.splitlines())} lines; split it"
