"""Makes tables and specifications that name programs, modules and folders, which no command may use."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from t2s_offline.recipe import Recipe
from t2s_offline.render import pixels
from t2s_offline.space import TASK2SIM
from t2s_offline.store import schema
from t2s_offline.store.import_export import complete
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed
from t2s_offline.store.table_folders import ship

SMALL: dict[str, Any] = {"classes": 2, "objects": 1, "images": 4, "size": 16, "epochs": 1, "batch": 4, "samples": 1}
SEEN = ("00000000", "11111111", "01100100", "10000010")


class Trap:
    """A program, a module and a folder that nothing may start, import or fill: `sprung` says what was."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.mark, self.outside = folder, folder / "sprung", folder / "outside"
        self.outside.mkdir(parents=True)
        self.program = folder / "program"
        self.program.write_text(f"#!/bin/sh\ntouch '{self.mark}'\n")
        self.program.chmod(0o755)
        modules = folder / "modules"
        modules.mkdir()
        text = f"from pathlib import Path\nPath({str(self.mark)!r}).touch()\nPIXELS = '1'\n"
        (modules / "sprung_module.py").write_text(text + "def opened(**asked):\n    raise SystemExit(3)\n")
        self.environment = {
            "PATH": f"{self.fake_path()}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join([str(modules), os.environ.get("PYTHONPATH", "")]),
        }

    def fake_path(self) -> Path:
        """A folder for PATH whose programs are the trap."""
        folder = self.folder / "bin"
        folder.mkdir()
        for name in ("TDW.x86_64", "sh", "xterm", "curl"):
            (folder / name).symlink_to(self.program)
        return folder

    def sprung(self) -> list[str]:
        """What was started, imported or written; empty when nothing was."""
        return [str(path) for path in (self.mark, *self.outside.rglob("*")) if path.exists()]


def recipes(trap: Trap) -> dict[str, dict[str, Any]]:
    """Values of recipes, by what they reach for."""
    return {
        "build": {"renderer": "tdw", "renderer_options": {"build": str(trap.program)}},
        "words": {"renderer": "tdw", "renderer_options": {"build": f"/bin/sh {trap.program}"}},
        "address": {"renderer": "tdw", "renderer_options": {"address": "0.0.0.0", "port": 80}},
        "list": {"renderer": "tdw", "renderer_options": {"models": "/etc/passwd"}},
        "assets": {"renderer": "tdw", "renderer_options": {"assets": str(trap.outside)}},
        "cache": {"renderer": "builtin", "renderer_options": {"cache": str(trap.outside)}},
        "meshes": {"renderer": "builtin", "renderer_options": {"meshes": "/"}},
        "photographs": {"renderer": "builtin", "renderer_options": {"photographs": "/etc"}},
        "unknown": {"renderer": "builtin", "renderer_options": {"warn": "x\ny"}},
        "kind": {"renderer": "builtin", "renderer_options": {"catalogue_seed": True}},
        "module": {"renderer": "sprung_module:opened"},
        "relative": {"renderer": ".sprung_module:opened"},
    }


def specification(path: Path, values: dict[str, Any], **other: Any) -> Path:
    """A specification file with these values in its recipe."""

    def toml(table: dict[str, Any]) -> list[str]:
        return [f"{key} = {json.dumps(value)}" for key, value in table.items() if not isinstance(value, dict)]

    options = values.get("renderer_options", {})
    design = {"kind": "list", "configurations": list(SEEN), **other.pop("design", {})}
    lines = [*toml({"tasks": ["digits"], **other}), "[design]", *toml(design), "[recipe]", *toml({**SMALL, **values})]
    path.write_text("\n".join([*lines, "[recipe.renderer_options]", *toml(options)]) + "\n")
    return path


def table(folder: Path, values: dict[str, Any], *, tasks: tuple[str, ...] = ("digits", "other")) -> Path:
    """A whole table folder, sealed as one of ours, whose one recipe has these values. Some cells are missing."""
    version = {
        "renderer_version": {"tdw": "1", "builtin": pixels.version("builtin")}.get(
            values.get("renderer", "builtin"), "1"
        )
    }
    recipe = Recipe(**{**SMALL, **version, **values})
    return shipped(folder, recipe.recipe_id("theirs"), recipe, tasks)


def shipped(folder: Path, recipe_id: str, recipe: Recipe, tasks: tuple[str, ...] = ("digits", "other")) -> Path:
    """A table folder of a recipe under this id; every fourth configuration has rewards."""
    row = {"recipe": recipe_id, "space": str(TASK2SIM), "contents": recipe.contents(), "source": "sweep"}
    rewards = [
        {
            "recipe": recipe_id,
            "task": task,
            "configuration": c,
            "accuracy": 50.0 + at % 7,
            "val_accuracy": 50.0 + at % 5,
        }
        for task in tasks
        for at, c in enumerate(list(TASK2SIM)[::4])
    ]
    vectors = [{"task": task, "probe": "p", "embedding": [1.0, float(at)]} for at, task in enumerate(tasks)]
    frames = {
        "rewards": typed(pl.DataFrame(rewards), schema.REWARDS, "sweep"),
        "embeddings": typed(pl.DataFrame(vectors), schema.EMBEDDINGS, "sweep"),
    }
    store = RewardStore(folder.with_suffix(".duckdb"))
    whole = complete(frames, {}, "sweep")
    store.add({**whole, "recipes": typed(pl.DataFrame([row]), schema.RECIPES, "sweep")})
    ship(store, folder)
    return folder


def renamed(recipe: Recipe, **values: Any) -> tuple[str, Recipe]:
    """The id of one recipe with the contents of another."""
    return recipe.recipe_id("theirs"), replace(recipe, **values)
