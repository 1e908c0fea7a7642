"""pretrain: one backbone, on rendered pictures or on a folder."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from t2s_offline.cli.options import Bar, device_option, print_rows, recipe_file_option, seed_option
from t2s_offline.device import open_device
from t2s_offline.errors import BadInput
from t2s_offline.recipe import Recipe, read_recipe

if TYPE_CHECKING:
    import torch

    from t2s_offline.images.training_set import TrainingSet


@click.command("pretrain")
@click.option("--images", "folder", type=click.Path(path_type=Path), help="Class folders of pictures to train on.")
@click.option("--config", "configuration", metavar="CONFIG", help="Configuration to render, as in 01100100.")
@recipe_file_option
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File of the backbone (safetensors).")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="File to resume from, rewritten every epoch.")
@seed_option
@device_option
@click.option("--compile", "compiled", is_flag=True, help="Compile the network first (torch.compile).")
def pretrain_command(
    folder: Path | None, configuration: str | None, recipe_path: Path | None, out: Path, checkpoint: Path | None,
    seed: int, device: str, compiled: bool,
) -> None:  # fmt: skip
    """Pre-train a backbone on a configuration's pictures, or on a folder of class folders.

    \b
    Examples:
      t2s-offline pretrain --config 01100100 --recipe cpu.toml --out backbone.safetensors
      t2s-offline pretrain --images pictures/ --out backbone.safetensors
    """
    from t2s_offline.sweep.one_backbone import write_backbone
    from t2s_offline.training.pretrain import pretrain

    if (folder is None) == (configuration is None):
        raise BadInput("expected one of --images FOLDER and --config CONFIG")
    recipe_id, recipe = read_recipe(recipe_path) if recipe_path else (Recipe().recipe_id(), Recipe())
    place = open_device(device)
    data = training_set(folder, configuration, recipe, seed, place)
    label = configuration or f"real:{Path(str(folder)).resolve().name}"
    with closing(Bar("pretrain", "step")) as bar:
        made = pretrain(
            data, recipe, configuration=label, seed=seed, device=place, checkpoint=checkpoint, compiled=compiled,
            progress=bar,
        )  # fmt: skip
    card = write_backbone(out, made, recipe_id, recipe, label, seed, data.classes)
    if checkpoint is not None:  # last: until the backbone is kept, its training must not be lost
        checkpoint.unlink(missing_ok=True)
    figures = card["figures"]
    shown = {"backbone": str(out), "configuration": label, "seed": seed, "train_accuracy": figures["train_accuracy"],
             "val_accuracy": figures["val_accuracy"], "seconds": figures["seconds"]}  # fmt: skip
    print_rows(list(shown), [list(shown.values())], "table")


def training_set(
    folder: Path | None, configuration: str | None, recipe: Recipe, seed: int, device: torch.device
) -> TrainingSet:
    """Pictures of the folder, or rendered under the configuration, with a progress bar."""
    from t2s_offline.images.training_set import folder_set
    from t2s_offline.sweep.pictures import open_renderer, rendered_set
    from t2s_offline.sweep.worker import pinned

    with closing(Bar("read" if folder else "render", "picture")) as bar:
        if folder is not None:
            return folder_set(folder, recipe.rendered, device=device, progress=bar)
        renderer = open_renderer(pinned(recipe), str(device))
        return rendered_set(renderer, recipe, str(configuration), seed, device, progress=bar)
