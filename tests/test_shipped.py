"""What ships is found by name from any folder: in a checkout, and where pip puts it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from t2s_offline import shipped

ROOT = Path(__file__).parents[1]


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("T2S_TABLES", "T2S_STORE")}
    call = [sys.executable, "-m", "t2s_offline", *arguments]
    environment["PYTHONPATH"] = str(ROOT)
    return subprocess.run(call, capture_output=True, text=True, check=False, cwd=cwd, env=environment)


def test_tables_and_specifications_of_the_checkout_are_found_from_another_folder(tmp_path: Path) -> None:
    listed = run("tables", "tiny", "--format", "csv", cwd=tmp_path)
    assert listed.returncode == 0, listed.stderr
    assert "tiny,15," in listed.stdout
    asked = run("query", "SELECT count(*) AS n FROM recipes", "--store", "tiny", "--format", "csv", cwd=tmp_path)
    assert asked.stdout.split() == ["n", "1"], asked.stderr
    status = run("status", "tiny", "--store", "tiny", "--format", "csv", cwd=tmp_path)
    assert "tiny-9bcc3b34,34,34" in status.stdout, status.stderr


def test_a_name_that_nothing_has_says_which_there_are(tmp_path: Path) -> None:
    for arguments, said in ((("effects", "--store", "cup"), "no reward store at cup; a table that ships is "),
                            (("status", "tyni"), "did you mean tiny?")):  # fmt: skip
        done = run(*arguments, cwd=tmp_path)
        assert done.returncode == 2
        assert said in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_what_lies_at_the_path_comes_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    known = shipped.tables()
    assert shipped.named("tiny", known) == known["tiny"]
    assert shipped.named("tiny.duckdb", known) == Path("tiny.duckdb")
    assert shipped.named("./x/tiny", known) == Path("x/tiny")
    (tmp_path / "tiny").mkdir()
    assert shipped.named("tiny", known) == Path("tiny")


def test_the_folder_of_pip_is_looked_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "share" / "t2s-offline" / "tables" / "mine"
    table.mkdir(parents=True)
    (table / "rewards.parquet").touch()
    (sweeps := table.parents[1] / "sweeps").mkdir()
    (sweeps / "mine.toml").touch()
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    assert shipped.tables()["mine"] == table
    assert shipped.specifications()["mine"] == sweeps / "mine.toml"
    assert "tiny" in shipped.tables(), "the checkout too"
    monkeypatch.setenv("T2S_TABLES", str(table.parent))
    assert list(shipped.tables()) == ["mine"]
