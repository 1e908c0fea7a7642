"""embed: the Task2Vec vectors of tasks, for a store or a file."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from t2s_offline.cli.options import Bar, any_version_option, data_option, device_option, note
from t2s_offline.cli.place_options import place_options
from t2s_offline.device import open_device
from t2s_offline.errors import BadInput, T2SError

if TYPE_CHECKING:
    import polars as pl


@click.command("embed")
@click.argument("names", nargs=-1, metavar="[TASK|FOLDER|PLACE]...")
@click.option("--all", "every", is_flag=True, help="Every task at hand.")
@click.option("--probe", "probe_path", required=True, metavar="FILE", help="Backbone's file, or resnet18-imagenet.")
@click.option("--store", "store_path", type=click.Path(path_type=Path), help="Reward store to add the embeddings to.")
@click.option("--out", type=click.Path(path_type=Path), help="Parquet file to write them to instead.")
@click.option("--samples", type=click.IntRange(2), help="Pictures drawn.  [default: 1000, or 10000 by batches]")
@click.option("--size", type=click.IntRange(8, 1024), help="Pixels.  [default: the probe's]")
@click.option(
    "--estimator", type=click.Choice(["sample", "batch", "variational"]), default="sample", show_default=True,
    help="By pictures; by batches, as the authors' vectors; or by noise.",
)  # fmt: skip
@data_option
@any_version_option
@place_options
@device_option
def embed_command(
    names: tuple[str, ...], every: bool, probe_path: str, store_path: Path | None, out: Path | None,
    samples: int | None, size: int | None, estimator: Any, data: Path | None, device: str,
) -> None:  # fmt: skip
    """Embed tasks by Task2Vec, for `learn` and `predict`.

    Embeddings of different probes or estimators are never mixed. Each is written when it is made; with --all, tasks
    that the store has under this probe are passed over, so the same command goes on after an interruption.

    \b
    Examples:
      t2s-offline embed digits --probe probe.safetensors --store rewards.duckdb
      t2s-offline embed --all --probe probe.safetensors --store rewards.duckdb
      t2s-offline embed hf:flwrlabs/pacs --probe probe.safetensors --out pacs.parquet
    """
    from t2s_offline.images.task_data import check_same_pictures, load_task
    from t2s_offline.store.reward_store import RewardStore
    from t2s_offline.sweep.one_backbone import embedding_frames, write_frame
    from t2s_offline.tasks import locate, present
    from t2s_offline.training import task2vec

    if (store_path is None) == (out is None):
        raise BadInput("expected one of --store STORE and --out FILE.parquet")
    if bool(names) == every:
        raise BadInput("expected the names of tasks, or --all for every task at hand")
    found = present(data) if every else [locate(name, data, paths=True) for name in names]
    probe = task2vec.open_probe(probe_path, open_device(device))
    called = task2vec.probe_name(probe, size or probe.size, estimator, samples)
    stored = RewardStore(store_path).digests() if store_path is not None and store_path.exists() else {}
    if every and stored and store_path is not None:
        made = embedded(store_path, called)
        if there := [located.name for located in found if located.name in made]:
            note(f"{len(there)} of {len(found)} tasks have embeddings under probe {called} in {store_path}")
        found = [located for located in found if located.name not in made]
    failed: list[str] = []
    written: list[pl.DataFrame] = []
    for located in found:
        try:
            loaded = load_task(located, size or probe.size, resize=probe.resize)
            check_same_pictures(stored.get(loaded.name), loaded)
            with closing(Bar(f"embed {loaded.name}", "picture")) as bar:
                vector = task2vec.embed(
                    loaded.bank, probe, loaded.name, samples=samples, estimator=estimator, progress=bar
                )
        except T2SError as error:
            if len(found) == 1:
                raise
            note(f"warning: {error}")
            failed.append(located.name)
            continue
        new = None if loaded.name in stored else loaded.digest
        frames = embedding_frames(loaded.name, called, vector, loaded.origin, new)
        if store_path is not None:
            RewardStore(store_path).add(frames)
        elif out is not None:
            written.append(frames["embeddings"])
            write_together(written, out, write_frame)
        note(f"{loaded.name}: {len(vector)} values under probe {called}, in {store_path or out}")
    if failed:
        raise BadInput(f"{len(failed)} of {len(found)} tasks were not embedded: {', '.join(failed)}; see above")


def write_together(frames: Sequence[pl.DataFrame], out: Path, write: Any) -> None:
    """The embeddings so far as one file, whole at any time."""
    import polars as pl

    write(pl.concat(frames), out)


def embedded(store: Path, probe: str) -> set[str]:
    """Tasks that have an embedding under a probe in a store."""
    from t2s_offline.store.reward_store import RewardStore

    frame = RewardStore(store).frame("embeddings")
    return set(frame.filter(frame["probe"] == probe)["task"].to_list())
