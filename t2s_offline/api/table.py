"""A reward table, opened for reading: its rewards and embeddings as arrays, its effects and SQL as frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from t2s_offline import shipped
from t2s_offline.errors import check_known
from t2s_offline.store.reward_store import RewardStore

if TYPE_CHECKING:
    import polars as pl

    from t2s_offline.matrix import Embeddings, RewardMatrix

TIMEOUT, ROWS = 60.0, 1_000_000


@dataclass(frozen=True)
class Table:
    """A reward table. `store` is what reads and writes the rows behind it."""

    store: RewardStore

    @property
    def path(self) -> Path:
        """The table folder or the DuckDB file."""
        return self.store.path

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the downstream tasks that the table knows, sorted."""
        return tuple(self.store.tasks())

    @property
    def recipes(self) -> tuple[str, ...]:
        """Names of the recipes that rewards were measured under, sorted. Rewards of two recipes are never mixed."""
        return tuple(self.store.recipes())

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics that there are rewards of, sorted: knn5, linear and finetune in percent, logme a score."""
        with self.store.reader() as con:
            return tuple(name for (name,) in con.sql("SELECT DISTINCT metric FROM rewards ORDER BY 1").fetchall())

    def sql(self, query: str, *, timeout: float = TIMEOUT, limit: int = ROWS) -> pl.DataFrame:
        """The rows of one SELECT, with the types of the database.

        Tables: rewards, tasks, embeddings, recipes, parameters, backbones. Views: best_configuration, main_effects,
        leaderboard, coverage, cells, reference_backbones. Read-only; files and networks are out of reach. QueryError
        when it is refused, fails, takes longer than `timeout` seconds or has more than `limit` rows.
        """
        from t2s_offline.store.query import query_frame

        return query_frame(self.store, query, timeout=timeout, limit=limit)

    def matrix(self, metric: str = "knn5", *, recipe: str | None = None) -> RewardMatrix:
        """Rewards by task, configuration and seed: `reward_TC` is (tasks, configurations), test accuracy in percent,
        mean over seeds, NaN where a cell is missing.

        recipe: needed where the table has several. UnknownName for another metric or recipe, EmptyStore without
        rewards.
        """
        return self.store.matrix(recipe, metric)

    def embeddings(self, probe: str | None = None) -> Embeddings:
        """Task2Vec vectors of the tasks, `vector_TD` (tasks, values), float32; probe: needed where there are several.
        EmptyStore without embeddings."""
        return self.store.embeddings(probe)

    def effects(
        self, metric: str = "knn5", *, recipe: str | None = None, tasks: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """Main effects and pairs of parameters, in percent with 95 % intervals, the largest share of variance first.

        Rows of task "all tasks" are means over tasks; then come those of each task. tasks: only these.
        """
        import polars as pl

        from t2s_offline.analysis.effects import effect_rows, report

        matrix = self.matrix(metric, recipe=recipe)
        found = report(matrix if tasks is None else matrix.select(tasks))
        columns, rows = effect_rows(found, top=len(found.effects), by_task=True)
        return pl.DataFrame(rows, schema=columns, orient="row", infer_schema_length=None)


def open_table(place: str | Path) -> Table:
    """Open a table folder, a DuckDB file (.duckdb), or a table that ships by its name, such as ``cpu``.

    What lies at the path comes before a name. BadFile when nothing is there or it is no reward table, UnknownName for a
    name that no table has.
    """
    known = shipped.tables()
    path = shipped.named(place, known)
    if not path.exists() and path.name == str(place) and not path.suffix:
        check_known("table", str(place), known, "or give the path of a table folder or a .duckdb file")
    store = RewardStore(path)
    with store.reader():  # whatever is wrong with the file is said now
        return Table(store)
