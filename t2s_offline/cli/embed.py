"""embed: the Task2Vec vector of a task, for a store or a file."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import click

from t2s_offline.cli.options import Bar, any_version_option, data_option, device_option, note
from t2s_offline.device import open_device
from t2s_offline.errors import BadInput


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
    from t2s_offline.sweep.one_backbone import embedding_frames, write_frame
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
    frames = embedding_frames(loaded.name, name, vector, loaded.source, new)
    if store_path is not None:
        RewardStore(store_path).add(frames)
    elif out is not None:
        write_frame(frames["embeddings"], out)
    note(f"{loaded.name}: {len(vector)} values under probe {name}, in {store_path or out}")
