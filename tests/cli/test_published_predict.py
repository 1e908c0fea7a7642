"""A policy learned from the authors' table answers for a folder of pictures, from the shell.

Their vectors are of torchvision's ImageNet ResNet-18 by batches; a stand-in with other numbers takes its file's place.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image

from t2s_offline.space import TASK2SIM
from t2s_offline.store.fetch_published import embedding_frame, recipe_frame, reward_frame
from t2s_offline.store.import_export import complete
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.training import imagenet_probe as imagenet
from tests.cli.test_commands import run

TASKS = ("CUB", "DTD", "EuroSAT", "SVHN")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store as `fetch task2sim` fills it (with made-up numbers), a policy, weights and pictures."""
    folder = tmp_path_factory.mktemp("published")
    rng = np.random.default_rng(0)
    rewards = {task: {name: float(rng.uniform(20, 80)) for name in TASK2SIM} for task in TASKS}
    tables = {
        "recipes": recipe_frame(),
        "rewards": reward_frame(rewards),
        "embeddings": embedding_frame({task: rng.uniform(0, 1, 9600).tolist() for task in TASKS}),
    }
    RewardStore(folder / "r.duckdb").add(complete(tables, {}, "test"))
    torch.manual_seed(0)
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), folder / imagenet.FILE)
    for label, level in (("dark", 60), ("bright", 190)):
        (folder / "photos" / label).mkdir(parents=True)
        for number in range(6):
            pixels = np.clip(rng.normal(level, 30, size=(40, 48, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "photos" / label / f"{number}.jpg")
    learned = run(
        "learn", "--store", "r.duckdb", "--train-tasks", "all", "--epochs", "2", "--out", "policy", cwd=folder
    )
    assert learned.returncode == 0, learned.stderr
    return folder


def test_a_folder_is_embedded_as_the_authors_did(home: Path) -> None:
    known = ("--policy", "policy", "--store", "r.duckdb")
    done = run("predict", "photos/", *known, "--probe", imagenet.FILE, "--samples", "8", "--format", "json", cwd=home)
    assert done.returncode == 0, done.stderr
    assert '"task": "photos"' in done.stdout
    assert "not the file that torchvision publishes" in done.stderr
    assert "probe resnet18-imagenet, 224 px, 8 pictures drawn, in batches of 64" in done.stderr


def test_without_a_network_one_line_says_which_file_to_bring(home: Path, tmp_path: Path) -> None:
    known = ("--policy", "policy", "--store", "r.duckdb")
    # no name resolves behind a proxy that is not there
    proxy = {"https_proxy": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "TORCH_HOME": str(tmp_path)}
    done = run("predict", "photos/", *known, cwd=home, env={**os.environ, **proxy})
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: photos is not embedded in r.duckdb")
    assert imagenet.FILE in last
    assert "--probe FILE" in last
    assert "Traceback" not in done.stderr


def test_another_network_is_refused(home: Path) -> None:
    from t2s_offline.training.networks import build, save_backbone

    save_backbone(home / "other.safetensors", build("resnet18-narrow", seed=0), None, {"size": 16})
    known = ("--policy", "policy", "--store", "r.duckdb")
    done = run("predict", "photos/", *known, "--probe", "other.safetensors", cwd=home)
    assert done.returncode == 2
    assert "use that probe" in done.stderr
