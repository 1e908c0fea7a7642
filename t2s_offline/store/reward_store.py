"""The reward store: recipes, tasks, embeddings, backbones and rewards, read as arrays and frames, written as frames.

`connection.py` opens the file; rows from others are checked by `import_export.py` before they are added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from t2s_offline.errors import BadFile, BadInput, Contradiction, EmptyStore, UnknownName, check_known
from t2s_offline.recipe import ACCURACY_METRICS, METRICS
from t2s_offline.store import schema
from t2s_offline.store.connection import StoreFile
from t2s_offline.store.engine import Connection

if TYPE_CHECKING:
    import polars as pl

    from t2s_offline.matrix import Embeddings, RewardMatrix
    from t2s_offline.space import SimSpace

#: Number of pictures of the test and val accuracies of each task, ordered by task. For rewards stored without n_val it
#: is the size of the task's val part, limited as the recipe limited the test part.
PICTURES = f"""
    SELECT r.task, min(r.n_eval) AS n_eval, min(coalesce(r.n_val,
           least(t.n_val, CASE WHEN r.n_eval < t.n_test THEN r.n_eval ELSE t.n_val END))) AS n_val
    FROM rewards r LEFT JOIN tasks t USING (task)
    WHERE recipe = $1 AND metric = $2 AND {schema.SIMULATED}
    GROUP BY r.task ORDER BY r.task"""
#: Most cells of a matrix, measured or not: 1 GiB. Their number depends on the space and seeds of a table from others.
MOST_CELLS = 1 << 27


@dataclass(frozen=True)
class RewardStore(StoreFile):
    """A store by its path, with its tables as arrays and frames."""

    def add(self, frames: Mapping[str, pl.DataFrame], *, replace: bool = False) -> dict[str, int]:
        """Add rows to tables in one transaction; returns how many were new, by table.

        Of a row that the store has already, only empty columns are filled in. Another result is a Contradiction, or
        overwrites the stored one with `replace`; see `schema.Role`. Other pictures of a task are always a
        Contradiction. Frames are keyed by table name and have the table's columns (`rows.typed`).
        """
        from t2s_offline.store.rows import once

        new = {}
        with self.writer() as con:
            for name, table in schema.TABLES.items():
                if name in frames and len(frames[name]):
                    new[name] = _merge(con, table, once(frames[name], table), replace=replace)
            _check_widths(con)
        return new

    def frame(self, table: str) -> pl.DataFrame:
        """A whole table, ordered by its key."""
        found = schema.TABLES[check_known("table", table, schema.TABLES)]
        with self.reader() as con:
            return _whole(con, found)

    def frames(self) -> dict[str, pl.DataFrame]:
        """Every table by name, read in one transaction, each ordered by its key."""
        with self.reader() as con:
            con.execute("BEGIN")
            try:
                return {name: _whole(con, table) for name, table in schema.TABLES.items()}
            finally:
                con.execute("ROLLBACK")

    def recipes(self) -> dict[str, SimSpace]:
        """Spaces by recipe."""
        with self.reader() as con:
            return _recipes(con)

    def recipe(self, name: str | None) -> tuple[str, SimSpace]:
        """The recipe of that name and its space, or the only one when no name is given."""
        with self.reader() as con:
            return self._recipe(con, name)

    def _recipe(self, con: Connection, name: str | None) -> tuple[str, SimSpace]:
        known = _recipes(con)
        if not known:
            if con.execute("SELECT 1 FROM rewards LIMIT 1").fetchone():
                raise BadFile(
                    f"{self.path} has rewards but no recipes, so the meaning of their configurations is not known; "
                    f"export the table again, with its recipes"
                )
            raise EmptyStore(f"{self.path} is empty; fill it with: t2s-offline fetch task2sim, or import FILE")
        if name is None:
            if len(known) > 1:
                raise BadInput(f"{self.path} has {len(known)} recipes: {', '.join(known)}; choose one with --recipe")
            name = next(iter(known))
        if name not in known:
            raise UnknownName("recipe", name, known)
        return name, known[name]

    def backbone_seconds(self, recipe: str) -> float | None:
        """Median seconds that a backbone of the recipe took to render and train; None when the store has none."""
        with self.reader() as con:
            row = con.execute(
                "SELECT median(render_seconds + train_seconds) FROM backbones WHERE recipe = $1 AND status = 'done'",
                [recipe],
            ).fetchone()
        return None if row is None or row[0] is None else float(row[0])

    def tasks(self) -> dict[str, str | None]:
        """Split (seen, unseen or None) by task."""
        with self.reader() as con:
            return dict(con.sql("SELECT task, split FROM tasks ORDER BY task").fetchall())

    def relatives(self) -> dict[str, str]:
        """Name of the source, or kind of source, by task; tasks of which none is known are not in it."""
        with self.reader() as con:
            return dict(con.sql("SELECT task, relatives FROM tasks WHERE relatives <> '' ORDER BY task").fetchall())

    def relate(self, relatives: Mapping[str, str]) -> int:
        """Set the relatives of those of these tasks that the store has; returns how many those are."""
        with self.writer() as con:
            known = {task for (task,) in con.sql("SELECT task FROM tasks").fetchall()}
            named = [(name, task) for task, name in relatives.items() if task in known]
            if named:
                con.executemany("UPDATE tasks SET relatives = $1 WHERE task = $2", named)
        return len(named)

    def digests(self) -> dict[str, str | None]:
        """Digest of the pictures (`images.task_data.task_digest`) by task; None where the store has none."""
        rows = self.frame("tasks").to_dicts()  # a store of an earlier version has no such column
        return {row["task"]: row.get("digest") or None for row in rows}

    def matrix(self, recipe: str | None = None, metric: str = "knn5") -> RewardMatrix:
        """Rewards of a recipe as arrays; tasks sorted by name, NaN where a cell is missing.

        BadFile for configurations of another space, and for accuracies that are not finite or outside 0 to 100: rows of
        a table folder have not been checked before.
        """
        import numpy as np
        import polars as pl

        from t2s_offline.matrix import RewardMatrix

        check_known("metric", metric, METRICS)
        with self.reader(("recipes", "tasks", "rewards")) as con:
            recipe, space = self._recipe(con, recipe)
            rows = con.sql(
                "SELECT task, configuration, seed, accuracy, val_accuracy FROM rewards "
                f"WHERE recipe = $1 AND metric = $2 AND {schema.SIMULATED}",
                params=[recipe, metric],
            ).pl()
            counts = con.sql(PICTURES, params=[recipe, metric]).pl() if metric in ACCURACY_METRICS else None
        if rows.is_empty():
            raise EmptyStore(f"{self.path} has no {metric} rewards under recipe {recipe}; sweep or import some")
        tasks = sorted(rows["task"].unique())
        seeds, seed_at = np.unique(rows["seed"].to_numpy(), return_inverse=True)
        try:
            task_at, configuration_at = (
                rows[name].cast(pl.Enum(values)).to_physical().to_numpy()
                for name, values in (("task", tasks), ("configuration", space.configurations))
            )
        except pl.exceptions.PolarsError as error:
            raise BadFile(
                f"{self.path} has configurations that are not of the space {space}; import it again"
            ) from error
        bad = pl.lit(False)
        for name in ("accuracy", "val_accuracy"):
            bad |= ~pl.col(name).is_finite()
            if metric in ACCURACY_METRICS:
                bad |= ~pl.col(name).is_between(0, 100)
        if len(found := rows.filter(bad)):
            task, configuration, _, *values = found.row(0)
            raise BadFile(
                f"{self.path}: {metric} of task {task}, configuration {configuration} is {values[0]}, val {values[1]}; "
                "expected percent, 0 to 100; measure or import it again"
            )
        if len(tasks) * len(space) * len(seeds) > MOST_CELLS:
            raise BadInput(
                f"{self.path}: {len(tasks)} tasks, {len(space)} configurations and {len(seeds)} seeds are more than "
                f"the {MOST_CELLS} cells that fit in memory; choose fewer"
            )
        accuracy_TCS = np.full((len(tasks), len(space), len(seeds)), np.nan)
        val_TCS = accuracy_TCS.copy()
        accuracy_TCS[task_at, configuration_at, seed_at] = rows["accuracy"].to_numpy()
        val_TCS[task_at, configuration_at, seed_at] = rows["val_accuracy"].fill_null(np.nan).to_numpy()
        n_eval, n_val = (
            (None if counts is None else counts[name].cast(pl.Float64).fill_null(np.nan).to_numpy())
            for name in ("n_eval", "n_val")
        )
        return RewardMatrix(recipe, metric, space, tuple(tasks), accuracy_TCS, val_TCS, n_eval, n_val)

    def references(self, recipe: str, metric: str = "knn5") -> dict[str, dict[str, float]]:
        """Rewards of `scratch` (initial weights) and `real:NAME` (real pictures) by name and task, mean over seeds."""
        found: dict[str, dict[str, float]] = {}
        with self.reader() as con:
            rows = con.execute(
                f"{schema.WITH_VIEWS} SELECT configuration, task, accuracy FROM reference_backbones "
                "WHERE recipe = $1 AND metric = $2 AND isfinite(accuracy) ORDER BY configuration DESC, task",
                [recipe, metric],
            ).fetchall()
        for name, task, accuracy in rows:
            found.setdefault(name, {})[task] = float(accuracy)
        return found

    def embeddings(self, probe: str | None = None) -> Embeddings:
        """Task2Vec vectors under one probe (the only one when no name is given); tasks sorted by name."""
        import numpy as np

        from t2s_offline.matrix import Embeddings

        with self.reader() as con:
            probes = [row[0] for row in con.sql("SELECT DISTINCT probe FROM embeddings ORDER BY 1").fetchall()]
            if not probes:
                raise EmptyStore(f"{self.path} has no embeddings; import some, or fetch task2sim")
            if probe is None and len(probes) > 1:
                raise BadInput(f"{self.path} has embeddings of {len(probes)} probes: {', '.join(probes)}; choose one")
            probe = check_known("probe", probe or probes[0], probes)
            rows = con.execute(
                "SELECT task, embedding FROM embeddings WHERE probe = ? ORDER BY task", [probe]
            ).fetchnumpy()
        try:
            vector_TD = np.array(list(rows["embedding"]), dtype=np.float32)
        except ValueError as error:
            raise BadFile(
                f"{self.path}: embeddings of probe {probe} have mixed dimensions; embed them again"
            ) from error
        return Embeddings(probe, tuple(rows["task"]), vector_TD)


def _recipes(con: Connection) -> dict[str, SimSpace]:
    from t2s_offline.space import SimSpace

    rows = con.sql("SELECT recipe, space FROM recipes ORDER BY recipe").fetchall()
    return {recipe: SimSpace.parse(space) for recipe, space in rows}


def _check_widths(con: Connection) -> None:
    """BadInput when a probe has embeddings of more than one dimension."""
    mixed = con.execute(
        "SELECT probe, list_sort(list(DISTINCT len(embedding))) FROM embeddings GROUP BY probe "
        "HAVING count(DISTINCT len(embedding)) > 1"
    ).fetchone()
    if mixed:
        raise Contradiction(
            f"embeddings of probe {mixed[0]} would have mixed dimensions {mixed[1]}; expected one for each probe"
        )


def _whole(con: Connection, table: schema.StoreTable) -> pl.DataFrame:
    return con.sql(f"SELECT {', '.join(table.names)} FROM {table.name} ORDER BY {', '.join(table.key)}").pl()


def _merge(con: Connection, table: schema.StoreTable, frame: pl.DataFrame, *, replace: bool) -> int:
    """Insert the rows of `frame` that are not there yet; returns how many."""
    fixed = table.of_role("fixed")
    if replace and fixed:  # a row that leaves a fixed column empty keeps the stored value
        kept = con.sql(f"SELECT {', '.join((*table.key, *fixed))} FROM {table.name}").pl()
        frame = frame.join(kept, on=table.key, how="left", suffix=" kept")
        frame = frame.with_columns(frame[v].fill_null(frame[f"{v} kept"]) for v in fixed)
    con.register("incoming", frame.select(table.names).to_arrow())
    on = " AND ".join(f"old.{key} = new.{key}" for key in table.key)
    # an empty value contradicts nothing: a task may be added without its counts first, or again later
    _refuse_contradictions(con, table, on, fixed if replace else table.settled)
    if replace:
        differ = " OR ".join(f"old.{v} <> new.{v}" for v in table.values if v not in ("created_at", "source"))
        con.execute(f"DELETE FROM {table.name} old USING incoming new WHERE {on} AND ({differ})")
    before = con.sql(f"SELECT count(*) FROM {table.name}").fetchall()[0][0]
    empty = [v for v in table.values if frame[v].count()]
    if fill := " OR ".join(f"(old.{v} IS NULL AND new.{v} IS NOT NULL)" for v in empty):
        values = ", ".join(f"{v} = coalesce(old.{v}, new.{v})" for v in empty)
        con.execute(f"UPDATE {table.name} old SET {values} FROM incoming new WHERE {on} AND ({fill})")
    con.execute(f"INSERT INTO {table.name} BY NAME SELECT * FROM incoming ON CONFLICT DO NOTHING")
    con.unregister("incoming")
    return int(con.sql(f"SELECT count(*) FROM {table.name}").fetchall()[0][0] - before)


def _refuse_contradictions(con: Connection, table: schema.StoreTable, on: str, columns: tuple[str, ...]) -> None:
    """Contradiction for the first row, by key, whose `columns` are stored with other values."""
    if not columns:
        return
    differ = " OR ".join(f"old.{v} <> new.{v}" for v in columns)
    pairs = [f"{side}.{v}" for v in columns for side in ("old", "new")]
    row = con.execute(
        f"SELECT {', '.join([*(f'new.{key}' for key in table.key), *pairs])} FROM {table.name} old "
        f"JOIN incoming new ON {on} WHERE {differ} ORDER BY ALL LIMIT 1"
    ).fetchone()
    if row is None:
        return
    key, values = row[: len(table.key)], row[len(table.key) :]
    said = dict(zip(columns, zip(values[::2], values[1::2], strict=True), strict=True))
    name, (old, new) = next(item for item in said.items() if None not in item[1] and item[1][0] != item[1][1])
    from t2s_offline.store.rows import contradiction

    raise contradiction(table, dict(zip(table.key, key, strict=True)), name, old, new)
