"""What TDW's own package says of its commands: names, arguments, types, and which arguments must be given.

Two sources, independent of the adapter: the wheel ships one documented class a command (as compiled modules), and its
Python sources hold the commands that its own add-ons send.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
import typing
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourcelessFileLoader
from pathlib import Path
from typing import Any

import tdw

PACKAGE = Path(tdw.__path__[0])
COMPILED = PACKAGE / "commands" / "__pycache__"
TAG = f".{sys.implementation.cache_tag}.pyc"


@dataclass(frozen=True)
class Documented:
    """One command. arguments: name to type; required: those without a default."""

    arguments: dict[str, Any]
    required: frozenset[str]
    text: str


class _Finder(MetaPathFinder):
    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if not fullname.startswith("tdw.commands."):
            return None
        file = COMPILED / f"{fullname.rpartition('.')[2]}{TAG}"
        loader = SourcelessFileLoader(fullname, str(file))
        return importlib.util.spec_from_loader(fullname, loader) if file.exists() else None


@contextmanager
def _importable() -> Iterator[None]:
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.startswith("tdw.commands")]:
            del sys.modules[name]


@cache
def documented() -> dict[str, Documented]:
    """Every command of the package, by name."""
    found = {}
    with _importable(), warnings.catch_warnings():
        for gone in ("pkg_resources is deprecated", "the imp module is deprecated"):
            warnings.filterwarnings("ignore", message=gone)
        for file in sorted(COMPILED.glob(f"*{TAG}")):
            name = file.name.removesuffix(TAG)
            if name in ("__init__", "command"):
                continue
            module = importlib.import_module(f"tdw.commands.{name}")
            for kind in vars(module).values():
                if not isinstance(kind, type) or kind.__name__.lower() != name.replace("_", ""):
                    continue
                if inspect.isabstract(kind):
                    continue
                parameters = inspect.signature(kind).parameters
                hints = typing.get_type_hints(kind.__init__)
                required = frozenset(n for n, p in parameters.items() if p.default is inspect.Parameter.empty)
                found[name] = Documented({n: hints.get(n) for n in parameters}, required, inspect.getdoc(kind) or "")
    return found


@cache
def used_by_package() -> dict[str, set[str]]:
    """Commands that the package's own sources write out, and every argument that they give them."""
    found: dict[str, set[str]] = {}
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8", errors="replace"))):
            if not isinstance(node, ast.Dict):
                continue
            keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
            if "$type" not in keys or len(keys) < len(node.keys):
                continue
            kind = node.values[keys.index("$type")]
            if isinstance(kind, ast.Constant):
                found.setdefault(str(kind.value), set()).update(str(key) for key in keys if key != "$type")
    return found


def fits(value: Any, hint: Any) -> bool:
    """Whether a JSON value is of a documented type."""
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Union:
        return any(fits(value, kind) for kind in inside)
    if origin is dict:
        return isinstance(value, dict) and all(fits(v, inside[1]) for v in value.values())
    if origin is list:
        return isinstance(value, list) and all(fits(v, inside[0]) for v in value)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(hint, type) and type(value) is hint
