"""Frames with the store's columns and types, as `RewardStore.add` takes them.

Columns and types are checked here; values of rows from others are checked by `import_export.check`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import polars as pl

from t2s_offline.errors import BadFile, BadInput, Contradiction, brief, check_known
from t2s_offline.space import SimSpace
from t2s_offline.store import schema
from t2s_offline.tasks import PAPER_TASKS, relatives

DTYPES: dict[str, pl.DataType] = {
    "VARCHAR": pl.String(),
    "INTEGER": pl.Int32(),
    "BIGINT": pl.Int64(),
    "DOUBLE": pl.Float64(),
    "TIMESTAMP": pl.Datetime("us"),
    "FLOAT[]": pl.List(pl.Float32()),
}


def typed(frame: pl.DataFrame, table: schema.StoreTable, source: str) -> pl.DataFrame:
    """The table's columns with the table's types; defaults for seed, metric, created_at and source."""
    for name in frame.columns:
        check_known(f"column in {source}", name, table.names)
    defaults = {"seed": 0, "metric": "knn5", "created_at": now(), "source": source}
    columns = []
    for column in table.columns:
        dtype = DTYPES[column.type]
        if column.name not in frame.columns:
            if column.required and column.name not in defaults:
                hint = "; name it with --recipe" if column.name == "recipe" else ""
                raise BadInput(f"{source}: column {column.name} is missing ({column.meaning}){hint}")
            columns.append(pl.lit(defaults.get(column.name), dtype=dtype).alias(column.name))
        elif column.type == "FLOAT[]" and frame.schema[column.name] == pl.String:
            columns.append(pl.col(column.name).str.json_decode(pl.List(pl.Float64)).cast(dtype))
        elif column.type == "TIMESTAMP" and frame.schema[column.name] == pl.String:
            columns.append(pl.col(column.name).str.to_datetime(time_unit="us"))
        else:
            columns.append(pl.col(column.name).cast(dtype))
    try:
        typed = frame.select(columns)
    except pl.exceptions.PolarsError as error:
        raise BadFile(f"{source}: {brief(error, 200)}; expected the types of {table.name}") from error
    for column in table.columns:
        if column.required and typed[column.name].null_count():
            raise BadInput(f"{source}: column {column.name} has empty values; expected {column.meaning}")
    return typed


def once(frame: pl.DataFrame, table: schema.StoreTable) -> pl.DataFrame:
    """One row for each key: rows of one key are merged, each filling what others left empty. Contradiction when they
    differ in a result."""
    repeated = frame.select(table.key).is_duplicated()
    if not repeated.any():
        return frame
    groups = frame.filter(repeated).group_by(table.key, maintain_order=True)
    values = [pl.col(name).drop_nulls() for name in table.values]
    settled = groups.agg(pl.col(name).drop_nulls().unique(maintain_order=True) for name in table.settled)
    for name in table.settled:
        clash = settled.filter(pl.col(name).list.len() > 1)
        if len(clash):
            key = {part: clash[part][0] for part in table.key}
            old, new = clash[name][0].to_list()[:2]
            raise contradiction(table, key, name, old, new, among_new=True)
    return pl.concat([frame.filter(~repeated), groups.agg(value.first() for value in values).select(frame.columns)])


def contradiction(
    table: schema.StoreTable, key: Mapping[str, object], column: str, old: object, new: object, *,
    among_new: bool = False,
) -> Contradiction:  # fmt: skip
    """The error for a row with the value `new` where the store, or with `among_new` another new row, has `old`."""
    if column in table.of_role("fixed"):
        name = next(iter(key.values()))
        return Contradiction(
            f"task {name} here has other pictures than the store's {name}; rename yours or use another store"
        )
    row = ", ".join(f"{name} {value}" for name, value in key.items())
    where = "comes twice" if among_new else "is stored"
    message = f"{table.name}: {row} {where} with other values ({column} {shown(old)}, not {shown(new)})"
    return Contradiction(message, replaceable=not among_new)


def shown(value: object) -> str:
    """A value for a message: one short line."""
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else text[:60] + "…"


def now() -> datetime:
    """The current time in UTC, without a time zone, as in the store."""
    return datetime.now(UTC).replace(tzinfo=None)


def task_rows(names: Sequence[str], source: str) -> pl.DataFrame:
    """Rows of the tasks table; group, split and relatives from the registry where the name is in it."""
    paper = {task.name: task for task in PAPER_TASKS}
    related = relatives()
    rows = [
        {
            "task": name,
            "task_group": paper[name].group if name in paper else None,
            "split": paper[name].split if name in paper else None,
            "relatives": related.get(name),
        }
        for name in names
    ]
    return typed(
        pl.DataFrame(rows, schema_overrides=dict.fromkeys(("task_group", "split", "relatives"), pl.String)),
        schema.TASKS,
        source,
    )


def parameter_rows(spaces: Mapping[str, SimSpace], source: str) -> pl.DataFrame:
    """Rows of the parameters table for spaces by recipe."""
    rows = [
        {"recipe": name, "position": at + 1, "parameter": param.name, "levels": param.levels}
        for name, space in spaces.items()
        for at, param in enumerate(space.params)
    ]
    return typed(pl.DataFrame(rows), schema.PARAMETERS, source)
