"""report: one HTML page of pictures and numbers, from a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from t2s_offline.cli.learn import names_in
from t2s_offline.cli.options import (
    data_option,
    format_option,
    metric_option,
    note,
    print_rows,
    probe_option,
    recipe_option,
    store_option,
)
from t2s_offline.errors import BadInput, T2SError, check_known
from t2s_offline.store.reward_store import RewardStore

if TYPE_CHECKING:
    from t2s_offline.images.task_data import TaskData
    from t2s_offline.recipe import Recipe
    from t2s_offline.render.renderer import Renderer
    from t2s_offline.report.pictures import Studio
    from t2s_offline.training.networks import Backbone

CLASSES = 40  # of the embedded catalogue, where the recipe's own renderer is not here


@click.command()
@store_option
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="HTML file to write.")
@click.option("--policy", "folder", type=click.Path(path_type=Path), help="Folder made by learn.")
@click.option("--figures", type=click.Path(path_type=Path, file_okay=False), help="Also PNG, SVG, CSV of each figure.")
@click.option("--sizes", is_flag=True, help="Only the paper's Figures 6 to 8, of recipes that differ in one number.")
@click.option(
    "--chosen-on", metavar="STORE|TASKS", help="Tasks, with commas or of a store, that Figures 6 to 8 leave out first."
)
@click.option("--images", is_flag=True, help="Also pictures: render chosen configurations, compare kept backbones.")
@data_option
@recipe_option
@metric_option
@probe_option
@format_option("table", "json")
def report(
    store_path: Path, out: Path, folder: Path | None, figures: Path | None, sizes: bool, chosen_on: str | None,
    images: bool, data: Path | None, recipe: str | None, metric: str, probe: str | None, file_format: str,
) -> None:  # fmt: skip
    """Write a report: one HTML file that opens from disk, with nothing to download.

    \b
    Examples:
      t2s-offline report --store rewards.duckdb --policy policy --out report.html
      t2s-offline report --store rewards.duckdb --out report.html --figures figures
      t2s-offline report --store tiny.duckdb --out report.html --images
      t2s-offline report --store figures.duckdb --sizes --chosen-on rewards.duckdb --out sizes.html --figures figures
      t2s-offline report --store figures.duckdb --sizes --chosen-on usps,dtd --out sizes.html
    """
    from t2s_offline.learners.policy import load_policy
    from t2s_offline.report.write import make_report, size_figures, write_report

    saved, store = load_policy(folder) if folder else None, RewardStore(store_path)
    seen = tasks_of(chosen_on, store) if chosen_on else set[str]()
    if sizes:
        if saved is not None or images:
            raise BadInput("--sizes is of no policy and of no pictures; leave out --policy and --images, or --sizes")
        made = size_figures(store, recipe=recipe, metric=metric, chosen_on=seen)
    else:
        studio = studio_of(store, recipe, data) if images else None
        made = make_report(
            store, recipe=recipe, metric=metric, probe=probe, policy=saved, illustrate=studio, chosen_on=seen
        )
    size = write_report(made, out)
    if figures is not None:
        from t2s_offline.report.export import write_figures

        note(f"{figures}: {len(write_figures(made, figures))} files")
    if sizes:
        for _, line in made.summary:
            note(line)
    for line in made.missing:
        note(f"missing: {line}")
    counts = {"sections": len(made.sections), "figures": len(made.figures)}
    row: dict[str, object] = {"report": str(out), "MB": round(size / 1e6, 2), **counts}
    if file_format == "json":
        row["missing"] = list(made.missing)
    print_rows(list(row), [list(row.values())], file_format)


def tasks_of(given: str, store: RewardStore) -> set[str]:
    """The tasks of a store that --chosen-on means: those that another store has too, or those of these names."""
    from t2s_offline.report.scaling import shared_tasks

    if Path(given).exists():
        return shared_tasks(store, RewardStore(Path(given)))
    known = store.tasks()
    return {check_known("task (or store)", name, known) for name in names_in(given)}


def studio_of(store: RewardStore, recipe: str | None, data: Path | None) -> Studio:
    """What pictures are made with: of a sweep's recipe its renderer and kept backbones, else the embedded renderer."""
    from t2s_offline.render.renderer import get_renderer
    from t2s_offline.report.pictures import Studio
    from t2s_offline.sweep.hand_over import context_of

    name, _ = store.recipe(recipe)
    try:
        shop = context_of(store, name, device="cpu", data=data)
    except T2SError as error:
        note(f"pictures: {error}")
        renderer = get_renderer("builtin", classes=CLASSES, objects=4, device="cpu")
        return Studio(renderer, False, lambda configuration: None, lambda task, size: None, 64)
    recipe_of = shop.recipes[name]

    def backbone(configuration: str) -> Backbone | None:
        from t2s_offline.sweep.worker import Unit
        from t2s_offline.training.networks import load_backbone

        path = shop.backbone(Unit(name, configuration, 0, ()))
        return load_backbone(path).backbone if path.is_file() else None

    def task(task_name: str, size: int) -> TaskData | None:
        from t2s_offline.images.task_data import check_same_pictures, load_task

        try:
            loaded = load_task(
                task_name, size, data=data, resize=recipe_of.eval_resize, test_share=recipe_of.test_share
            )
            check_same_pictures(store.digests().get(task_name), loaded)
            return loaded
        except T2SError:
            return None

    return Studio(own_renderer(recipe_of), True, backbone, task, recipe_of.evaluated)


def own_renderer(recipe: Recipe) -> Renderer | None:
    """The renderer of a recipe, or None with a line on stderr where it cannot be opened here."""
    from t2s_offline.render.renderer import recipe_renderer

    try:
        return recipe_renderer(recipe, device="cpu")
    except T2SError as error:
        note(f"pictures: {error}")
        return None
