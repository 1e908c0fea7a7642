"""A store for tests of the report: everything a report looks for, and task names that try to be something else."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from t2s_offline.store import import_export as exchange
from t2s_offline.store import schema
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed
from tests.planted import Planted, space_of

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    'O\'Brien "quoted" \\ back',
    "'; DROP TABLE rewards; --",
    "emoji 🦊 δοκιμή",
    "{{datum.x}} ${1} &amp; <b>",
    "a name that goes on and on and on, far beyond what fits beside any chart on any page",
    "Z",
)
SPACE = space_of(2, 2, 2, 2, 2)
SEEN = 5


def full_frames(names: tuple[str, ...] = HOSTILE, *, seeds: int = 2) -> dict[str, pl.DataFrame]:
    """Eight tasks by 32 configurations by seeds under two metrics, embeddings, splits, seconds, scratch."""
    planted = Planted(SPACE, tasks=len(names), seeds=seeds, noise_sd=0.4)
    matrix, embeddings = planted.draw(np.random.default_rng(3))
    rng = np.random.default_rng(4)
    rewards, backbones = [], []
    for row, task in enumerate(names):
        for at, configuration in enumerate(SPACE):
            for seed in range(seeds):
                value = float(matrix.accuracy_TCS[row, at, seed])
                cell = {"recipe": "r", "task": task, "configuration": configuration, "seed": seed, "seconds": 2.0}
                rewards.append(
                    {**cell, "metric": "knn5", "accuracy": value, "val_accuracy": value + rng.normal(0, 0.3)}
                )
                linear = min(value + 10 + rng.normal(0, 1.5), 100)
                rewards.append({**cell, "metric": "linear", "accuracy": linear, "val_accuracy": linear})
        scratch = {"recipe": "r", "task": task, "configuration": "scratch", "seed": 0, "seconds": 2.0, "metric": "knn5"}
        rewards.append({**scratch, "accuracy": 20.0 + row, "val_accuracy": 19.0})
    for configuration in SPACE:
        for seed in range(seeds):
            spent = {"status": "done", "render_seconds": 100.0, "train_seconds": 260.0 + seed, "device": "cpu"}
            backbones.append({"recipe": "r", "configuration": configuration, "seed": seed, "attempt": 1, **spent})
    vectors = [
        {"task": task, "probe": "probe", "embedding": vector.tolist()}
        for task, vector in zip(names, embeddings.vector_TD, strict=True)
    ]
    tables = {
        "rewards": typed(pl.DataFrame(rewards), schema.REWARDS, "planted"),
        "embeddings": typed(pl.DataFrame(vectors), schema.EMBEDDINGS, "planted"),
        "backbones": typed(pl.DataFrame(backbones), schema.BACKBONES, "planted"),
    }
    tables = exchange.complete(tables, {}, "planted", SPACE)
    split = [{"task": task, "split": "seen" if at < SEEN else "unseen"} for at, task in enumerate(names)]
    tables["tasks"] = tables["tasks"].drop("split").join(pl.DataFrame(split), on="task")
    return tables


def make_store(path: Path, tables: dict[str, pl.DataFrame]) -> RewardStore:
    store = RewardStore(path, lock_wait=0.2)
    store.add(tables)
    return store


def only(tables: dict[str, pl.DataFrame], **keep: pl.Expr) -> dict[str, pl.DataFrame]:
    """The tables with only some rows of those that are named."""
    return {name: frame.filter(keep[name]) if name in keep else frame for name, frame in tables.items()}


class Read(HTMLParser):
    """A page as a reader of its source sees it: text, tags, addresses."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self._within = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._within = tag
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        handlers = [name for name, _ in attrs if name.startswith("on")]
        assert not handlers, f"<{tag}> has {handlers}"

    def handle_data(self, data: str) -> None:
        if self._within not in ("script", "style"):
            self.text.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    @property
    def whole(self) -> str:
        return " ".join(self.text)


def specs_of(html: str) -> dict[str, Any]:
    """The chart specifications that a page carries."""
    found = re.search(r'<script type="application/json" id="t2s-charts">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    charts: dict[str, Any] = json.loads(found[1])["charts"]
    return charts


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two colours #rrggbb (WCAG 2.2)."""

    def luminance(colour: str) -> float:
        channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
