"""Options that name a renderer and say where TDW is, and the specifications that they change, for commands that render
or sweep."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from t2s_offline.cli.options import Command, note
from t2s_offline.errors import BadInput
from t2s_offline.recipe import SweepSpec, read_spec

if TYPE_CHECKING:
    from t2s_offline.api.sweep import Plan


def tdw_options(command: Command) -> Command:
    """--tdw-address, --tdw-port, --tdw-build and --tdw-assets; see `use_tdw`."""
    for name, metavar, what in (
        ("--tdw-assets", "DIR", "TDW: folder of local asset bundles and their libraries."),
        ("--tdw-build", "PATH", "TDW: build to start, with options after it if any."),
        ("--tdw-port", "PORT", "TDW: port to listen on; workers take the next ones.  [default: 1071]"),
        ("--tdw-address", "ADDRESS", "TDW: address to listen on.  [default: 127.0.0.1]"),
    ):
        command = click.option(name, metavar=metavar, help=what)(command)
    return command


def use_tdw(options: dict[str, Any]) -> dict[str, Any]:
    """Take TDW's options out. None changes a pixel, so no recipe holds them: they go into the environment, where the
    workers of a sweep find them. Returns the other options."""
    from t2s_offline.render.tdw.build import ADDRESS_VARIABLE, BUILD_VARIABLE, PORT_VARIABLE
    from t2s_offline.render.tdw.models import ASSETS_VARIABLE

    for name, variable in (
        ("tdw_assets", ASSETS_VARIABLE),
        ("tdw_build", BUILD_VARIABLE),
        ("tdw_port", PORT_VARIABLE),
        ("tdw_address", ADDRESS_VARIABLE),
    ):
        if options[name] is not None:
            os.environ[variable] = str(options[name])
    return {name: value for name, value in options.items() if not name.startswith("tdw_")}


def tdw_lists(objects: Path | None, materials: Path | None) -> dict[str, str]:
    """Options of the renderer for these lists: a recipe keeps what is in them, the environment where they lie."""
    from t2s_offline.render.tdw.models import MATERIALS_VARIABLE, OBJECTS_VARIABLE, file_digest

    options = {}
    for name, path, variable in (
        ("models", objects, OBJECTS_VARIABLE),
        ("materials", materials, MATERIALS_VARIABLE),
    ):
        if path is not None:
            options[name] = f"list:{file_digest(path)}"
            os.environ[variable] = str(path.resolve())
    return options


def own_folders(meshes: Path | None, backgrounds: Path | None) -> dict[str, str]:
    """Options of the renderer for folders of meshes and of photographs: a recipe keeps what is in them, the environment
    where they lie."""
    from t2s_offline.render.options import BACKGROUNDS_VARIABLE, MESHES_VARIABLE, folder_digest

    options = {}
    for name, path, variable in (
        ("meshes", meshes, MESHES_VARIABLE),
        ("photographs", backgrounds, BACKGROUNDS_VARIABLE),
    ):
        if path is not None:
            options[name] = f"folder:{folder_digest(path)}"
            os.environ[variable] = str(path.resolve())
    return options


def renderer_options(command: Command) -> Command:
    """--renderer, TDW's lists and folders of one's own, which change the recipes of a specification."""
    folder = click.Path(path_type=Path)
    for option in (
        click.option(
            "--backgrounds", type=folder, help="Folder of photographs, not the painted scenes: another recipe."
        ),
        click.option("--meshes", type=folder, help="Folder of class folders of meshes: another recipe."),
        click.option("--materials", type=click.Path(path_type=Path), help="TDW: file of materials' names."),
        click.option("--objects", type=click.Path(path_type=Path), help="TDW: JSON list of models."),
        click.option("--renderer", metavar="NAME", help="Another renderer than the specification's: another recipe."),
    ):
        command = option(command)
    return tdw_options(command)


def read_plan(spec_path: Path, data: Path | None, **other: Any) -> Plan:
    """The plan of a specification's file; `other`: what `changed` takes."""
    from t2s_offline.api.sweep import plan

    return plan(changed(read_spec(spec_path), **other), data)


def changed(
    spec: SweepSpec,
    renderer: str | None = None,
    objects: Path | None = None,
    materials: Path | None = None,
    meshes: Path | None = None,
    backgrounds: Path | None = None,
) -> SweepSpec:
    """The specification with another renderer, and with these lists and folders, in every recipe."""
    from t2s_offline.render.options import RENDERER_VARIABLE

    if renderer and ":" in renderer:  # the person named it, so recipes may: also in the workers of a sweep
        os.environ[RENDERER_VARIABLE] = renderer
    lists, folders = tdw_lists(objects, materials), own_folders(meshes, backgrounds)
    recipes = {}
    for recipe_id, recipe in spec.recipes.items():
        name = renderer or recipe.renderer
        if lists and name != "tdw":
            raise BadInput(f"lists of objects and materials are TDW's, not {name}'s; expected --renderer tdw with them")
        if folders and name != "builtin":
            raise BadInput(f"--meshes and --backgrounds are builtin's, not {name}'s; expected --renderer builtin")
        # options of one renderer mean nothing to another
        kept = recipe.renderer_options if name == recipe.renderer else {}
        recipes[recipe_id] = replace(recipe, renderer=name, renderer_options={**kept, **lists, **folders})
    return replace(spec, recipes=recipes)


def name_left_out(spec: SweepSpec) -> None:
    """A line on stderr for what TDW's lists name and cannot be had; bad lists are an error before any work."""
    from t2s_offline.render.renderer import recipe_renderer

    for recipe in spec.recipes.values():
        if recipe.renderer == "tdw":
            recipe_renderer(recipe, device="cpu", warn=note)
