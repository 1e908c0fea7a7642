"""tests/bench/table.py prints what the card of tables/cpu quotes, in small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from t2s_offline.space import TASK2SIM
from t2s_offline.store import schema
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import task_rows, typed
from tests.bench import table
from tests.planted import Planted


@pytest.fixture
def store(tmp_path: Path) -> RewardStore:
    """Planted rewards of six tasks in two groups, two seeds, three metrics that are one reward with noise."""
    rng = np.random.default_rng(0)
    matrix, embeddings = Planted(TASK2SIM, tasks=6).draw(rng)
    store = RewardStore(tmp_path / "s.duckdb")
    rewards = [
        {"recipe": "toy-12345678", "task": task, "configuration": name, "seed": seed, "metric": metric,
         "accuracy": float(np.clip(matrix.reward_TC[row, at] + rng.normal(), 0, 100))}
        for row, task in enumerate(matrix.tasks)
        for at, name in enumerate(TASK2SIM)
        for seed in (0, 1)
        for metric in ("knn5", "linear", "logme")
    ]  # fmt: skip
    vectors = [
        {"task": task, "probe": "p", "embedding": embeddings.vector_TD[row].tolist()}
        for row, task in enumerate(embeddings.tasks)
    ]
    grouped = task_rows(matrix.tasks, "planted").with_columns(
        task_group=pl.Series(["aerial", "texture"] * 3), relatives=pl.Series(["x", None, "x", None, None, None])
    )
    store.add(
        {
            "recipes": typed(
                pl.DataFrame([{"recipe": "toy-12345678", "space": str(TASK2SIM)}]), schema.RECIPES, "planted"
            ),
            "tasks": grouped,
            "rewards": typed(pl.DataFrame(rewards), schema.REWARDS, "planted"),
            "embeddings": typed(pl.DataFrame(vectors), schema.EMBEDDINGS, "planted"),
        }
    )
    return store


def test_best_and_groups(store: RewardStore, capsys: pytest.CaptureFixture[str]) -> None:
    table.best(store)
    table.groups(store)
    printed = capsys.readouterr().out
    assert "6 tasks, 256 configurations, " in printed
    assert printed.partition("greedy portfolio of 8: ")[2].partition("\n")[0].count(",") == 7
    assert "| aerial | 3 | " in printed
    assert "| texture | 3 | " in printed


def test_policies_says_what_compare_says(store: RewardStore, capsys: pytest.CaptureFixture[str]) -> None:
    table.policies(store, "best_fixed,surrogate")
    printed = capsys.readouterr().out
    for learner in ("best_fixed", "surrogate", "surrogate_shortlist", "portfolio"):
        assert f"| {learner} | " in printed
    assert printed.count("| portfolio | ") == len(table.MEASURED)
    goal = printed.partition("| K | aim | surrogate |  |\n")[2]
    assert [line.split(" | ")[0].strip("| ") for line in goal.splitlines()[1:]] == ["0", "4", "8", "16"]
    assert "2 of 6 tasks are left out with their relatives" in printed


def test_a_portfolio_measured_by_every_metric(store: RewardStore, capsys: pytest.CaptureFixture[str]) -> None:
    table.metrics_measured(store)
    printed = capsys.readouterr().out
    for name in ("all metrics", "5-NN alone", "best of the portfolio"):
        assert [line.split(" | ")[1] for line in printed.splitlines() if line.startswith(f"| {name} ")] == [
            str(count) for count in table.MEASURED
        ]
