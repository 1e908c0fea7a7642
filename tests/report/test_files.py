"""Figures as files, pictures, and the command."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from t2s_offline.errors import BadFile
from t2s_offline.report.export import write_figures
from t2s_offline.report.page import page
from t2s_offline.report.pictures import Studio, framed, nearest, queries
from t2s_offline.report.write import Report, make_report, write_report
from t2s_offline.store.reward_store import RewardStore
from tests.cli.test_commands import failed, run
from tests.report.reported import HOSTILE, Read, full_frames, make_store

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RewardStore:
    return make_store(tmp_path_factory.mktemp("full") / "full.duckdb", full_frames())


@pytest.fixture(scope="module")
def made(store: RewardStore) -> Report:
    return make_report(store)


@pytest.fixture(scope="module")
def folder(made: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("figures")
    assert len(write_figures(made, out)) == 3 * len(made.figures)
    return out


def test_pictures_show_something(made: Report, folder: Path) -> None:
    for figure in made.figures:
        pixels = np.asarray(Image.open(folder / f"{figure.key}.png").convert("RGB"))
        assert (pixels == 255).all(axis=2).mean() < 0.995, figure.key
        assert pixels.shape[1] >= 1000, "twice the width of the page's column"
        assert len(np.unique(pixels[::5, ::5].reshape(-1, 3), axis=0)) > 20


def test_vectors_have_the_marks_of_the_tables(made: Report, folder: Path) -> None:
    bars = made.figure("bars-unseen").table
    drawn = ET.parse(folder / "bars-unseen.svg").getroot()
    labels = [node.get("aria-label", "") for node in drawn.iter() if node.get("aria-roledescription") == "bar"]
    assert len(labels) == 4 * len(bars.rows)
    fixed = {row[0]: dict(zip(bars.columns, row, strict=True))["best_fixed"] for row in bars.rows}
    for label in labels:
        if label.endswith("; learner: best fixed"):
            task = label.split("; task: ")[1].removesuffix("; learner: best fixed")
            assert float(label.split(": ")[1].split(";")[0]) == pytest.approx(fixed[task], rel=1e-3)
    for figure in made.figures:
        text = (folder / f"{figure.key}.svg").read_text("utf-8")
        assert "var(--" not in text, "colours have values where there is no style sheet"
        assert "http" not in text.replace("http://www.w3.org/", "")


def test_numbers_read_back(made: Report, folder: Path) -> None:
    for figure in made.figures:
        rows = list(csv.reader(io.StringIO((folder / f"{figure.key}.csv").read_text("utf-8"))))
        assert tuple(rows[0]) == figure.table.columns
        assert len(rows) == len(figure.table.rows) + 1
        for row, given in zip(rows[1:], figure.table.rows, strict=True):
            for text, value in zip(row, given, strict=True):
                assert (float(text) == value) if isinstance(value, float) and np.isfinite(value) else True
        if figure.key == "worst":
            assert {row[0] for row in rows} == {"task", *HOSTILE}


def test_a_place_that_cannot_be_written(made: Report, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadFile, match="choose another --figures"):
        write_figures(made, tmp_path / "file" / "figures")
    with pytest.raises(BadFile, match="choose another --out"):
        write_report(made, tmp_path / "file" / "report.html")


def test_pictures_of_configurations_and_neighbours(tmp_path: Path) -> None:
    """Real renderings of three meshes, two real backbones, the digits of scikit-learn."""
    import polars as pl

    from t2s_offline.images.task_data import TaskData, load_task
    from t2s_offline.space import TASK2SIM
    from t2s_offline.store import import_export as exchange
    from t2s_offline.store import schema
    from t2s_offline.store.rows import typed
    from t2s_offline.training.networks import Backbone, build
    from tests.render.builtin.toys import toy_renderer

    configurations = ("00000000", "01100110", "11111111")
    rewards = [
        {"recipe": "r", "task": task, "configuration": configuration, "accuracy": 50.0 + 3 * at + len(task)}
        for task in ("digits", "other") for at, configuration in enumerate(configurations)
    ]  # fmt: skip
    tables = {"rewards": typed(pl.DataFrame(rewards), schema.REWARDS, "planted")}
    store = make_store(tmp_path / "s.duckdb", exchange.complete(tables, {}, "planted", TASK2SIM))
    kept = {"01100110": build("resnet18-narrow", seed=1), "11111111": build("resnet18-narrow", seed=2)}

    def task(name: str, size: int) -> TaskData | None:
        return load_task("digits", size) if name == "digits" else None

    def backbone(configuration: str) -> Backbone | None:
        return kept.get(configuration)

    made = make_report(store, illustrate=Studio(toy_renderer(), True, backbone, task, 16, samples=1))
    sections = {section.key: section for section in made.sections}
    sheets = sections["pictures"].pictures
    assert [picture.caption for picture in sheets] == [
        "00000000 · nothing varied", "11111111 · everything varied, digits, other",
    ]  # fmt: skip
    first, second = (np.asarray(Image.open(io.BytesIO(picture.jpeg))) for picture in sheets)
    assert first.shape == second.shape == (sheets[0].height, sheets[0].width, 3)
    assert np.abs(first.astype(int) - second).mean() > 5, "varying everything shows"
    (found,) = sections["neighbours"].pictures
    assert found.caption.startswith("digits · 11111111 (62.0 %): ")
    assert " · 01100110 (59.0 %): " in found.caption
    assert "of 20 of the same class" in found.caption
    read = Read(page(made))
    assert read.tags.count("img") == 3
    assert all(address.startswith(("#", "data:")) for address in read.addresses)
    bare = make_report(store, illustrate=Studio(None, False, lambda name: None, lambda name, size: None, 16))
    assert "pictures" not in {section.key for section in bare.sections}
    assert any("kept backbones" in line for line in bare.missing)


def test_neighbours_are_the_most_similar() -> None:
    from t2s_offline.training.networks import build, extract

    rng = np.random.default_rng(0)
    bank = rng.integers(0, 255, (30, 3, 16, 16), dtype=np.uint8)
    backbone = build("resnet18-narrow", seed=0)
    found = nearest(backbone, bank, bank[[3, 11]])
    assert found[:, 0].tolist() == [3, 11], "a picture is most like itself"
    feature = extract(backbone, bank).numpy()
    unit = feature / np.linalg.norm(feature, axis=1, keepdims=True)
    similarity = unit[[3, 11]] @ unit.T
    assert found.tolist() == np.argsort(-similarity, axis=1)[:, :5].tolist()


def test_queries_are_of_different_classes() -> None:
    label_N = np.repeat(np.arange(9), 7)
    at = queries(label_N)
    assert len(set(label_N[at].tolist())) == len(at) == 4
    assert queries(np.array([1, 1, 0, 1])).tolist() == [2, 0]


def test_a_frame_tells_right_from_wrong_without_colour() -> None:
    grey = np.full((3, 56, 56), 128, dtype=np.uint8)
    right, wrong = framed(grey, True), framed(grey, False)
    assert (right[:, 10:40, 10:40] == 128).all()
    assert (wrong[:, 2:12, 44:54] == 255).any(), "a white cross"
    assert not (right[:, 2:12, 44:54] == 255).any()


def test_command(tiny_store: RewardStore, tmp_path: Path) -> None:
    store = ["--store", tiny_store.path]
    out = tmp_path / "out" / "report.html"
    done = run("report", *store, "--out", out, "--figures", tmp_path / "figures", "--format", "json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert row["report"] == str(out)
    assert any(line.startswith("No policy was given") for line in row["missing"])
    assert row["MB"] == round(out.stat().st_size / 1e6, 2)
    assert len(list((tmp_path / "figures").iterdir())) == 3 * row["figures"]
    assert "missing: No policy was given" in done.stderr
    assert "learn --out" in failed("report", *store, "--out", out, "--policy", tmp_path / "none")
    assert "tiny" in failed("report", *store, "--out", out, "--recipe", "tinny")
    assert "sweep or import" in failed("report", *store, "--out", out, "--metric", "linear")
    (tmp_path / "file").write_text("")
    assert "--out" in failed("report", *store, "--out", tmp_path / "file" / "report.html")


def test_the_command_imports_no_torch(tiny_store: RewardStore, tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys; sys.argv = ['t2s-offline', *sys.argv[1:]]\n"
        "from t2s_offline.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "sys.exit(str({'torch', 'torchvision', 'warp'} & set(sys.modules)) if 'torch' in sys.modules else 0)"
    )
    arguments = ["report", "--store", str(tiny_store.path), "--out", str(tmp_path / "r.html")]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
