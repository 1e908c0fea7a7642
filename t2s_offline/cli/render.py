"""render: a dataset of one configuration, or a picture of the catalogue or of configurations."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from t2s_offline.cli.options import Bar, note
from t2s_offline.cli.renderers import tdw_lists, tdw_options, use_tdw
from t2s_offline.errors import BadInput

if TYPE_CHECKING:
    from t2s_offline.render.renderer import Renderer, RenderRequest

PATH = click.Path(path_type=Path)
ALL = 10**6  # objects a category, where a list says which


@click.command()
@click.argument("configuration", required=False)
@click.option("--classes", help="How many categories, or names with commas between; all by default.")
@click.option("--images", default=20, show_default=True, help="Images a class.")
@click.option("--size", default=64, show_default=True, help="Width and height of an image in pixels.")
@click.option("--seed", default=0, show_default=True, help="Seed of the dataset.")
@click.option("--objects", default="20", show_default=True, help="Objects a category; TDW: or a JSON list of models.")
@click.option("--samples", default=4, show_default=True, help="Rays a pixel; blurred images get more.")
@click.option("--out", type=PATH, help="Folder to write the dataset to; an interrupted one is gone on with.")
@click.option("--format", "form", type=click.Choice(["png", "jpg"]), default="png", show_default=True)
@click.option("--sheet", type=PATH, help="Also write a contact sheet to this PNG file.")
@click.option("--gallery", type=PATH, help="Write a picture of every category to this PNG file.")
@click.option("--grid", type=PATH, help="Write one object under every configuration to this PNG file.")
@click.option("--one-bit", is_flag=True, help="With --grid: only one parameter varied at a time.")
@click.option("--object", "shown", help="With --grid: the object, NAME or NAME:INDEX.")
@click.option("--space", default="", help="Parameters and levels, name:levels with commas between; the paper's eight.")
@click.option("--renderer", default="builtin", show_default=True, help="Renderer, or package.module:function.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:0 ...")
@click.option("--threads", default=0, show_default=True, help="CPU threads; 0 is one a core.")
@click.option("--meshes", type=PATH, help="Folder of class folders of GLB, OBJ, PLY or STL files, not the catalogue.")
@click.option("--backgrounds", type=PATH, help="Folder of JPEG or PNG photographs, not the painted scenes.")
@click.option("--materials", type=PATH, help="TDW: file of materials' names.  [default: all]")
@tdw_options
def render(configuration: str | None, **options: Any) -> None:
    """Render a dataset under CONFIGURATION (such as 01100100) into --out, or a --gallery or --grid picture.

    \b
    Examples:
      t2s-offline render 01100100 --classes 32 --images 20 --out pictures
      t2s-offline render 11111111 --classes 16 --sheet sheet.png
      t2s-offline render --gallery gallery.png
      t2s-offline render --grid grid.png --one-bit --object motorcycle
      t2s-offline render 01100100 --renderer tdw --tdw-build TDW/TDW.x86_64 --size 256 --out pictures
    """
    from t2s_offline.render.renderer import RenderRequest
    from t2s_offline.space import TASK2SIM, SimSpace

    options = use_tdw(options)
    space = SimSpace.parse(options["space"]) if options["space"] else TASK2SIM
    jobs = [name for name in ("out", "gallery", "grid") if options[name]]
    if not jobs and not options["sheet"]:
        raise BadInput(
            "nothing to do; expected CONFIGURATION with --out DIR or --sheet FILE, or --gallery or --grid FILE"
        )
    if configuration is None and (options["out"] or options["sheet"]):
        raise BadInput(f"no CONFIGURATION; expected {len(space.params)} digits such as {space.all_off}")
    request = RenderRequest(
        configuration or space.all_off, options["images"], options["size"], options["seed"], options["samples"], space
    )
    opened = _open(options)
    for name, job in (("out", _dataset), ("sheet", _sheet), ("gallery", _gallery), ("grid", _grid)):
        if options[name]:
            click.echo(job(opened, request, options))


class Bars:
    """A progress bar for each thing that is done, one after the other."""

    def __init__(self) -> None:
        self.bars: dict[str, Bar] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        bar = self.bars.setdefault(what, Bar(what, ""))
        bar(done, total)
        if done >= total:
            bar.close()


def _open(options: dict[str, Any]) -> Renderer:
    """The renderer that the options ask for; what it leaves out and how far it is goes to stderr."""
    from t2s_offline.render.renderer import get_renderer

    wanted = options["classes"]
    classes = int(wanted) if wanted and wanted.isdecimal() else wanted.split(",") if wanted else None
    extra = {name: options[key] for name, key in (("meshes", "meshes"), ("photographs", "backgrounds")) if options[key]}
    if options["threads"]:
        extra["threads"] = options["threads"]
    if options["renderer"] == "builtin":
        extra |= {"warn": note, "progress": Bars()}
    listed = None if options["objects"].isdecimal() else Path(options["objects"])
    if options["renderer"] == "tdw":
        extra |= {"warn": note, **tdw_lists(listed, options["materials"])}
    elif listed or options["materials"]:
        raise BadInput("lists of objects and materials are TDW's; expected --renderer tdw with them")
    objects = ALL if listed else int(options["objects"])
    return get_renderer(options["renderer"], classes=classes, objects=objects, device=options["device"], **extra)


def _dataset(renderer: Renderer, request: RenderRequest, options: dict[str, Any]) -> str:
    from t2s_offline.render.dataset import write_dataset

    start = time.perf_counter()
    bar = Bar("images", " images")
    threads = options["threads"] or 2
    done = write_dataset(renderer, request, options["out"], form=options["form"], threads=threads, progress=bar)
    bar.close()
    rate = done.rendered / max(time.perf_counter() - start, 1e-9)
    kept = f", {done.kept} were there already" if done.kept else ""
    what = f"{done.images} images of {len(renderer.classes)} classes"
    return f"{options['out']}: {what}; {done.rendered} rendered ({rate:.0f}/s){kept}"


def _sheet(renderer: Renderer, request: RenderRequest, options: dict[str, Any]) -> str:
    from t2s_offline.render import sheet

    sheet.save(sheet.contact_sheet(renderer, request), options["sheet"])
    return f"{options['sheet']}: contact sheet of {request.configuration}"


def _gallery(renderer: Renderer, request: RenderRequest, options: dict[str, Any]) -> str:
    from t2s_offline.render import sheet

    sheet.save(sheet.gallery(renderer, request), options["gallery"])
    return f"{options['gallery']}: {len(renderer.classes)} categories"


def _grid(renderer: Renderer, request: RenderRequest, options: dict[str, Any]) -> str:
    from t2s_offline.render import sheet

    name = options["shown"] or renderer.classes[0]
    draw = sheet.one_bit if options["one_bit"] else sheet.all_configurations
    sheet.save(draw(renderer, request, name), options["grid"])
    return f"{options['grid']}: {name} under {'one-bit changes' if options['one_bit'] else len(request.space)}"
