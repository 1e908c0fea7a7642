"""Fetch the authors' published reward table and Task2Vec vectors, and put them into a store.

The files come from their public repository at one commit, or from a folder; their SHA-256 is always checked. They
become the recipe `task2sim-cvpr2022` with 20 tasks x 256 configurations. They are not part of this project, because
their repository states no licence.
"""

from __future__ import annotations

import json
import math
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from t2s_offline.errors import BadFile, BadInput, WrongHash, brief
from t2s_offline.files import digest
from t2s_offline.space import TASK2SIM
from t2s_offline.store import schema
from t2s_offline.store.import_export import complete
from t2s_offline.store.published import COMMIT, RECIPE, SOURCE
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed
from t2s_offline.tasks import PAPER_PROBE

URL = "https://raw.githubusercontent.com/samarth4149/task2sim/" + COMMIT
TIMEOUT = 60.0

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Remote:
    """A file of the authors: path in their repository, sha256 of its contents."""

    path: str
    sha256: str

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


REWARDS = Remote("controller_db/reward_db.json", "1498ff9576022b955648a38cc1aaf4cca34a56f12f757e726e9e57d590786859")
EMBEDDINGS = (
    Remote(
        "task_db/resnet18_imagenet_12_seen_tasks.pt",
        "88b75a8350c91cadb5c2f9aa33a624e299fb09d92241ef9e0161d49c486d0d4d",
    ),
    Remote(
        "task_db/resnet18_imagenet_8_unseen_tasks.pt",
        "7105a6da91f3ee67863df50d2f3330f54c91546e859dd4e7f592936c90e0a4eb",
    ),
)

#: The parts of the authors' keys, in their order, and this project's parameter; `pose_cam` is always 0.
KEY_PARTS = {
    "backgr": "background",
    "blur": "focus_blur",
    "lighting_color": "light_colour",
    "lighting_dir": "light_direction",
    "lighting_intensity": "light_intensity",
    "materials": "materials",
    "pose_cam": None,
    "pose_rot": "object_rotation",
    "pose_scale": "object_distance",
}
OFF_ON = {None: ("0",), "materials": ("1", "3")}


def fetch_task2sim(store: RewardStore, folder: Path | None = None, progress: Progress | None = None) -> dict[str, int]:
    """Import the authors' files from `folder`, or from their repository; returns new rows by table."""
    with tempfile.TemporaryDirectory(prefix="t2s-fetch-") as scratch:
        files = {}
        for remote in (REWARDS, *EMBEDDINGS):
            if folder is not None:
                files[remote] = folder / remote.name
            else:
                files[remote] = download(remote, Path(scratch), progress)
            check_hash(files[remote], remote.sha256)
        tables = {
            "recipes": recipe_frame(),
            "rewards": reward_frame(parse_rewards(files[REWARDS].read_bytes())),
            "embeddings": embedding_frame(
                {k: v for remote in EMBEDDINGS for k, v in parse_embeddings(files[remote]).items()}
            ),
        }
    return store.add(complete(tables, {}, SOURCE))


def download(remote: Remote, folder: Path, progress: Progress | None) -> Path:
    """Fetch one file over HTTPS into `folder`."""
    url = f"{URL}/{remote.path}"
    target = folder / remote.name
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer, target.open("wb") as file:
            total = int(answer.headers.get("Content-Length") or 0)
            while chunk := answer.read(1 << 16):
                file.write(chunk)
                if progress is not None:
                    progress(remote.name, file.tell(), total)
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise BadFile(
            f"cannot download {url}: {reason}; without a network, take the files from a folder with --from DIR"
        ) from error
    return target


def check_hash(path: Path, sha256: str) -> None:
    """WrongHash when the file's contents are not what the hash says."""
    try:
        found = digest(path)
    except OSError as error:
        raise BadFile(f"cannot read {path}: {error.strerror}; expected the authors' file of that name") from error
    if found != sha256:
        raise WrongHash(f"{path} has sha256 {found[:12]}…; expected {sha256[:12]}…; fetch it again")


def configuration_of(key: str) -> str:
    """This project's digits for one of the authors' keys: nine integers joined by ``_``."""
    parts = key.split("_")
    if len(parts) != len(KEY_PARTS):
        raise BadInput(f"key {key!r} has {len(parts)} parts; expected {len(KEY_PARTS)}: {'_'.join(KEY_PARTS)}")
    digit = {}
    for part, (theirs, ours) in zip(parts, KEY_PARTS.items(), strict=True):
        allowed = OFF_ON.get(ours, ("0", "1"))
        if part not in allowed:
            raise BadInput(f"key {key!r}: {theirs} is {part!r}; expected {' or '.join(allowed)}")
        digit[ours] = allowed.index(part)
    return TASK2SIM.configuration([digit[name] for name in TASK2SIM.names])


def parse_rewards(content: bytes) -> dict[str, dict[str, float]]:
    """Accuracy in percent by task and configuration; BadInput unless every task has every configuration."""
    try:
        table: Any = json.loads(content)
    except ValueError as error:
        raise BadFile(f"{REWARDS.name} is not JSON: {error}") from error
    if not isinstance(table, dict) or not table:
        raise BadFile(f"{REWARDS.name}: expected an object of tasks")
    rewards: dict[str, dict[str, float]] = {}
    for task, cells in table.items():
        if not isinstance(cells, dict):
            raise BadFile(f"{REWARDS.name}: {task} holds no object of configurations")
        rewards[task] = {}
        for key, value in cells.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
                raise BadInput(f"{REWARDS.name}: reward {value} of {task}, {key}; expected percent, 0 to 100")
            rewards[task][configuration_of(key)] = float(value)
        missing = sorted(set(TASK2SIM) - set(rewards[task]))
        if missing:
            raise BadInput(f"{REWARDS.name}: {task} lacks {len(missing)} of 256 configurations, first {missing[0]}")
    return rewards


def parse_embeddings(path: Path) -> dict[str, list[float]]:
    """Task2Vec vectors by task: hessian / scale. torch reads tensors only, so no code in the file runs."""
    import torch

    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        vectors = {task: part["hessian"].double() / part["scale"].double() for task, part in content.items()}
        rows = {str(task): vector.float().tolist() for task, vector in vectors.items()}
    except Exception as error:  # torch raises many kinds for a damaged file
        raise BadFile(f"{path} is no file of Task2Vec vectors: {brief(error, 120)}") from error
    for task, row in rows.items():
        if not isinstance(row, list) or not all(math.isfinite(value) for value in row):
            raise BadInput(f"{path}: the embedding of {task} is not a list of finite numbers")
    return rows


def recipe_frame() -> pl.DataFrame:
    contents = {
        "renderer": "ThreeDWorld", "classes": 100, "objects": 787, "images_per_class": 400, "size": 224,
        "backbone": "resnet50", "epochs": 100, "batch": 256, "optimiser": "adamw", "rate": 1e-3, "weight_decay": 0.05,
    }  # fmt: skip
    row = {"recipe": RECIPE, "space": str(TASK2SIM), "contents": json.dumps(contents), "source": SOURCE}
    return typed(pl.DataFrame([row]), schema.RECIPES, SOURCE)


def reward_frame(rewards: Mapping[str, Mapping[str, float]]) -> pl.DataFrame:
    rows = [
        {"recipe": RECIPE, "task": task, "configuration": configuration, "accuracy": accuracy}
        for task, cells in rewards.items()
        for configuration, accuracy in cells.items()
    ]
    return typed(pl.DataFrame(rows), schema.REWARDS, SOURCE)


def embedding_frame(vectors: Mapping[str, list[float]]) -> pl.DataFrame:
    rows = [{"task": task, "probe": PAPER_PROBE, "embedding": vector} for task, vector in vectors.items()]
    return typed(pl.DataFrame(rows), schema.EMBEDDINGS, SOURCE)
