"""Table folders: a store as a folder that can be passed on and checked.

A table folder has the store's tables as Parquet, a description (card.md), the probe that made its embeddings, some
backbones (backbones/), and checksums (SHA256SUMS, in the format of `sha256sum`).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from t2s_offline import shipped
from t2s_offline.errors import BadFile, BadInput, T2SError, check_known
from t2s_offline.files import digest, write_whole, write_with
from t2s_offline.space import is_reference
from t2s_offline.store import backbone_files, schema
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.schema import SUMS
from t2s_offline.tensor_files import weights_digest

if TYPE_CHECKING:
    import polars as pl

    from t2s_offline.matrix import RewardMatrix

CARD, PROBE = "card.md", "probe.safetensors"
#: Files that checksums cover; other files in a table folder are neither checked nor changed.
SEALED = frozenset((CARD, PROBE, *(f"{name}.parquet" for name in schema.TABLES)))


@dataclass(frozen=True)
class TableFolder:
    """Counts of a table folder. problem: the first error in its checksums or rows; empty when there is none."""

    name: str
    path: Path
    recipes: int
    tasks: int
    configurations: int
    seeds: int
    rewards: int
    embeddings: int
    bytes: int
    problem: str = ""


def ship(
    store: RewardStore,
    folder: Path,
    probe: Path | None = None,
    *,
    work: Path | None = None,
    whole: bool = False,
    portfolio: Callable[[RewardMatrix], Sequence[str]] | None = None,
) -> dict[str, int]:
    """Write a store as a table folder; returns rows by table, and the number of backbones copied.

    Names of machines are left out, a card that is there is kept, and a probe and backbones that are there are replaced
    or removed. A kill leaves a folder without checksums, which `describe` reports as a problem. work: folder in which a
    sweep kept its backbones; sizes and checksums that the store lacks are taken from the files. whole: leave out what
    is still being measured (`whole_units`). portfolio: which configurations' backbones of seed 0 are copied, given the
    5-NN rewards that ship.

    Raises BadInput when `probe` is not the network that made the store's embeddings, BadFile when a backbone of the
    portfolio is not in `work`.
    """
    from t2s_offline.store.import_export import write_tables

    frames = store.frames()
    if probe is not None:
        check_probe(probe, set(frames["embeddings"]["probe"]))
    if whole:
        frames |= whole_units(frames)
    written = write_tables(frames | {"backbones": shipped_backbones(frames["backbones"], work)}, folder)
    try:
        shutil.rmtree(folder / backbone_files.FOLDER, ignore_errors=True)
        if portfolio is not None:
            written["backbone files"] = copy_backbones(RewardStore(folder), portfolio, work)
        if probe is not None:
            write_with(folder / PROBE, partial(shutil.copyfile, probe))
        else:
            (folder / PROBE).unlink(missing_ok=True)
        seal(folder)
    except OSError as error:
        raise BadFile(f"cannot write to {folder}: {error.strerror or error}; choose another folder") from error
    return written


def whole_units(frames: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Backbones and rewards without the units (a seed of a configuration) that are still being measured: those that
    lack, in a metric that they have at all, a task that another unit of the recipe has."""
    import polars as pl

    rewards, unit = frames["rewards"], ("recipe", "configuration", "seed")
    count = rewards.group_by(*unit, "metric").agg(pl.len().alias("tasks"))
    full = count.with_columns(whole=pl.col("tasks") == pl.col("tasks").max().over("recipe", "metric"))
    kept = full.group_by(unit).agg(pl.col("whole").all()).filter("whole")
    return {name: frames[name].join(kept, on=unit, how="semi", maintain_order="left")
            for name in ("backbones", "rewards")}  # fmt: skip


def shipped_backbones(frame: pl.DataFrame, work: Path | None) -> pl.DataFrame:
    """Rows of backbones without names of machines, and with size and checksum of the files in `work` where a row that
    is done has none."""
    import polars as pl

    rows = frame.to_dicts()
    for row in rows:
        row["host"] = None
        name = backbone_files.backbone_name(row["recipe"], row["configuration"], row["seed"])
        file = work / f"{name}.safetensors" if work is not None else None
        if file is not None and row["status"] == "done" and not row["sha256"] and file.is_file():
            row |= {"sha256": digest(file), "bytes": file.stat().st_size}
    return pl.DataFrame(rows, schema=frame.schema)


def copy_backbones(store: RewardStore, portfolio: Callable[[RewardMatrix], Sequence[str]], work: Path | None) -> int:
    """Copy the checked backbones of seed 0 that `portfolio` names into a table folder; returns how many."""
    recipe, _ = store.recipe(None)
    files = backbone_files.backbone_files(store, recipe, work=[] if work is None else [work])
    chosen = [files.path(configuration) for configuration in portfolio(store.matrix(recipe))]
    for path in chosen:
        write_with(store.path / backbone_files.FOLDER / path.name, partial(shutil.copyfile, path))
    return len(chosen)


def seal(folder: Path) -> None:
    """Write SHA256SUMS of the tables, the card, the probe and the backbones of a folder. To be repeated after the card
    was edited."""
    lines = [f"{digest(path)}  {path.relative_to(folder).as_posix()}\n" for path in sealed_files(folder)]
    write_whole(folder / SUMS, "".join(lines).encode())


def sealed_files(folder: Path) -> list[Path]:
    """The files of a folder that checksums cover, by name."""
    backbones = (folder / backbone_files.FOLDER).glob("*.safetensors")
    own = (path for path in folder.iterdir() if path.name in SEALED)
    return sorted(path for path in (*own, *backbones) if path.is_file())


def folder_of(name: str) -> Path:
    """The folder of a table, by the table's name or by the path of the folder; UnknownName when there is neither."""
    if Path(name).is_dir():
        return Path(name)
    known = shipped.tables()
    return known[check_known("table", name, known)]


def find_tables(names: Sequence[str] = ()) -> list[TableFolder]:
    """Table folders by name or path (all known ones when none is given), each described and checked."""
    return [describe(path) for path in (map(folder_of, names) if names else shipped.tables().values())]


def describe(folder: Path) -> TableFolder:
    """Counts of a folder, and the first problem in it."""
    size = sum(path.stat().st_size for path in {*folder.iterdir(), *sealed_files(folder)} if path.is_file())
    problem = wrong_sum(folder)
    counts = dict.fromkeys(("recipes", "tasks", "configurations", "seeds", "rewards", "embeddings"), 0)
    try:
        frames = RewardStore(folder).frames()
        names = frames["rewards"]["configuration"]
        rewards = frames["rewards"].filter(~names.is_in([name for name in names.unique() if is_reference(name)]))
        counts |= {name: len(frames[name]) for name in ("recipes", "embeddings")} | {"rewards": len(rewards)}
        counts |= {f"{name}s": rewards[name].n_unique() for name in ("task", "configuration", "seed")}
        problem = problem or wrong_rows(folder, frames)
    except T2SError as error:
        problem = problem or str(error)
    return TableFolder(folder.resolve().name, folder, bytes=size, problem=problem, **counts)


def wrong_sum(folder: Path) -> str:
    """The first file that is missing, has no checksum or differs from it; empty when there is none."""
    from t2s_offline.store.import_export import table_files

    try:
        lines = (folder / SUMS).read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return f"{SUMS} is missing; export the table again"
    expected = {}
    for line in lines:
        sum_, _, name = line.partition("  ")
        # a name with another folder in it could point anywhere
        plain = name.removeprefix(f"{backbone_files.FOLDER}/")
        if len(sum_) != 64 or not plain or Path(plain).name != plain:
            return f"{SUMS} has a line that is no checksum: {line[:40]!r}"
        expected[name] = sum_
    for name, sum_ in expected.items():
        if not (folder / name).is_file():
            return f"{name} is missing"
        if digest(folder / name) != sum_:
            return f"{name} differs from its checksum"
    found = [path.relative_to(folder).as_posix() for path in sealed_files(folder)]
    more = [name for name in found if name not in expected]
    if more:
        return f"{more[0]} has no checksum"
    twice = sorted(path.name for path in table_files(folder) if path.suffix != ".parquet")
    return f"{twice[0]} does not belong here: a table folder holds Parquet" if twice else ""


def wrong_rows(folder: Path, frames: Mapping[str, pl.DataFrame]) -> str:
    """The first problem in a folder's rows, by the checks of `import`, or in its probe; empty when there is none."""
    from t2s_offline.store.import_export import check, check_recipes

    try:
        check(frames, check_recipes(frames["recipes"], "recipes.parquet"), folder.name)
        if (folder / PROBE).is_file():
            check_probe(folder / PROBE, set(frames["embeddings"]["probe"]))
    except T2SError as error:
        return str(error)
    return ""


def check_probe(path: Path, named: Set[str]) -> None:
    """BadInput when embeddings under the names `named` are of another network than the one in `path`."""
    found = weights_digest(path)
    if named and not any(f"-{found}-" in name for name in named):
        raise BadInput(
            f"{path} is a probe with weights {found}; the embeddings are of {', '.join(sorted(named))}: give that probe"
        )
