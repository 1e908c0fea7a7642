"""The doctor: a line for each thing, advice where it is missing, exit code 1 when a specification needs it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from t2s_offline.cli import cli
from t2s_offline.doctor import checks
from t2s_offline.doctor.checks import Check, examine, unfit
from t2s_offline.errors import BadInput
from t2s_offline.recipe import Recipe, SweepSpec

NAMES = {"python", "packages", "torch", "warp", "tdw package", "data", "disk"}


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "T2S_DATA", *(f"T2S_TDW_{part}" for part in ("BUILD", "DISPLAY", "ASSETS", "PORT"))):
        monkeypatch.delenv(name, raising=False)


def by_name(found: list[Check]) -> dict[str, Check]:
    assert len({check.name for check in found}) == len(found)
    return {check.name: check for check in found}


def spec(renderer: str = "builtin", tasks: tuple[str, ...] = ("digits",)) -> SweepSpec:
    recipe = Recipe(renderer=renderer, classes=2, objects=2)
    return SweepSpec("test", {recipe.recipe_id(): recipe}, {"kind": "full"}, tasks)


def test_everything_is_looked_at_and_nothing_is_needed(tmp_path: Path) -> None:
    found = by_name(examine(store=tmp_path / "rewards.duckdb"))
    assert set(found) >= NAMES
    assert not unfit(list(found.values()))
    assert all(check.advice for check in found.values() if check.state != "ok")
    assert all("\n" not in check.found + check.advice for check in found.values())
    assert found["packages"].state == "ok"
    assert "duckdb" in found["packages"].found
    assert "digits" in found["data"].found


def test_a_specifications_tasks_are_looked_for(tmp_path: Path) -> None:
    found = by_name(examine(spec(tasks=("digits", "DTD", "nonsense")), data=tmp_path, store=tmp_path / "r.duckdb"))
    assert found["task DTD"].state == found["task nonsense"].state == "missing"
    assert "tasks --download DTD" in found["task DTD"].found
    assert "task digits" not in found
    assert unfit(list(found.values()))
    absent = by_name(examine(spec(), data=tmp_path / "none", store=tmp_path / "r.duckdb"))
    assert absent["data"].state == "missing"


def test_disk_that_is_too_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = namedtuple("space", "total used free")
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda path: space(10**12, 0, 6 * 10**9))
    store = tmp_path / "not" / "yet" / "rewards.duckdb"
    assert by_name(examine(spec(), store=store, backbones=10))["disk"].state == "ok"
    check = by_name(examine(spec(), store=store, backbones=5000))["disk"]
    assert check.state == "missing"
    assert str(tmp_path) in check.found
    assert "--store" in check.advice


@pytest.mark.parametrize("error", [ImportError, OSError])
def test_a_torch_that_does_not_load_is_named(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "torch":
                raise error("libcudart.so.99: cannot open shared object file")

    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    found = checks._torch()
    assert (found.state, found.name) == ("missing", "torch")
    assert "libcudart" in found.found
    assert "pip install torch" in found.advice


def test_displays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(checks, "X_SOCKETS", tmp_path)
    assert checks._display("", True).state == "missing"
    assert "Xvfb" in checks._display("", True).advice
    assert checks._display(":1", True).state == "missing"
    assert checks._display(":1", False).state == "absent"
    (tmp_path / "X1").touch()
    assert checks._display(":1.0", True).state == checks._display(":1.0,:1.1", True).state == "ok"


def test_tdw_without_a_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = pytest.importorskip("tests.render.tdw.stub", reason="TDW is not installed here", exc_type=ImportError)
    monkeypatch.setattr(checks, "HELLO", 0.3)
    monkeypatch.setenv("T2S_TDW_PORT", str(stub.free_port()))
    found = by_name(examine(spec("tdw"), store=tmp_path / "r.duckdb"))
    assert found["tdw build"].state == "missing"
    assert "no hello in 0.3 s" in found["tdw build"].found
    assert "--tdw-build" in found["tdw build"].advice
    assert found["tdw models"].state == "ok"
    assert found["tdw assets"].state == "ok"
    monkeypatch.setenv("T2S_TDW_BUILD", str(tmp_path / "TDW.x86_64"))
    monkeypatch.setenv("T2S_TDW_ASSETS", str(tmp_path))
    found = by_name(examine(spec("tdw"), store=tmp_path / "r.duckdb"))
    assert "no TDW build at" in found["tdw build"].found
    assert found["display"].state == found["tdw assets"].state == found["tdw models"].state == "missing"


def test_tdw_with_a_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = pytest.importorskip("tests.render.tdw.stub", reason="TDW is not installed here", exc_type=ImportError)
    monkeypatch.setenv("T2S_TDW_PORT", str(stub.free_port()))
    monkeypatch.setenv("T2S_TDW_BUILD", stub.command())
    found = by_name(examine(spec("tdw"), store=tmp_path / "r.duckdb"))
    assert (found["tdw build"].state, found["tdw build"].found) == ("ok", "version 1.13.0, as the package")
    monkeypatch.setenv("T2S_TDW_BUILD", stub.command("version"))
    wrong = by_name(examine(spec("tdw"), store=tmp_path / "r.duckdb"))["tdw build"]
    assert wrong.state == "missing"
    assert "1.12.4" in wrong.found


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "requires", lambda name: ["duckdb>=1.3", "no-such-package>=2; extra == 'x'", "absent1"])
    found = list(checks._packages())
    assert [check.state for check in found] == ["missing"]
    assert "absent" in found[0].advice


def test_the_command(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    text = '[design]\nkind = "full"\n[recipe]\nclasses = 2\n'
    good.write_text('tasks = ["digits"]\n' + text)
    bad.write_text('tasks = ["DTD"]\n' + text)

    def run(*words: object) -> Result:
        store = ["--store", str(tmp_path / "r.duckdb")]
        return CliRunner().invoke(cli, ["doctor", *map(str, words), *store], standalone_mode=False)

    plain = run()
    assert (plain.return_value, plain.exception) == (0, None)
    assert "ok       python" in plain.stdout
    done = run(good, "--format", "json")
    assert done.return_value == 0
    assert {row["check"] for row in json.loads(done.stdout)} >= NAMES
    assert isinstance(run("--renderer", "tdw").exception, BadInput)
    # the exit code of the process itself
    code = "from t2s_offline.cli import main; main()"
    words = [sys.executable, "-c", code, "doctor", str(bad), "--store", str(tmp_path / "r.duckdb")]
    missing = subprocess.run(words, capture_output=True, text=True)
    assert missing.returncode == 1
    assert "missing  task DTD" in missing.stdout
    assert missing.stderr == ""


def test_a_look_at_a_machine_without_a_driver_imports_neither_torch_nor_warp() -> None:
    """Their libraries are loaded, which is what fails where an installation is broken."""
    code = (
        "import sys; from t2s_offline.doctor import checks\n"
        "found = checks._torch(), *checks._warp(True)\n"
        "assert all(check.state == 'ok' for check in found), found\n"
        "maps = open('/proc/self/maps').read()\n"
        "assert 'libtorch_python' in maps and 'warp' in maps\n"
        "sys.exit(bool({'torch', 'warp', 'numpy'} & set(sys.modules)) and not checks.driver())"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
