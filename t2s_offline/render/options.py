"""What a recipe may ask of a renderer: the check of its options.

Recipes come from strangers. What they may set is declared here by name with the values that are allowed, and changes
pixels only. Programs, modules, folders, addresses, ports, devices and threads come from the command line or the
environment of the person who runs it. Imports no renderer. A renderer of somebody's own declares the same as
RECIPE_OPTIONS in its module.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

from t2s_offline.errors import BadFile, BadInput

#: A text's pattern, the range of a whole number, or the type of a number or truth value.
Allowed = str | range | type
HEX = "[0-9a-f]{16}"
OPTIONS: dict[str, dict[str, Allowed]] = {
    "builtin": {"catalogue_seed": range(2**31), "meshes": f"folder:{HEX}", "photographs": f"folder:{HEX}"},
    "tdw": {
        "models": f"core|full|list:{HEX}",
        "materials": f"all|list:{HEX}",
        "quality": "low|med|high",
        "render_quality": range(6),
        "pictures": "jpg|png",
        "settle": range(101),
    },
    "fractals": {},
    "dead_leaves": {},
}
#: Where a person says the same, for a message.
THEIRS = {
    "builtin": {"meshes": "--meshes DIR", "photographs": "--backgrounds DIR", "cache": "T2S_CACHE"},
    "tdw": {
        "build": "--tdw-build", "address": "--tdw-address", "port": "--tdw-port", "assets": "--tdw-assets",
        "displays": "T2S_TDW_DISPLAY", "patience": "T2S_TDW_TIMEOUT", "models": "--objects FILE",
        "materials": "--materials FILE",
    },
}  # fmt: skip
RENDERER_VARIABLE = "T2S_RENDERER"
MESHES_VARIABLE, BACKGROUNDS_VARIABLE = "T2S_MESHES", "T2S_BACKGROUNDS"


def check_options(renderer: str, options: Mapping[str, object], declared: Mapping[str, Allowed]) -> None:
    """BadInput for the first option of a recipe that is not declared, or has a value that is not allowed."""
    for name, value in options.items():
        hint = THEIRS.get(renderer, {}).get(name)
        give = f": give {hint}" if hint else ""
        if name not in declared:
            may = "" if hint else f"; a recipe may set {', '.join(declared) or 'nothing of it'}"
            raise BadInput(f"the recipe sets {name[:40]!r} of the renderer {renderer}, which only you may{give}{may}")
        if not _fits(value, allowed := declared[name]):
            shown = _shown(allowed)
            raise BadInput(
                f"the recipe sets {name!r} of the renderer {renderer} to {str(value)[:60]!r}; expected {shown}"
                + (f"; files and folders are yours to give{give}" if hint else "")
            )


def _fits(value: object, allowed: Allowed) -> bool:
    if isinstance(allowed, str):
        return isinstance(value, str) and re.fullmatch(allowed, value) is not None
    if isinstance(allowed, range):
        return type(value) is int and value in allowed
    return type(value) is allowed or (allowed is float and type(value) is int)


def _shown(allowed: Allowed) -> str:
    if isinstance(allowed, range):
        return f"a whole number, {allowed[0]} to {allowed[-1]}"
    return allowed if isinstance(allowed, str) else "true or false" if allowed is bool else "a number"


def check_named(renderer: str) -> None:
    """BadInput for code of somebody's own that the person did not name: importing it runs it."""
    if os.environ.get(RENDERER_VARIABLE) != renderer:
        raise BadInput(
            f"the recipe's renderer is {renderer[:80]!r}, which is code that importing runs; if you trust it, name it: "
            f"--renderer, or {RENDERER_VARIABLE}, with the same text"
        )


def folder_digest(folder: Path) -> str:
    """Sixteen hex digits of what a folder holds: names and bytes of its files, hidden ones left out."""
    if not folder.is_dir():
        raise BadInput(f"{folder} is no folder; expected one of meshes or photographs")
    total = hashlib.sha256()
    try:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder)
            if path.is_file() and not any(part.startswith(".") for part in name.parts):
                with path.open("rb") as file:
                    total.update(f"{name.as_posix()}\x1f{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    except OSError as error:
        raise BadFile(f"cannot read {error.filename}: {error.strerror}; expected a folder of files") from error
    return total.hexdigest()[:16]


def given_folder(wanted: str, variable: str, option: str) -> Path:
    """The folder that the variable names, for a recipe's ``folder:DIGEST``; BadInput when it holds other files."""
    if not os.environ.get(variable):
        raise BadInput(f"the recipe wants the files {wanted}; give their folder with {option} DIR or {variable}")
    folder = Path(os.environ[variable])
    if (found := f"folder:{folder_digest(folder)}") != wanted:
        raise BadFile(f"{folder} is {found}; the recipe wants {wanted}: give the folder that it was made with")
    return folder
