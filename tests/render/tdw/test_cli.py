"""TDW from the command line: datasets, sweeps and their recipes, against a stub build."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from t2s_offline.cli import cli as group
from t2s_offline.errors import BadInput
from t2s_offline.render.renderer import get_renderer

stub = pytest.importorskip("tests.render.tdw.stub", reason="TDW is not installed here", exc_type=ImportError)
sent = stub.sent

SPEC = """
name = "live"
tasks = ["digits"]
[design]
kind = "list"
configurations = ["00000000", "11111111"]
[recipe]
classes = 2
objects = 2
images = 8
size = 16
eval_pictures = 60
epochs = 1
batch = 8
"""


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of this machine's TDW; what a command sets is taken back."""
    names = ("ADDRESS", "PORT", "PORTS", "BUILD", "DISPLAY", "TIMEOUT", "ASSETS", "OBJECTS", "MATERIALS")
    for name in names:
        monkeypatch.setenv(f"T2S_TDW_{name}", "")


def cli(*words: object) -> subprocess.CompletedProcess[str]:
    code = "from t2s_offline.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, timeout=300)


def test_without_tdw_there_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "tdw.py").write_text("raise ImportError('No module named tdw')")
    code = "from t2s_offline.cli import main; main()"
    words = ["render", "00000000", "--renderer", "tdw", "--out", str(tmp_path / "out")]
    environment = dict(os.environ) | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, env=environment)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "Python 3.11" in done.stderr
    assert "t2s-offline[tdw]" in done.stderr


def test_a_dataset_from_the_command_line(tmp_path: Path) -> None:
    build, port = ("--tdw-build", stub.command()), ("--tdw-port", stub.free_port())
    words = ["render", "01100100", "--renderer", "tdw", "--classes", 2, "--objects", 2, "--images", 3, "--size", 32]
    done = cli(*words, "--format", "jpg", "--out", tmp_path / "out", *build, *port)
    assert done.returncode == 0, done.stderr
    assert "6 images of 2 classes; 6 rendered" in done.stdout
    metadata = json.loads((tmp_path / "out" / "metadata.json").read_text())
    assert metadata["dataset"]["renderer"] == "tdw"
    assert "6 were there already" in cli(*words, "--format", "jpg", "--out", tmp_path / "out").stdout, "needs no build"


def test_a_sweep_from_end_to_end(tmp_path: Path) -> None:
    """`sweep --renderer tdw` writes rewards, under a recipe of its own, and names what its list has in vain."""
    spec, store, objects = tmp_path / "spec.toml", tmp_path / "rewards.duckdb", tmp_path / "objects.json"
    spec.write_text(SPEC)
    known: Any = get_renderer("tdw", classes=2, objects=1, device="cpu")
    names = [model.name for model in known.models.models]
    objects.write_text(json.dumps({"n1": [names[0]], "n2": [names[1], "unheard_of"]}))
    tdw = ["--renderer", "tdw", "--objects", str(objects)]
    build = ["--tdw-build", stub.command(), "--tdw-port", stub.free_port()]
    done = cli("sweep", spec, "--store", store, "--device", "cpu", "--workers", 1, *tdw, *build)
    assert done.returncode == 0, done.stderr
    assert "2 of 2 configurations done, 2 rows added" in done.stdout
    assert done.stderr.splitlines()[0] == "left out 1, model is not in the library: unheard_of"

    def ask(*words: object) -> list[dict[str, Any]]:
        asked = CliRunner().invoke(group, [*map(str, words), "--store", str(store), "--format", "json"])
        rows: list[dict[str, Any]] = json.loads(asked.stdout)
        return rows

    rows = ask("query", "SELECT recipe, configuration, accuracy FROM rewards")
    assert {row["configuration"] for row in rows} == {"00000000", "11111111"}
    assert all(0 < row["accuracy"] <= 100 for row in rows)
    (state,) = ask("status", spec, *tdw)
    assert (state["done"], state["recipe"]) == (2, rows[0]["recipe"])
    (other,) = ask("status", spec)
    assert (other["done"], other["waiting"]) == (0, 2), "the builtin renderer's recipe is another"


def test_two_workers_have_a_build_each(tmp_path: Path) -> None:
    spec, store, log = tmp_path / "spec.toml", tmp_path / "rewards.duckdb", tmp_path / "wire"
    spec.write_text(SPEC)
    tdw = ["--renderer", "tdw", "--tdw-build", stub.command(log=log), "--tdw-port", stub.free_port(2)]
    done = cli("sweep", spec, "--store", store, "--device", "cpu", "--workers", 2, *tdw)
    assert done.returncode == 0, done.stderr
    assert "2 of 2 configurations done" in done.stdout
    assert sum(message[0]["$type"] == "set_error_handling" for message in sent(log)) == 2


def test_a_build_that_fails_fails_its_configuration_alone(tmp_path: Path) -> None:
    spec, store = tmp_path / "spec.toml", tmp_path / "rewards.duckdb"
    spec.write_text(SPEC)
    tdw = ["--renderer", "tdw", "--tdw-build", stub.command("dies:0"), "--tdw-port", stub.free_port()]
    done = cli("sweep", spec, "--store", store, "--device", "cpu", "--workers", 1, "--retries", 0, *tdw)
    assert done.returncode == 2
    assert "out of memory" in done.stderr
    assert "Traceback" not in done.stderr


def test_lists_change_the_recipe_and_their_place_does_not(tmp_path: Path) -> None:
    from t2s_offline.cli.renderers import read_plan

    spec = tmp_path / "spec.toml"
    spec.write_text(SPEC)
    places = [tmp_path / name for name in ("a.json", "b.json", "c.json")]
    for path, names in zip(places, (["cup"], ["cup"], ["mug"]), strict=True):
        path.write_text(json.dumps({"n1": names}))

    def recipe(**options: Any) -> str:
        return next(iter(read_plan(spec, None, **options)[0].recipes))

    ids = [recipe(renderer="tdw", objects=path) for path in places]
    assert ids[0] == ids[1] != ids[2]
    assert recipe(renderer="tdw") not in ids
    assert recipe() == recipe(renderer="builtin") != recipe(renderer="tdw")
    with pytest.raises(BadInput, match="TDW's, not builtin's"):
        recipe(objects=places[0])
