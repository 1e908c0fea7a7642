"""evaluate: one backbone, measured on tasks."""

from __future__ import annotations

from pathlib import Path

import click

from t2s_offline.cli.options import (
    any_version_option,
    data_option,
    device_option,
    format_option,
    print_rows,
    recipe_file_option,
    seed_option,
)
from t2s_offline.cli.place_options import place_options
from t2s_offline.device import open_device
from t2s_offline.recipe import METRICS, read_recipe


@click.command("evaluate")
@click.argument("backbone")
@click.option("--task", "names", multiple=True, metavar="TASK", help="Name, path or place; repeatable.  [default: all]")
@click.option("--metric", "metrics", multiple=True, type=click.Choice(METRICS), help="Repeatable.  [default: knn5]")
@recipe_file_option
@data_option
@any_version_option
@place_options
@seed_option
@device_option
@format_option("table", "json", "csv")
def evaluate_command(
    backbone: str, names: tuple[str, ...], metrics: tuple[str, ...], recipe_path: Path | None, data: Path | None,
    seed: int, device: str, file_format: str,
) -> None:  # fmt: skip
    """Measure a backbone's file, or `scratch` (initial weights), on tasks.

    \b
    Example:
      t2s-offline evaluate backbone.safetensors --task digits --metric knn5 --metric linear
      t2s-offline evaluate backbone.safetensors --task hf:flwrlabs/usps
    """
    from t2s_offline.images.task_data import load_task
    from t2s_offline.sweep.one_backbone import open_backbone
    from t2s_offline.tasks import locate, present
    from t2s_offline.training.evaluate import evaluate

    given = read_recipe(recipe_path)[1] if recipe_path else None
    saved, recipe = open_backbone(backbone, given, seed, open_device(device))
    rows = []
    for name in names or [located.name for located in present(data)]:
        located = locate(name, data, paths=True)
        task = load_task(located, recipe.evaluated, resize=recipe.eval_resize, test_share=recipe.test_share)
        if recipe.eval_pictures:
            task = task.limited(recipe.eval_pictures)
        for row in evaluate(saved.backbone, task.name, task.parts, recipe, metrics or ("knn5",), seed=seed):
            rows.append({"task": task.name, **vars(row)})
    print_rows(list(rows[0]), [list(row.values()) for row in rows], file_format)
