"""docs/python.md and the README's Python run as they are printed, one block after the other."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from t2s_offline.images.task_data import load_task
from t2s_offline.recipe import Recipe
from t2s_offline.sweep.handed_task import HandedTask
from t2s_offline.training.networks import SavedBackbone, build, save_backbone
from t2s_offline.training.portable import write_portable

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the table, pictures of two classes and a backbone, where the blocks run."""
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "cpu").symlink_to(ROOT / "tables" / "cpu")
    rng = np.random.default_rng(0)
    for label, level in (("dark", 60), ("bright", 190)):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(10):
            pixels = np.clip(rng.normal(level, 30, size=(40, 48, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / label / f"{number}.png")
    card = {"size": 32, "configuration": "01100100"}
    backbone = build("resnet18-narrow", seed=0)
    save_backbone(tmp_path / "backbone.safetensors", backbone, None, card)
    write_portable(tmp_path / "mine" / "backbone.safetensors", SavedBackbone(backbone, None, card))
    task, cpu = load_task(tmp_path / "photos", 32), torch.device("cpu")
    handed = HandedTask(task, tmp_path / "mine" / "backbone.safetensors", Recipe(), cpu)
    handed.write_classifier(tmp_path / "mine" / "classifier.safetensors", {})
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("T2S_DATA", raising=False)
    monkeypatch.delenv("T2S_TABLES", raising=False)
    return tmp_path


def run_blocks(blocks: list[str]) -> None:
    names: dict[str, object] = {}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*no winner can be named")
        for block in blocks:
            exec(compile(block, "a block of code", "exec"), names)


def test_the_recipes_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "docs" / "python.md").read_text("utf-8")
    blocks = BLOCK.findall(text)
    assert len(blocks) == len(re.findall(r"^## \d+\. ", text, re.MULTILINE)) == 11
    run_blocks(blocks)
    printed = capsys.readouterr().out
    assert "replaying the store's knn5 of digits" in printed
    assert "2 of 2" in printed
    assert "torch.Size([4, 256]) 01100100 torch.Size([4, 10])" in printed
    assert "photos/bright/0.png" in printed


def test_the_section_of_the_readme_runs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    section = text.partition("\n## From Python\n")[2].partition("\n## ")[0]
    assert "(docs/python.md)" in section
    assert BLOCK.findall(text) == BLOCK.findall(section)
    run_blocks(BLOCK.findall(section))
    assert len(capsys.readouterr().out.split()[0]) == 8, "a configuration"
