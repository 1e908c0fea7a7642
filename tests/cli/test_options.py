"""The terminal: colours where they are welcome, tables of 80 columns, JSON for every table, completion, help."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from t2s_offline import __version__
from t2s_offline.cli import COMMANDS, cli
from t2s_offline.cli.options import Bar
from t2s_offline.store.reward_store import RewardStore
from tests.cli.test_commands import SMALL, run

CODE = "from t2s_offline.cli import main; main()"


def on_a_terminal(*arguments: str | Path, **environment: str) -> str:
    """What a command writes to a terminal: stdout and stderr together."""
    ours, theirs = pty.openpty()
    clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM", "COLUMNS")}
    with subprocess.Popen(
        [sys.executable, "-c", CODE, *map(str, arguments)],
        stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL, env={**clean, "TERM": "xterm", **environment},
    ) as process:  # fmt: skip
        os.close(theirs)
        written = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux says so when the other side is closed
                break
            if not part:
                break
            written += part
    os.close(ours)
    assert process.returncode in (0, 2)
    return written.decode()


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
    ids=str,
)
def test_colours_only_where_they_are_welcome(
    tiny_store: RewardStore, environment: dict[str, str], coloured: bool
) -> None:
    text = on_a_terminal("effects", "--store", tiny_store.path, **environment)
    assert ("\x1b[1meffect" in text) == coloured
    assert ("\x1b[36m█" in text) == coloured
    assert ("\x1b" in text) == coloured
    wrong = on_a_terminal("effects", "--store", tiny_store.path, "--task", "bird", **environment)
    assert ("\x1b[31m\x1b[1merror:" in wrong) == coloured
    assert "error: unknown task 'bird'" in re.sub("\x1b\\[[0-9]*m", "", wrong)


def test_colours_change_no_other_character(tiny_store: RewardStore) -> None:
    painted = on_a_terminal("effects", "--store", tiny_store.path)
    plain = on_a_terminal("effects", "--store", tiny_store.path, NO_COLOR="1")
    assert re.sub("\x1b\\[[0-9]*m", "", painted) == plain


def test_a_pipe_gets_no_colours(tiny_store: RewardStore) -> None:
    done = run("effects", "--store", tiny_store.path)
    assert "\x1b" not in done.stdout + done.stderr
    assert "█" in done.stdout


def test_json_has_no_bars(tiny_store: RewardStore) -> None:
    done = run("effects", "--store", tiny_store.path, "--format", "json")
    assert list(json.loads(done.stdout)[0]) == ["task", "effect", "percent", "low", "high", "share", "aliased"]
    assert on_a_terminal("effects", "--store", tiny_store.path, "--format", "json").find("\x1b") == -1


def test_tables_fit_80_columns(tiny_store: RewardStore, tmp_path: Path) -> None:
    store = ["--store", tiny_store.path]
    assert run("learn", *store, "--out", tmp_path / "p", *SMALL).returncode == 0
    for arguments in (
        ["compare", *store, "--leave-one-out", "--learners", "random,best_fixed_standardised", "--measure", "0,2"],
        ["compare", *store, "--leave-one-out", "--learners", "nearest", "--runs", "4,8"],
        ["effects", *store, "--by-task"],
        ["effects", *store, "--degrees"],
        ["predict", "birds", *store, "--policy", tmp_path / "p", "--measure", "3"],
        ["query", "SELECT * FROM rewards LIMIT 3", *store],
        ["learn", *store, "--out", tmp_path / "q", *SMALL],
        ["report", *store, "--out", tmp_path / ("long" * 20 + ".html")],
    ):
        done = run(*arguments)
        assert done.returncode == 0, done.stderr
        assert max(map(len, done.stdout.splitlines())) <= 80, arguments


def test_learn_says_what_it_reached_as_json(tiny_store: RewardStore, tmp_path: Path) -> None:
    done = run("learn", "--store", tiny_store.path, "--out", tmp_path / "p", *SMALL, "--format", "json")
    (row,) = json.loads(done.stdout)
    assert list(row) == ["policy", "tasks", "seeds", "reward", "oracle"]
    assert row["oracle"] == 80


def test_every_command_that_prints_a_table_prints_json() -> None:
    with click.Context(cli) as context:
        for name in COMMANDS:
            command = cli.get_command(context, name)
            assert command is not None
            choices = next((p.type.choices for p in command.params if p.name == "file_format"), None)
            if name in (
                "compare",
                "doctor",
                "effects",
                "evaluate",
                "learn",
                "predict",
                "query",
                "report",
                "status",
                "tasks",
            ):
                assert choices is not None, name
                assert {"table", "json"} <= set(choices), name


def test_version_and_exit_codes_are_told() -> None:
    assert run("--version").stdout == f"t2s-offline, version {__version__}\n"
    told = run("--help").stdout
    assert "Exit codes: 0 done" in told
    assert "NO_COLOR" in told


def completed(*words: str) -> list[str]:
    """What bash would offer for the last word."""
    line = " ".join(("t2s-offline", *words))
    environment = {**os.environ, "_T2S_OFFLINE_COMPLETE": "bash_complete", "COMP_WORDS": line,
                   "COMP_CWORD": str(len(words))}  # fmt: skip
    script = Path(sys.executable).with_name("t2s-offline")
    if not script.exists():
        pytest.skip("the package is not installed beside this Python")
    done = subprocess.run([str(script)], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_completion(tiny_store: RewardStore, tmp_path: Path) -> None:
    store = str(tiny_store.path)
    assert completed("re") == ["render", "report"]
    assert completed("compare", "--leave") == ["--leave-one-out"]
    assert completed("compare", "--metric", "l") == ["linear", "logme"]
    assert completed("predict", "--store", store, "b") == ["birds"]
    assert completed("effects", "--store", store, "--task", "c") == ["cars"]
    assert completed("effects", "--store", store, "--recipe", "t") == ["tiny"]
    assert completed("effects", "--store", str(tmp_path / "none.duckdb"), "--task", "c") == []


def test_a_bar_that_has_ended_begins_again(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    bar = Bar("hand over", "picture")
    for done, total in ((2, 9), (9, 9), (5, 7)):
        bar(done, total)
    assert (bar.bar.n, bar.bar.total) == (5, 7)
    bar.close()
    bar.close()
    capsys.readouterr()


@pytest.mark.parametrize(("device", "said"), [("gpu", "device 'gpu'; expected auto, cpu, cuda"),
                                              ("cuda:99", "device 'cuda:99' is not there")])  # fmt: skip
def test_a_device_that_is_not_there_stops_a_sweep_at_once(tmp_path: Path, device: str, said: str) -> None:
    done = run("sweep", "tiny", "--store", tmp_path / "s.duckdb", "--device", device, "--workers", "1")
    assert done.returncode == 2
    assert said in done.stderr.splitlines()[-1]
    assert "and 1 more" not in done.stderr
