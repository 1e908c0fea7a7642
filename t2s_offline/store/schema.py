"""The reward store's tables and views as SQL, and the columns of its files. Only text; `connection.py` executes it.

The store is one DuckDB file that any DuckDB client may open; a table folder holds the same tables as Parquet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

VERSION = 3

STATUSES = ("done", "running", "failed")

#: The checksums beside the Parquet files of a table folder.
SUMS = "SHA256SUMS"

#: What happens to a column when a row is written again with another value:
#:   key           part of the primary key: it is another row
#:   fixed         identifies what was measured; always refused
#:   result        a measured value; refused, or overwritten with replace
#:   circumstance  time, place and speed of the measurement; the first value stays
Role = Literal["key", "fixed", "result", "circumstance"]


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    role: Role
    meaning: str
    required: bool = False


@dataclass(frozen=True)
class StoreTable:
    """A table of the store; its columns with the role `key` are its primary key, in their order."""

    name: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def of_role(self, *roles: Role) -> tuple[str, ...]:
        """Names of the columns with one of these roles."""
        return tuple(column.name for column in self.columns if column.role in roles)

    @property
    def key(self) -> tuple[str, ...]:
        return self.of_role("key")

    @property
    def values(self) -> tuple[str, ...]:
        """All columns but the key."""
        return self.of_role("fixed", "result", "circumstance")

    @property
    def settled(self) -> tuple[str, ...]:
        """Columns that must have the same value when a row is written again."""
        return (*self.of_role("fixed"), *self.of_role("result"))

    @property
    def ddl(self) -> str:
        """The statement that makes the table."""
        return f"CREATE TABLE {self.name} ({self._typed_columns}, PRIMARY KEY ({', '.join(self.key)}))"

    @property
    def keyless_ddl(self) -> str:
        """The same without its key, whose index takes as long to fill as the rows to read."""
        return f"CREATE TABLE {self.name} ({self._typed_columns})"

    @property
    def _typed_columns(self) -> str:
        return ", ".join(f"{c.name} {c.type}{' NOT NULL' if c.required else ''}" for c in self.columns)


def _table(name: str, *columns: tuple[str, str, Role, str]) -> StoreTable:
    """A table of the store. Columns whose type ends in ``!``, and keys, must not be empty."""
    return StoreTable(
        name,
        tuple(Column(n, t.rstrip("!"), role, text, role == "key" or t.endswith("!")) for n, t, role, text in columns),
    )


RECIPES = _table(
    "recipes",
    (
        "recipe",
        "VARCHAR",
        "key",
        "name or hash of everything that can change a reward but configuration, task and seed",
    ),
    ("space", "VARCHAR!", "result", "simulation parameters in the order of the digits, name:levels,name:levels"),
    ("contents", "VARCHAR", "result", "the recipe as JSON"),
    ("created_at", "TIMESTAMP", "circumstance", "when it was written, UTC"),
    ("source", "VARCHAR", "circumstance", "where it came from"),
)
PARAMETERS = _table(
    "parameters",
    ("recipe", "VARCHAR", "key", "recipe"),
    ("position", "INTEGER", "key", "place of the digit in a configuration, from 1"),
    ("parameter", "VARCHAR!", "result", "simulation parameter"),
    ("levels", "INTEGER!", "result", "number of levels; level 0 is off"),
)
TASKS = _table(
    "tasks",
    ("task", "VARCHAR", "key", "downstream task"),
    ("task_group", "VARCHAR", "result", "natural, aerial, symbolic, medical, illustrative, texture"),
    ("split", "VARCHAR", "result", "seen or unseen in the paper's split; empty when it has no such place"),
    ("classes", "INTEGER", "result", "number of classes"),
    ("n_train", "INTEGER", "result", "training pictures"),
    ("n_val", "INTEGER", "result", "validation pictures"),
    ("n_test", "INTEGER", "result", "test pictures"),
    ("source", "VARCHAR", "circumstance", "where it came from"),
    ("digest", "VARCHAR", "fixed", "hash of its pictures and labels; empty when not known"),
    ("relatives", "VARCHAR", "circumstance", "tasks of one source, or one kind of source, share this name"),
)
EMBEDDINGS = _table(
    "embeddings",
    ("task", "VARCHAR", "key", "downstream task"),
    ("probe", "VARCHAR", "key", "network that embedded it; vectors of different probes are never compared"),
    ("embedding", "FLOAT[]!", "result", "Task2Vec vector; in CSV as a JSON list"),
    ("created_at", "TIMESTAMP", "circumstance", "when it was written, UTC"),
    ("source", "VARCHAR", "circumstance", "where it came from"),
)
BACKBONES = _table(
    "backbones",
    ("recipe", "VARCHAR", "key", "recipe"),
    ("configuration", "VARCHAR", "key", "one digit a parameter"),
    ("seed", "INTEGER", "key", "pre-training seed"),
    ("attempt", "VARCHAR", "key", "when it was made, UTC, and random digits; numbers in tables of version 1"),
    ("status", "VARCHAR!", "result", "done, running or failed"),
    ("render_seconds", "DOUBLE", "circumstance", "seconds"),
    ("train_seconds", "DOUBLE", "circumstance", "seconds"),
    ("train_accuracy", "DOUBLE", "result", "of the pre-training on its own pictures, percent"),
    ("val_accuracy", "DOUBLE", "result", "of the pre-training on objects held out, percent"),
    ("device", "VARCHAR", "circumstance", "device it was trained on"),
    ("host", "VARCHAR", "circumstance", "name of the machine"),
    ("versions", "VARCHAR", "circumstance", "package and code versions as JSON"),
    ("error", "VARCHAR", "circumstance", "why it failed"),
    ("created_at", "TIMESTAMP", "circumstance", "when it was written, UTC"),
    ("sha256", "VARCHAR", "circumstance", "SHA-256 of the backbone's file; empty when it was not kept"),
    ("bytes", "BIGINT", "circumstance", "size of that file"),
)
REWARDS = _table(
    "rewards",
    ("recipe", "VARCHAR", "key", "recipe the reward was measured under"),
    ("task", "VARCHAR", "key", "downstream task"),
    ("configuration", "VARCHAR", "key", "one digit a parameter, in the order of the recipe's space"),
    ("seed", "INTEGER", "key", "pre-training seed"),
    ("metric", "VARCHAR", "key", "knn5, linear, finetune (percent) or logme (score)"),
    ("accuracy", "DOUBLE!", "result", "test accuracy in percent"),
    ("val_accuracy", "DOUBLE", "result", "val accuracy in percent; empty when it was not measured"),
    ("n_eval", "INTEGER", "result", "test pictures"),
    ("n_val", "INTEGER", "result", "pictures that val_accuracy rests on"),
    ("seconds", "DOUBLE", "circumstance", "seconds the measurement took"),
    ("created_at", "TIMESTAMP", "circumstance", "when it was written, UTC"),
    ("source", "VARCHAR", "circumstance", "where it came from"),
)
TABLES = {table.name: table for table in (RECIPES, PARAMETERS, TASKS, EMBEDDINGS, BACKBONES, REWARDS)}

NO_FILE = "NULL::VARCHAR AS sha256, NULL::BIGINT AS bytes"
#: How the tables of earlier versions that have changed are read as those of this one, by version. Version 2 added the
#: digest of a task and the val pictures of a reward, and made numbers of attempts text; version 3 added relatives
#: of a task and the file of a backbone.
EARLIER = {
    1: {
        "tasks": "SELECT *, NULL::VARCHAR AS digest, NULL::VARCHAR AS relatives FROM {table}",
        "backbones": f"SELECT * REPLACE (attempt::VARCHAR AS attempt), {NO_FILE} FROM {{table}}",
        "rewards": "SELECT *, NULL::INTEGER AS n_val FROM {table}",
    },
    2: {
        "tasks": "SELECT *, NULL::VARCHAR AS relatives FROM {table}",
        "backbones": f"SELECT *, {NO_FILE} FROM {{table}}",
    },
}

#: Rows of configurations: not those of reference backbones (`space.is_reference`, which costs NumPy to import).
SIMULATED = "configuration NOT IN ('scratch', 'fractals', 'dead_leaves') AND configuration NOT LIKE 'real:%'"

VIEWS = {
    # mean over seeds: what every other view starts from
    "cells": f"""
        SELECT recipe, metric, task, configuration, avg(accuracy) AS accuracy, avg(val_accuracy) AS val_accuracy,
               count(*) AS seeds, stddev_samp(accuracy) AS seed_sd
        FROM rewards WHERE {SIMULATED} GROUP BY ALL""",
    "reference_backbones": f"""
        SELECT recipe, metric, task, configuration, avg(accuracy) AS accuracy, avg(val_accuracy) AS val_accuracy,
               count(*) AS seeds, stddev_samp(accuracy) AS seed_sd
        FROM rewards WHERE NOT ({SIMULATED}) GROUP BY ALL""",
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
    "coverage": f"""
        SELECT r.recipe, r.metric, r.task, r.seed, count(*) AS cells, any_value(s.total)::BIGINT AS total,
               100.0 * count(*) / any_value(s.total) AS percent
        FROM rewards r JOIN (SELECT recipe, product(levels) AS total FROM parameters GROUP BY recipe) s
             ON s.recipe = r.recipe
        WHERE {SIMULATED}
        GROUP BY r.recipe, r.metric, r.task, r.seed""",
    "leaderboard": """
        SELECT c.recipe, c.metric, c.configuration, count(*) AS tasks, avg(c.accuracy) AS accuracy,
               avg(b.accuracy - c.accuracy) AS regret,
               avg((b.accuracy - c.accuracy) / nullif(b.gain, 0)) AS normalised_regret
        FROM cells c JOIN best_configuration b ON (b.recipe, b.metric, b.task) = (c.recipe, c.metric, c.task)
        GROUP BY c.recipe, c.metric, c.configuration""",
    # the best configuration on all seeds but one, scored on that one: only where every cell has every seed
    "cross_fitted": f"""
        SELECT f.recipe, f.metric, f.task, avg(f.accuracy) AS accuracy,
               any_value(b.accuracy) - avg(f.accuracy) AS luck, count(*) AS seeds
        FROM (
            SELECT recipe, metric, task, seed, first(accuracy ORDER BY others DESC, configuration) AS accuracy,
                   count(*) AS configurations
            FROM (
                SELECT r.recipe, r.metric, r.task, r.configuration, r.seed, r.accuracy, avg(o.accuracy) AS others
                FROM rewards r JOIN rewards o
                    ON (o.recipe, o.metric, o.task, o.configuration) = (r.recipe, r.metric, r.task, r.configuration)
                    AND o.seed <> r.seed
                WHERE {SIMULATED.replace("configuration", "r.configuration")}
                GROUP BY ALL)
            GROUP BY recipe, metric, task, seed) f
        JOIN best_configuration b ON (b.recipe, b.metric, b.task) = (f.recipe, f.metric, f.task)
        GROUP BY f.recipe, f.metric, f.task HAVING min(f.configurations) = any_value(b.configurations)""",
}

#: Views that stores of earlier versions lack, by version.
ADDED_SINCE = {1: ("cross_fitted",), 2: ("cross_fitted",)}

#: The views as a prefix of a query, so that it does not use views of these names that a file defines.
WITH_VIEWS = "WITH " + ", ".join(f"{name} AS ({body.strip()})" for name, body in VIEWS.items())


def ddl() -> str:
    """The statements that make an empty store."""
    tables = (table.ddl for table in TABLES.values())
    return ";\n".join((f"CREATE TABLE t2s_store AS SELECT {VERSION} AS version", *tables, views_ddl()))


def views_ddl() -> str:
    """The statements that make the views."""
    return ";\n".join(f"CREATE VIEW {name} AS {body.strip()}" for name, body in VIEWS.items())
