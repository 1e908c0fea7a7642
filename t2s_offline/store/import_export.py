"""Import and export of a store's tables as Parquet or CSV, with the columns documented in `schema.py`.

An export imports again to an identical store. All rows are checked before the store is opened for writing, and an
exported file is written completely or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from t2s_offline.errors import BadFile, BadInput, Contradiction, UnknownName, brief, check_known
from t2s_offline.files import write_with
from t2s_offline.recipe import ACCURACY_METRICS, METRICS, check_id
from t2s_offline.space import TASK2SIM, SimSpace, is_reference
from t2s_offline.store import schema
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import now, parameter_rows, task_rows, typed
from t2s_offline.text_tables import one_line

FORMATS = ("parquet", "csv")


def export_store(store: RewardStore, folder: Path, file_format: str = "parquet") -> dict[str, int]:
    """Write every table that has rows to folder/TABLE.FORMAT; returns rows by table. The tables are read in one
    transaction; see `write_tables`."""
    return write_tables(store.frames(), folder, file_format)


def write_tables(frames: Mapping[str, pl.DataFrame], folder: Path, file_format: str = "parquet") -> dict[str, int]:
    """Write the frames that have rows to folder/TABLE.FORMAT; returns rows by table.

    Table files of an earlier export that this one does not write are removed. The folder's checksums are removed first,
    so that an export that was interrupted does not pass `tables`.
    """
    check_known("format", file_format, FORMATS)
    frames = {name: frame for name, frame in frames.items() if len(frame)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / schema.SUMS).unlink(missing_ok=True)
        for name, frame in frames.items():
            _write(frame, folder / f"{name}.{file_format}")
        for path in table_files(folder):
            if path.name not in {f"{name}.{file_format}" for name in frames}:
                path.unlink()
    except OSError as error:
        raise BadFile(f"cannot write to {folder}: {error.strerror or error}; choose another folder") from error
    return {name: len(frame) for name, frame in frames.items()}


def table_files(folder: Path) -> list[Path]:
    """Files of tables in a folder, in any format that this module writes."""
    paths = (folder / f"{name}.{suffix}" for name in schema.TABLES for suffix in FORMATS)
    return [path for path in paths if path.is_file() or path.is_symlink()]


def _write(frame: pl.DataFrame, path: Path) -> None:
    if path.suffix == ".csv":
        lists = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.List)]
        frame = frame.with_columns(
            pl.Series(name, [json.dumps(row) for row in frame[name].to_list()], dtype=pl.String) for name in lists
        )
        write_with(path, frame.write_csv)
    else:
        write_with(path, lambda partial: frame.write_parquet(partial, compression="zstd"))


def import_path(
    store: RewardStore,
    path: Path,
    *,
    recipe: str | None = None,
    space: SimSpace | None = None,
    replace: bool = False,
) -> dict[str, int]:
    """Add a file, or every table in a folder, to the store in one transaction; returns new rows by table.

    `recipe` and `space` are for rewards that carry no recipe, or one that neither the store nor the folder knows.
    """
    if path.is_dir():
        files = table_files(path)
        if not files:
            raise BadFile(f"{path} has no table; expected files such as rewards.parquet or embeddings.csv")
    else:
        files = [path]
    frames: dict[str, pl.DataFrame] = {}
    for file in files:
        name, frame = _read(file, recipe)
        if name in frames:
            raise BadFile(f"{path} has {name} twice, as Parquet and as CSV; remove one")
        frames[name] = frame
    known = store.recipes() if store.path.exists() else {}
    whole = complete(frames, known, path.name, space)
    try:
        return store.add(whole, replace=replace)
    except Contradiction as error:
        if not error.replaceable:
            raise
        raise Contradiction(f"{error}; pass --replace to overwrite") from error


def complete(
    frames: Mapping[str, pl.DataFrame],
    known: Mapping[str, SimSpace],
    source: str,
    space: SimSpace | None = None,
) -> dict[str, pl.DataFrame]:
    """Check frames against each other and add the rows of recipes, parameters and tasks that they need."""
    frames = dict(frames)
    spaces = dict(known)
    if "recipes" in frames:
        spaces |= check_recipes(frames["recipes"], source)
    rewards = frames.get("rewards")
    if rewards is not None:
        strange = sorted(set(rewards["recipe"]) - set(spaces))
        if strange and known and space is None and "recipes" not in frames:
            raise UnknownName("recipe", strange[0], spaces, "a new recipe needs --space NAME:LEVELS,...")
        made = [
            {"recipe": name, "space": str(space or TASK2SIM), "created_at": now(), "source": source} for name in strange
        ]
        spaces |= dict.fromkeys(strange, space or TASK2SIM)
        if made:
            whole = [*frames["recipes"].to_dicts(), *made] if "recipes" in frames else made
            frames["recipes"] = typed(pl.DataFrame(whole), schema.RECIPES, source)
    check(frames, spaces, source)
    if "recipes" in frames:
        frames["parameters"] = parameter_rows({name: spaces[name] for name in frames["recipes"]["recipe"]}, source)
    if "tasks" not in frames and (names := _task_names(frames)):
        frames["tasks"] = task_rows(names, source)
    return frames


def check(frames: Mapping[str, pl.DataFrame], spaces: Mapping[str, SimSpace], source: str) -> None:
    """Raise BadInput for the first invalid row. spaces: of every recipe that rows may name."""
    if "backbones" in frames:
        check_backbones(frames["backbones"], spaces, source)
    if "rewards" in frames:
        check_rewards(frames["rewards"], spaces, source)
    if "embeddings" in frames:
        check_embeddings(frames["embeddings"], source)


def check_recipes(recipes: pl.DataFrame, source: str) -> dict[str, SimSpace]:
    """Spaces by recipe; BadInput for an invalid space, or contents that do not match the digest in the recipe's id."""
    spaces = {}
    for row in recipes.iter_rows(named=True):
        check_id(row["recipe"], row["contents"])
        try:
            spaces[row["recipe"]] = SimSpace.parse(row["space"])
        except BadInput as error:
            raise BadInput(f"{source}: recipe {row['recipe']}: {error}") from error
    return spaces


def check_backbones(backbones: pl.DataFrame, spaces: Mapping[str, SimSpace], source: str) -> None:
    """Raise BadInput for an unknown status, or a configuration that is not of its recipe's space."""
    for status in backbones["status"].unique():
        check_known(f"status in {source}", status, schema.STATUSES)
    for (name,), part in backbones.group_by("recipe", maintain_order=True):
        if str(name) in spaces:
            check_configurations(part["configuration"], spaces[str(name)])


def check_configurations(configurations: pl.Series, space: SimSpace) -> None:
    """Raise BadInput for the first that is neither in the space nor a reference backbone."""
    for configuration in configurations.unique().sort():
        if not is_reference(configuration):
            space.digits(configuration)


def _task_names(frames: Mapping[str, pl.DataFrame]) -> list[str]:
    return sorted({task for name in ("rewards", "embeddings") if name in frames for task in frames[name]["task"]})


def check_rewards(rewards: pl.DataFrame, spaces: Mapping[str, SimSpace], source: str) -> None:
    """Raise BadInput for the first invalid cell: unknown recipe, digit or metric, accuracy outside 0 to 100."""
    for (name,), part in rewards.group_by("recipe", maintain_order=True):
        if str(name) not in spaces:
            raise BadInput(f"{source}: recipe {name} has no row in recipes, so its space is not known; add that row")
        check_configurations(part["configuration"], spaces[str(name)])
    for metric in rewards["metric"].unique():
        check_known("metric", metric, METRICS)
    percent = pl.col("metric").is_in(ACCURACY_METRICS)
    for column in ("accuracy", "val_accuracy"):
        bad = rewards.filter(
            pl.col(column).is_not_null()
            & (~pl.col(column).is_finite() | (percent & ~pl.col(column).is_between(0, 100)))
        )
        if len(bad):
            row = bad.row(0, named=True)
            raise BadInput(
                f"{source}: {column} {row[column]} of task {row['task']}, configuration {row['configuration']}; "
                f"expected percent, 0 to 100"
            )
    repeated = rewards.filter(rewards.select(schema.REWARDS.key).is_duplicated())
    if len(repeated):
        cell = ", ".join(f"{key} {repeated[key][0]}" for key in schema.REWARDS.key)
        raise BadInput(f"{source}: the cell {cell} occurs more than once; expected once")


def check_embeddings(embeddings: pl.DataFrame, source: str) -> None:
    """Raise BadInput for mixed dimensions under a probe, or values that are not finite."""
    for (probe,), part in embeddings.group_by("probe", maintain_order=True):
        widths = dict(zip(part["embedding"].list.len(), part["task"], strict=True))
        if len(widths) > 1:
            shown = ", ".join(f"{width} ({task})" for width, task in sorted(widths.items()))
            raise BadInput(f"{source}: embeddings of probe {probe} have mixed dimensions: {shown}; expected one")
    for task, vector in zip(embeddings["task"], embeddings["embedding"], strict=True):
        if len(vector) == 0 or vector.null_count() or not vector.is_finite().all():
            raise BadInput(f"{source}: embedding of task {task} has no values, or some that are not finite")


def _read(file: Path, recipe: str | None) -> tuple[str, pl.DataFrame]:
    """Table name and typed frame of one file."""
    suffix = file.suffix[1:].lower()
    if suffix not in FORMATS:
        raise BadFile(f"{file}: expected a .parquet or .csv file")
    try:
        frame = pl.read_csv(file, infer_schema=False) if suffix == "csv" else pl.read_parquet(file, glob=False)
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:  # a damaged file may panic
        raise BadFile(f"cannot read {file}: {brief(error, 200)}") from error
    name = file.stem if file.stem in schema.TABLES else _table_of(frame, file)
    if recipe is not None and "recipe" not in frame.columns and name == "rewards":
        frame = frame.with_columns(pl.lit(recipe).alias("recipe"))
    return name, typed(frame, schema.TABLES[name], file.name)


def _table_of(frame: pl.DataFrame, file: Path) -> str:
    signs = {
        "rewards": "accuracy",
        "embeddings": "embedding",
        "recipes": "space",
        "tasks": "split",
        "backbones": "status",
    }
    for name, column in signs.items():
        if column in frame.columns:
            return name
    shown = one_line(", ".join(frame.columns[:8]), 200)
    raise BadFile(f"{file}: columns {shown} match no table; expected those of rewards or embeddings")
