"""The reward store's tables and views as SQL, and the columns of its files. Text only: `store.py` runs it.

The store is one DuckDB file that any DuckDB client may open; a table folder holds the same tables as Parquet.
"""

from __future__ import annotations

from dataclasses import dataclass

VERSION = 1

#: Metrics in percent, 0 to 100. `logme` is a score without such bounds.
ACCURACY_METRICS = ("knn5", "linear", "finetune")
METRICS = (*ACCURACY_METRICS, "logme")


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    required: bool
    meaning: str


@dataclass(frozen=True)
class Table:
    """A table of the store; `key` columns are its primary key."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def values(self) -> tuple[str, ...]:
        """Columns that must agree when a row is written again: all but the key and what says when and whence."""
        return tuple(name for name in self.names if name not in (*self.key, "created_at", "source"))

    @property
    def ddl(self) -> str:
        lines = [f"{c.name} {c.type}{' NOT NULL' if c.required else ''}" for c in self.columns]
        return f"CREATE TABLE {self.name} ({', '.join(lines)}, PRIMARY KEY ({', '.join(self.key)}))"


def _table(name: str, key: str, *columns: tuple[str, str, str]) -> Table:
    keys = tuple(key.split())
    return Table(
        name,
        keys,
        tuple(Column(n, t.rstrip("!"), n in keys or t.endswith("!"), meaning) for n, t, meaning in columns),
    )


RECIPES = _table(
    "recipes",
    "recipe",
    (
        "recipe",
        "VARCHAR",
        "name or hash of everything that can change a reward but configuration, task and seed",
    ),
    ("space", "VARCHAR!", "simulation parameters in the order of the digits, name:levels,name:levels"),
    ("contents", "VARCHAR", "the recipe as JSON"),
    ("created_at", "TIMESTAMP", "when it was written, UTC"),
    ("source", "VARCHAR", "where it came from"),
)
PARAMETERS = _table(
    "parameters",
    "recipe position",
    ("recipe", "VARCHAR", "recipe"),
    ("position", "INTEGER", "place of the digit in a configuration, from 1"),
    ("parameter", "VARCHAR!", "simulation parameter"),
    ("levels", "INTEGER!", "number of levels; level 0 is off"),
)
TASKS = _table(
    "tasks",
    "task",
    ("task", "VARCHAR", "downstream task"),
    ("task_group", "VARCHAR", "natural, aerial, symbolic, medical, illustrative, texture"),
    ("split", "VARCHAR", "seen or unseen in the paper's split; empty when it has no such place"),
    ("classes", "INTEGER", "number of classes"),
    ("n_train", "INTEGER", "training pictures"),
    ("n_val", "INTEGER", "validation pictures"),
    ("n_test", "INTEGER", "test pictures"),
    ("digest", "VARCHAR", "hash of its pictures and labels; empty when not known"),
    ("source", "VARCHAR", "where it came from"),
)
EMBEDDINGS = _table(
    "embeddings",
    "task probe",
    ("task", "VARCHAR", "downstream task"),
    ("probe", "VARCHAR", "network that embedded it; vectors of different probes are never compared"),
    ("embedding", "FLOAT[]!", "Task2Vec vector; in CSV as a JSON list"),
    ("created_at", "TIMESTAMP", "when it was written, UTC"),
    ("source", "VARCHAR", "where it came from"),
)
BACKBONES = _table(
    "backbones",
    "recipe configuration seed attempt",
    ("recipe", "VARCHAR", "recipe"),
    ("configuration", "VARCHAR", "one digit a parameter"),
    ("seed", "INTEGER", "pre-training seed"),
    ("attempt", "INTEGER", "from 1"),
    ("status", "VARCHAR!", "done, running or failed"),
    ("render_seconds", "DOUBLE", "seconds"),
    ("train_seconds", "DOUBLE", "seconds"),
    ("train_accuracy", "DOUBLE", "of the pre-training on its own pictures, percent"),
    ("val_accuracy", "DOUBLE", "of the pre-training on objects held out, percent"),
    ("device", "VARCHAR", "device it was trained on"),
    ("host", "VARCHAR", "name of the machine"),
    ("versions", "VARCHAR", "package and code versions as JSON"),
    ("error", "VARCHAR", "why it failed"),
    ("created_at", "TIMESTAMP", "when it was written, UTC"),
)
REWARDS = _table(
    "rewards",
    "recipe task configuration seed metric",
    ("recipe", "VARCHAR", "recipe the reward was measured under"),
    ("task", "VARCHAR", "downstream task"),
    ("configuration", "VARCHAR", "one digit a parameter, in the order of the recipe's space"),
    ("seed", "INTEGER", "pre-training seed"),
    ("metric", "VARCHAR", "knn5, linear, finetune (percent) or logme (score)"),
    ("accuracy", "DOUBLE!", "test accuracy in percent"),
    ("val_accuracy", "DOUBLE", "val accuracy in percent; empty when it was not measured"),
    ("n_eval", "INTEGER", "test pictures"),
    ("n_val", "INTEGER", "pictures that val_accuracy rests on"),
    ("seconds", "DOUBLE", "seconds the measurement took"),
    ("created_at", "TIMESTAMP", "when it was written, UTC"),
    ("source", "VARCHAR", "where it came from"),
)
TABLES = {table.name: table for table in (RECIPES, PARAMETERS, TASKS, EMBEDDINGS, BACKBONES, REWARDS)}

VIEWS = {
    # mean over seeds: what every other view starts from
    "cells": """
        SELECT recipe, metric, task, configuration, avg(accuracy) AS accuracy, avg(val_accuracy) AS val_accuracy,
               count(*) AS seeds, stddev_samp(accuracy) AS seed_sd
        FROM rewards WHERE configuration <> 'scratch' AND configuration NOT LIKE 'real:%' GROUP BY ALL""",
    "reference_backbones": """
        SELECT recipe, metric, task, configuration, avg(accuracy) AS accuracy, avg(val_accuracy) AS val_accuracy,
               count(*) AS seeds, stddev_samp(accuracy) AS seed_sd
        FROM rewards WHERE configuration = 'scratch' OR configuration LIKE 'real:%' GROUP BY ALL""",
    "best_configuration": """
        SELECT recipe, metric, task, first(configuration ORDER BY accuracy DESC, configuration) AS configuration,
               max(accuracy) AS accuracy, avg(accuracy) AS mean_accuracy,
               max(accuracy) - avg(accuracy) AS gain, count(*) AS configurations
        FROM cells GROUP BY recipe, metric, task""",
    "main_effects": """
        SELECT c.recipe, c.metric, c.task, p.position, p.parameter,
               strpos('0123456789abcdefghijklmnopqrstuvwxyz', substr(c.configuration, p.position, 1)) - 1 AS level,
               avg(c.accuracy) AS accuracy, count(*) AS configurations
        FROM cells c JOIN parameters p ON p.recipe = c.recipe GROUP BY ALL""",
    "coverage": """
        SELECT r.recipe, r.metric, r.task, r.seed, count(*) AS cells, any_value(s.total)::BIGINT AS total,
               100.0 * count(*) / any_value(s.total) AS percent
        FROM rewards r JOIN (SELECT recipe, product(levels) AS total FROM parameters GROUP BY recipe) s
             ON s.recipe = r.recipe
        WHERE r.configuration <> 'scratch' AND r.configuration NOT LIKE 'real:%'
        GROUP BY r.recipe, r.metric, r.task, r.seed""",
    "leaderboard": """
        SELECT c.recipe, c.metric, c.configuration, count(*) AS tasks, avg(c.accuracy) AS accuracy,
               avg(b.accuracy - c.accuracy) AS regret,
               avg((b.accuracy - c.accuracy) / nullif(b.gain, 0)) AS normalised_regret
        FROM cells c JOIN best_configuration b ON (b.recipe, b.metric, b.task) = (c.recipe, c.metric, c.task)
        GROUP BY c.recipe, c.metric, c.configuration""",
}

#: What each view is for, shown by `t2s-offline query --help` and the README.
VIEW_MEANINGS = {
    "cells": "a row a (recipe, metric, task, configuration): mean over seeds and their standard deviation",
    "reference_backbones": "the same for `scratch` (random initialisation) and `real:FOLDER` (real pictures)",
    "best_configuration": "the best configuration of each task and what it gains over the mean",
    "main_effects": "mean accuracy of each task by parameter and level",
    "coverage": "how many configurations are measured, by task and seed",
    "leaderboard": "every configuration: mean accuracy and regret over tasks",
}


def ddl() -> list[str]:
    """Statements that make an empty store."""
    return [
        f"CREATE TABLE t2s_store AS SELECT {VERSION} AS version",
        *(table.ddl for table in TABLES.values()),
        *(f"CREATE VIEW {name} AS {body.strip()}" for name, body in VIEWS.items()),
    ]
