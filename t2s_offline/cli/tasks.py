"""tasks, pretrain, evaluate, embed: the live path, one step at a time."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import click

from t2s_offline.cli.options import Bar, any_version_option, format_option, note, print_rows
from t2s_offline.device import open_device
from t2s_offline.errors import BadInput
from t2s_offline.recipe import METRICS, Recipe, read_recipe

data_option = click.option("--data", type=click.Path(path_type=Path), help="Folder of tasks.  [default: T2S_DATA]")
device_option = click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:0 …")
recipe_file_option = click.option(
    "--recipe", "recipe_path", type=click.Path(path_type=Path), help="TOML file of the recipe."
)
seed_option = click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Pre-training seed.")


@click.command("tasks")
@data_option
@any_version_option
@click.option("--present", "only_present", is_flag=True, help="Only those whose pictures are at hand.")
@click.option("--check", is_flag=True, help="Read every picture; count classes, pictures and files left out.")
@click.option("--download", metavar="TASK", help="Have torchvision download one of its six into the folder first.")
@click.option(
    "--relate",
    type=click.Path(path_type=Path),
    metavar="STORE",
    help="Write into this store which tasks are relatives, as tasks.csv in the folder says.",
)
@format_option("table", "json", "csv")
def tasks_command(
    data: Path | None, only_present: bool, check: bool, download: str | None, relate: Path | None, file_format: str
) -> None:
    """List the downstream tasks: the paper's twenty, the embedded digits, and what lies in T2S_DATA.

    \b
    Examples:
      t2s-offline tasks --present
      t2s-offline tasks --check --format json
      t2s-offline tasks --relate rewards.duckdb
    """
    if relate is not None:
        from t2s_offline.store.reward_store import RewardStore
        from t2s_offline.tasks import data_folder, relatives

        count = RewardStore(relate).relate(relatives(data_folder(data)))
        click.echo(f"{relate}: relatives of {count} tasks are set")
        return
    if download:
        from t2s_offline.images.task_data import download_task

        download_task(download, data)
    rows = task_listing(data, only_present or check)
    if check:
        rows = [checked(row, data) for row in rows]
    print_rows(list(rows[0]), [list(row.values()) for row in rows], file_format)


def task_listing(data: Path | None, only_present: bool) -> list[dict[str, Any]]:
    """A row a task: registered ones in the paper's order, then others by name."""
    from t2s_offline.tasks import DIGITS, PAPER_TASKS, present

    here = {located.name: located for located in present(data)}
    known = {task.name: task for task in (*PAPER_TASKS, DIGITS)}
    rows = []
    for name in [*known, *(name for name in here if name not in known)]:
        task, located = known.get(name), here.get(name)
        if located is None and only_present:
            continue
        rows.append({
            "task": name,
            "group": task.group if task else None,
            "split": task.split if task else None,
            "classes": task.classes if task else None,
            "images": task.images if task else None,
            "present": located.kind if located else None,
            "place": str(located.path or located.kind) if located else task.place if task else None,
        })  # fmt: skip
    return rows


def checked(row: dict[str, Any], data: Path | None) -> dict[str, Any]:
    """The row with what is really there."""
    from t2s_offline.errors import T2SError
    from t2s_offline.images.task_data import load_task

    counts: dict[str, Any] = {"version": None, "classes": None, "train": None, "val": None, "test": None}
    counts |= {"left_out": None}
    result = {"task": row["task"], **counts, "problem": None}
    try:
        loaded = load_task(row["task"], 32, data=data)
    except T2SError as error:
        return result | {"problem": str(error)}
    parts = {name: len(part) for name, part in loaded.parts.items()}
    counted = {"version": loaded.version or None, "classes": len(loaded.classes), "left_out": len(loaded.bad)}
    return result | counted | parts


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
    from t2s_offline.sweep import one_backbone as single
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
    card = single.write_backbone(out, made, recipe_id, recipe, label, seed, data.classes)
    if checkpoint is not None:  # last: until the backbone is kept, its training must not be lost
        checkpoint.unlink(missing_ok=True)
    figures = card["figures"]
    shown = {"backbone": str(out), "configuration": label, "seed": seed, "train_accuracy": figures["train_accuracy"],
             "val_accuracy": figures["val_accuracy"], "seconds": figures["seconds"]}  # fmt: skip
    print_rows(list(shown), [list(shown.values())], "table")


def training_set(folder: Path | None, configuration: str | None, recipe: Recipe, seed: int, device: Any) -> Any:
    """Pictures of the folder or of the configuration, with a bar."""
    from t2s_offline.images.training_set import folder_set
    from t2s_offline.sweep.worker import open_renderer, pinned, rendered_set

    with closing(Bar("read" if folder else "render", "picture")) as bar:
        if folder is not None:
            return folder_set(folder, recipe.rendered, device=device, progress=bar)
        renderer = open_renderer(pinned(recipe), str(device))
        return rendered_set(renderer, recipe, str(configuration), seed, device, progress=bar)


@click.command("evaluate")
@click.argument("backbone")
@click.option("--task", "names", multiple=True, metavar="TASK", help="Name or path; repeatable.  [default: present]")
@click.option("--metric", "metrics", multiple=True, type=click.Choice(METRICS), help="Repeatable.  [default: knn5]")
@recipe_file_option
@data_option
@any_version_option
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
    """
    from t2s_offline.images.task_data import load_task
    from t2s_offline.sweep import one_backbone as single
    from t2s_offline.tasks import locate, present
    from t2s_offline.training.evaluate import evaluate

    given = read_recipe(recipe_path)[1] if recipe_path else None
    saved, recipe = single.open_backbone(backbone, given, seed, open_device(device))
    rows = []
    for name in names or [located.name for located in present(data)]:
        located = locate(name, data, paths=True)
        task = load_task(located, recipe.evaluated, resize=recipe.eval_resize, test_share=recipe.test_share)
        if recipe.eval_pictures:
            task = task.limited(recipe.eval_pictures)
        for row in evaluate(saved.backbone, task.name, task.parts, recipe, metrics or ("knn5",), seed=seed):
            rows.append({"task": task.name, **vars(row)})
    print_rows(list(rows[0]), [list(row.values()) for row in rows], file_format)


@click.command("embed")
@click.argument("task", metavar="TASK|FOLDER")
@click.option("--probe", "probe_path", required=True, metavar="FILE", help="Backbone's file, or resnet18-imagenet.")
@click.option("--store", "store_path", type=click.Path(path_type=Path), help="Reward store to add the embedding to.")
@click.option("--out", type=click.Path(path_type=Path), help="Parquet file to write it to instead.")
@click.option("--samples", type=click.IntRange(2), help="Pictures drawn.  [default: 1000, or 10000 by batches]")
@click.option("--size", type=click.IntRange(8, 1024), help="Pixels.  [default: the probe's]")
@click.option(
    "--estimator", type=click.Choice(["sample", "batch", "variational"]), default="sample", show_default=True,
    help="By pictures; by batches, as the authors' vectors; or by noise.",
)  # fmt: skip
@data_option
@any_version_option
@device_option
def embed_command(
    task: str, probe_path: str, store_path: Path | None, out: Path | None, samples: int | None, size: int | None,
    estimator: Any, data: Path | None, device: str,
) -> None:  # fmt: skip
    """Embed a task by Task2Vec, for `learn` and `predict`.

    Embeddings of different probes or estimators are never mixed.

    \b
    Example:
      t2s-offline embed digits --probe probe.safetensors --store rewards.duckdb
    """
    from t2s_offline.images.task_data import check_same_pictures, load_task
    from t2s_offline.store.reward_store import RewardStore
    from t2s_offline.sweep import one_backbone as single
    from t2s_offline.tasks import locate
    from t2s_offline.training import task2vec

    if (store_path is None) == (out is None):
        raise BadInput("expected one of --store STORE and --out FILE.parquet")
    probe = task2vec.open_probe(probe_path, open_device(device))
    loaded = load_task(locate(task, data, paths=True), size or probe.size, resize=probe.resize)
    stored = RewardStore(store_path).digests() if store_path is not None and store_path.exists() else {}
    check_same_pictures(stored.get(loaded.name), loaded)
    with closing(Bar("embed", "picture")) as bar:
        vector = task2vec.embed(loaded.bank, probe, loaded.name, samples=samples, estimator=estimator, progress=bar)
    name = task2vec.probe_name(probe, size or probe.size, estimator, samples)
    new = None if loaded.name in stored else loaded.digest
    frames = single.embedding_frames(loaded.name, name, vector, loaded.source, new)
    if store_path is not None:
        RewardStore(store_path).add(frames)
    elif out is not None:
        single.write_frame(frames["embeddings"], out)
    note(f"{loaded.name}: {len(vector)} values under probe {name}, in {store_path or out}")
