"""Imports point to a lower floor only, and heavy packages stay where they belong."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "t2s_offline"

#: Folder -> floor. Modules that lie in no folder are the ground.
FLOORS = {
    "": 1,
    "store": 2,
    "images": 2,
    "analysis": 2,
    "render": 2,
    "training": 3,
    "learners": 3,
    "sweep": 4,
    "report": 4,
    "doctor": 4,
    "api": 5,
    "cli": 5,
}
#: Folder -> folders of its own floor that it may import.
BESIDE = {"cli": {"api"}}
#: The package's doors: one names the API for type checkers and imports a function when it is first used, one is the
#: command.
DOORS = (Path("__init__.py"), Path("__main__.py"))
#: package -> folders or modules that may import it
KEPT = {
    "tdw": {"render/tdw"},
    "duckdb": {"store"},
    "click": {"cli"},
    "altair": {"report"},
    "vl_convert": {"report"},
    "huggingface_hub": {"images/hub_download.py"},
}
#: Folders that import neither torch nor Warp before they need them.
TORCHLESS = ("", "store", "analysis", "learners", "report", "api", "cli")

MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))


def home(path: Path) -> str:
    return path.parts[0] if len(path.parts) > 1 else ""


def home_of(name: str) -> str:
    """Folder of an imported name such as ``t2s_offline.store.rows.make``."""
    folder = name.split(".")[1]
    return folder if folder in FLOORS else ""


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


def modules_in(name: str) -> str | None:
    """The module of the package that an imported name is, or is in."""
    parts = name.split(".")[1:]
    for count in (len(parts), len(parts) - 1):
        path = "/".join(parts[:count])
        for file in (f"{path}.py", f"{path}/__init__.py"):
            if count and (PACKAGE / file).is_file():
                return file
    return None


def test_every_folder_has_a_floor() -> None:
    assert {home(path) for path in MODULES} == set(FLOORS)
    assert len(set(FLOORS.values())) == 5


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_go_down(path: Path) -> None:
    own = home(path)
    for name, _top in imports(path):
        if name.split(".")[0] != "t2s_offline" or home_of(name) == own:
            continue
        if path in DOORS:
            assert home_of(name) in ("api", "cli"), f"{path} imports {name}"
            continue
        lower = FLOORS[home_of(name)] < FLOORS[own]
        assert lower or home_of(name) in BESIDE.get(own, ()), f"{path} (floor {FLOORS[own]}) imports {name}"


def test_no_module_imports_itself_through_others() -> None:
    """No circle, imports inside functions included."""
    to = {
        path.as_posix(): {found for name, _ in imports(path) if name.startswith("t2s_offline.")
                          and (found := modules_in(name)) and found != path.as_posix()}
        for path in MODULES
    }  # fmt: skip
    done: set[str] = set()

    def walk(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, f"circle: {' -> '.join((*trail[trail.index(module) :], module))}"
        if module not in done:
            for other in sorted(to[module]):
                walk(other, (*trail, module))
            done.add(module)

    for module in to:
        walk(module, ())


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_packages_stay_where_they_belong(path: Path) -> None:
    for name, top in imports(path):
        package = name.split(".")[0]
        if package in KEPT:
            assert any(path.as_posix().startswith(kept) for kept in KEPT[package]), f"{path} imports {package}"
        if package in ("torch", "torchvision", "warp") and home(path) in TORCHLESS:
            assert not top, f"{path} imports {package} at the top"


def test_learners_and_the_live_path_do_not_know_each_other() -> None:
    for path in MODULES:
        used = {home_of(name) for name, _ in imports(path) if name.startswith("t2s_offline.")}
        if home(path) == "learners":
            assert not used & {"render", "training", "images", "sweep", "store"}, f"{path} imports {used}"
        if home(path) == "sweep":
            assert "learners" not in used


#: What neither renders nor trains; most need no frames of polars either.
LIGHT = [
    ["--help"], ["learn", "--help"], ["query", "SELECT 1", "--store", "none.duckdb"], ["tasks"], ["embed", "--help"],
]  # fmt: skip
FRAMED = [["tables", str(PACKAGE.parent / "tables" / "tiny")]]


@pytest.mark.parametrize("arguments", [*LIGHT, *FRAMED], ids=" ".join)
def test_light_commands_import_no_torch(arguments: list[str], tmp_path: Path) -> None:
    heavy = {"torch", "torchvision", "warp", "sklearn", "scipy", "huggingface_hub"} | (
        {"polars"} if arguments in LIGHT else set()
    )
    code = (
        "import sys; sys.argv = ['t2s-offline', *sys.argv[1:]]\n"
        "from t2s_offline.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"found = {heavy!r} & set(sys.modules)\n"
        "sys.exit(f'imported {found}' if found else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_door_imports_nothing_before_it_is_needed() -> None:
    code = "import sys; before = set(sys.modules); import t2s_offline; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {name.partition(".")[0] for name in done.stdout.split()} - sys.stdlib_module_names == {"t2s_offline"}


def test_modules_say_what_they_are_and_stay_short() -> None:
    for path in MODULES:
        text = (PACKAGE / path).read_text("utf-8")
        assert ast.get_docstring(ast.parse(text)), f"{path} has no docstring"
        assert len(text.splitlines()) <= 350, f"{path} is {len(text.splitlines())} lines; split it"


def named(text: str) -> set[tuple[str, str]]:
    """(module, name) of every import of ours in a text, also in code within a string, and of every importorskip."""
    found = {(name, "") for name in re.findall(r"importorskip\(\s*[\"']((?:tests|t2s_offline)\.[\w.]+)", text)}
    for module, names in re.findall(r"\bfrom ((?:tests|t2s_offline)[\w.]*) import (\w+(?:, \w+)*)", text):
        found |= {(module, name) for name in names.split(", ")}
    return found


def test_what_tests_name_is_there() -> None:
    """Code in strings runs in other processes, and importorskip skips: neither fails when a file is imported."""
    root = PACKAGE.parent
    for path in sorted((root / "tests").rglob("*.py")):
        for module, name in named(path.read_text("utf-8")):
            place = root / module.replace(".", "/")
            file = place.with_suffix(".py") if place.with_suffix(".py").is_file() else place / "__init__.py"
            there = (place / f"{name}.py").is_file() or (place / name / "__init__.py").is_file()
            text = re.sub(r'""".*?"""', "", file.read_text("utf-8"), flags=re.DOTALL) if file.is_file() else ""
            assert there or (file.is_file() and re.search(rf"\b{name}\b", text)), f"{path}: {module} {name}"
