"""Fixtures: tiny and real. The authors' table is used where T2S_TASK2SIM names a folder that holds it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from t2s_offline.matrix import Embeddings, RewardMatrix
from t2s_offline.space import SimParam, SimSpace
from t2s_offline.store import schema
from t2s_offline.store.fetch_published import fetch_task2sim
from t2s_offline.store.import_export import complete
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed

TINY_TASKS = ("apples", "birds", "cars", "digits")


@pytest.fixture
def tiny_space() -> SimSpace:
    return SimSpace((SimParam("rotation"), SimParam("light"), SimParam("blur")))


@pytest.fixture
def planted(tiny_space: SimSpace) -> RewardMatrix:
    """Four tasks with a best configuration each; a digit that is off by one costs 10 points."""
    best = np.array([[0, 0, 1], [1, 0, 1], [0, 1, 0], [1, 1, 1]])
    reward_TC = 80.0 - 10.0 * (tiny_space.digits_CP[None] != best[:, None]).sum(axis=2)
    return RewardMatrix("tiny", "knn5", tiny_space, TINY_TASKS, reward_TC[..., None])


@pytest.fixture
def planted_embeddings() -> Embeddings:
    rng = np.random.default_rng(5)
    vectors = np.abs(rng.normal(size=(4, 30))).astype(np.float32)
    return Embeddings("probe", TINY_TASKS, vectors)


@pytest.fixture
def tiny_frames(planted: RewardMatrix, planted_embeddings: Embeddings) -> dict[str, pl.DataFrame]:
    rewards = [
        {"recipe": "tiny", "task": task, "configuration": configuration, "accuracy": float(accuracy)}
        for task, row in zip(planted.tasks, planted.reward_TC, strict=True)
        for configuration, accuracy in zip(planted.space, row, strict=True)
    ]
    vectors = [
        {"task": task, "probe": "probe", "embedding": vector.tolist()}
        for task, vector in zip(planted_embeddings.tasks, planted_embeddings.vector_TD, strict=True)
    ]
    tables = {
        "rewards": typed(pl.DataFrame(rewards), schema.REWARDS, "planted"),
        "embeddings": typed(pl.DataFrame(vectors), schema.EMBEDDINGS, "planted"),
    }
    return complete(tables, {}, "planted", planted.space)


@pytest.fixture
def tiny_store(tmp_path: Path, tiny_frames: dict[str, pl.DataFrame]) -> RewardStore:
    store = RewardStore(tmp_path / "tiny.duckdb", lock_wait=0.2)
    store.add(tiny_frames)
    return store


@pytest.fixture(scope="session")
def task2sim_folder() -> Path:
    folder = os.environ.get("T2S_TASK2SIM")
    if not folder:
        pytest.skip("T2S_TASK2SIM names no folder with the authors' files")
    return Path(folder)


@pytest.fixture(scope="session")
def published_store(task2sim_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> RewardStore:
    store = RewardStore(tmp_path_factory.mktemp("published") / "rewards.duckdb")
    fetch_task2sim(store, task2sim_folder)
    return store
