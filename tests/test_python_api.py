"""The Python API: light to import, documented, and with the numbers of the command line."""

from __future__ import annotations

import json
import pydoc
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

import t2s_offline as t2s
from t2s_offline.errors import BadFile, BadInput, QueryError, UnknownName
from t2s_offline.learners.policy import WEIGHTS
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.training.networks import build, extract, save_backbone
from tests.cli.test_commands import run

TABLES = Path(__file__).parents[1] / "tables"
FEW = {"epochs": 30, "hidden": 8, "warmup_epochs": 5, "imitation_start": 5}
OPTIONS = [word for name, value in FEW.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def test_importing_is_light() -> None:
    """No other package, and below a tenth of a second; the fastest of a few, since others may use this machine."""
    code = "import sys, time; t = time.perf_counter(); import t2s_offline; print(time.perf_counter() - t, *sys.modules)"
    seconds = []
    while not seconds or (min(seconds) >= 0.1 and len(seconds) < 5):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        spent, *modules = done.stdout.split()
        seconds.append(float(spent))
        assert not {"numpy", "polars", "duckdb", "torch", "click"} & set(modules)
    assert min(seconds) < 0.1


@pytest.mark.parametrize("code", [f"t2s_offline.{name}" for name in ("open_table", "learn", "predict", "classify")])
def test_naming_a_function_imports_no_torch(code: str) -> None:
    heavy = "{'torch', 'torchvision', 'warp', 'sklearn', 'polars'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", f"import sys, t2s_offline; {code}; sys.exit({heavy} and 1 or 0)"])
    assert done.returncode == 0


def test_help_says_what_it_is_and_names_seven_functions() -> None:
    text = pydoc.plain(pydoc.render_doc(t2s))
    assert len(t2s.__all__) == 7
    for name in t2s.__all__:
        assert f"    {name} " in text.partition("FUNCTIONS")[0], "in the summary"
        assert "__getattr__" not in text
        assert f"    {name}(" in text.partition("FUNCTIONS")[2], "with its signature"
        assert callable(getattr(t2s, name))
        assert name in dir(t2s)
        assert getattr(t2s, name).__doc__
    assert "t2s.open_table(" in text
    with pytest.raises(AttributeError, match="nothing_here"):
        _ = t2s.nothing_here  # type: ignore[attr-defined]


def test_a_table_by_folder_file_and_name(tiny_store: RewardStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T2S_TABLES", str(TABLES))
    named, folder = t2s.open_table("tiny"), t2s.open_table(str(TABLES / "tiny"))
    assert named.path == folder.path == TABLES / "tiny"
    table = t2s.open_table(tiny_store.path)
    assert table.tasks == ("apples", "birds", "cars", "digits")
    assert (table.metrics, table.recipes) == (("knn5",), ("tiny",))
    assert table.matrix().reward_TC.shape == (4, 8)
    assert table.embeddings().vector_TD.shape == (4, 30)
    with pytest.raises(UnknownName, match="did you mean tiny"):
        t2s.open_table("tinny")
    with pytest.raises(BadFile):
        t2s.open_table(tiny_store.path.with_name("none.duckdb"))
    with pytest.raises(BadFile):
        t2s.open_table("nowhere/")
    with pytest.raises(UnknownName, match="knn5"):
        table.matrix("knn")


def test_sql_gives_frames_with_types(tiny_store: RewardStore, tmp_path: Path) -> None:
    table = t2s.open_table(tiny_store.path)
    best = table.sql("SELECT task, configuration, accuracy FROM best_configuration ORDER BY task")
    assert best["configuration"].to_list() == ["001", "101", "010", "111"]
    none = table.sql("SELECT task, seed, accuracy FROM rewards WHERE task = 'none'")
    assert [kind.is_numeric() for kind in none.dtypes] == [False, True, True]
    frame = pl.DataFrame({"secret": [1]})  # a variable of the caller is no table
    assert len(frame) == 1
    (tmp_path / "f.csv").write_text("a\n1\n")
    reading = f"SELECT * FROM '{tmp_path / 'f.csv'}'"
    for bad in ("SELECT * FROM frame", reading, "DROP TABLE rewards", "SELECT 1; SELECT 2", "SELECT none", "SELEC 1"):
        with pytest.raises(QueryError):
            table.sql(bad)
    with pytest.raises(QueryError, match="more than 3 rows"):
        table.sql("SELECT * FROM rewards", limit=3)
    with pytest.raises(QueryError, match="longer than"):
        table.sql("SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range = 7", timeout=0.2)
    assert table.sql("SELECT count(*) AS n FROM rewards").item() == 32


def test_effects_are_those_of_the_command(tiny_store: RewardStore) -> None:
    found = t2s.open_table(tiny_store.path).effects()
    done = run("effects", "--store", tiny_store.path, "--by-task", "--top", "99", "--format", "json")
    assert found.to_dicts() == json.loads(done.stdout)
    one = t2s.open_table(tiny_store.path).effects(tasks=["birds"])
    assert one["task"].unique().to_list() == ["birds"]


def test_learn_gives_the_weights_of_the_command(tmp_path: Path) -> None:
    table = t2s.open_table(TABLES / "cpu")
    told: list[str] = []
    policy = t2s.learn(table, leave_out=["digits"], on_miss="model", seeds=2, told=told.append, **FEW)
    policy.save(tmp_path / "python")
    more = ["--leave-out", "digits", "--on-miss", "model", "--seeds", "2", "--jobs", "1"]
    done = run("learn", "--store", TABLES / "cpu", *more, *OPTIONS, "--out", tmp_path / "shell")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "python" / WEIGHTS).read_bytes() == (tmp_path / "shell" / WEIGHTS).read_bytes()
    cards = [json.loads((tmp_path / name / "policy.json").read_text()) for name in ("python", "shell")]
    for card in cards:
        del card["seconds"], card["created_at"]
    assert cards[0] == cards[1]
    assert any("a surrogate's belief stands for them" in line for line in told)
    again = t2s.load_policy(tmp_path / "python")
    assert again.card["modelled"] == policy.card["modelled"] > 0
    again.save(tmp_path / "again")
    assert (tmp_path / "again" / WEIGHTS).read_bytes() == (tmp_path / "python" / WEIGHTS).read_bytes()


def test_learn_refuses_what_is_not_there(tiny_store: RewardStore) -> None:
    table = t2s.open_table(tiny_store.path)
    with pytest.raises(UnknownName, match="did you mean epochs"):
        t2s.learn(table, epoch=3)
    with pytest.raises(UnknownName, match="did you mean digits"):
        t2s.learn(table, leave_out="digit")
    with pytest.raises(BadInput, match="no such task has rewards"):
        t2s.learn(table, train_tasks=["birds"], leave_out="birds")
    assert t2s.learn(table, train_tasks="birds", **FEW).card["tasks"] == ["birds"]


def test_compare_is_the_json_of_the_command(tiny_store: RewardStore) -> None:
    names, counts = ["random", "best_fixed", "nearest"], [0, 2]
    with pytest.warns(UserWarning, match="no winner can be named"):
        frame = t2s.compare(
            t2s.open_table(tiny_store.path), leave_one_out=True, learners=names, measure=counts, runs=[4, 8]
        )
    options = ["--leave-one-out", "--learners", ",".join(names), "--measure", "0,2", "--runs", "4,8"]
    done = run("compare", "--store", tiny_store.path, *options, "--format", "json", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    assert frame.to_dicts() == json.loads(done.stdout)
    assert frame.schema["hours"] == pl.Float64
    assert "no winner can be named" in done.stderr


def test_a_backbone_maps_pictures_to_features(tmp_path: Path) -> None:
    inside = build("resnet18-narrow", seed=1).eval()
    save_backbone(tmp_path / "b.safetensors", inside, None, {"size": 32, "configuration": "01100100"})
    net = t2s.load_backbone(tmp_path / "b.safetensors")
    picture_NCHW = np.random.default_rng(0).integers(0, 256, (4, 3, 32, 32), dtype=np.uint8)
    with torch.no_grad():
        features = net(torch.as_tensor(picture_NCHW))
        assert features.shape == (4, net.features)
        assert torch.allclose(net(torch.as_tensor(picture_NCHW / 255.0).float()), features, atol=1e-4)
        assert net(torch.zeros(1, 3, 50, 40)).shape == (1, 256)
    assert torch.allclose(extract(inside, picture_NCHW), features, atol=0.05), "weights are kept in half precision"
    assert (net.size, net.card["configuration"], net.training) == (32, "01100100", False)
    with pytest.raises(BadInput, match=r"\(N, 3, H, W\)"):
        net(torch.zeros(3, 32, 32))
    with pytest.raises(BadFile):
        t2s.load_backbone(tmp_path / "none.safetensors")
