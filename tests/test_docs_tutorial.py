"""docs/tutorial.md: its commands run one after the other, and print what it shows.

What takes long is shorter here by the commands' own options: fewer pictures are drawn to embed the folder, and nothing
is trained, because no more backbones are asked for than are at hand. Both move the last digits.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from t2s_offline.cli import cli

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
BLOCKS = re.findall(r"```(sh|python|text)\n(.*?)```", TEXT, re.DOTALL)
SHORTER = {"predict": ["--samples", "100"]}
TRAINS = ("--measure 9 --on-miss live", "--measure 8 --on-miss live")
CLOSE = 60  # last digits: 0.6 points, between the drawing of 100 and of 1000 pictures


def command(line: str) -> str:
    words = shlex.split(line.replace(*TRAINS))[1:]
    done = CliRunner().invoke(cli, words + SHORTER.get(words[0], []), catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return done.output


def stable(text: str) -> list[list[str]]:
    """Lines as words, sorted, without what depends on the machine or the pictures drawn: seconds, sizes of files, how
    many configurations tie and how surely, and how near tasks are."""
    lines = [line.split() for line in text.splitlines() if line.strip() and not re.fullmatch(r"\w+ +0\.9\d\d", line)]
    lines = [words for words in lines if "similarity" not in words and set(words[0]) != {"-"}]
    lines = [words[: words.index("kept")] if "kept" in words else words for words in lines]
    return sorted(words for words in lines if words[0] not in ("tied", "best") and "MB," not in words)


def same(shown: str, printed: str) -> bool:
    if shown == printed:
        return True
    try:
        a, b = (float(word.strip("()+")) for word in (shown, printed))
    except ValueError:
        return False
    places = len(shown.strip("()+").partition(".")[2])
    return places > 0 and abs(a - b) * 10**places <= CLOSE


def differing(shown: str, printed: str) -> list[str]:
    """Lines of the tutorial that were not printed."""
    left = stable(printed)
    return [
        " ".join(words)
        for words in stable(shown)
        if not any(len(words) == len(own) and all(map(same, words, own)) for own in left)
    ]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("T2S_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("T2S_DATA", "T2S_TABLES", "T2S_STORE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_the_tutorial_runs_and_prints_what_it_shows(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed, compared = "", 0
    for kind, block in BLOCKS:
        if kind == "sh":
            printed = command(block)
            trained = TRAINS[0] in block
        elif kind == "python":
            exec(compile(block, "a block of the tutorial", "exec"), {})
            printed, trained = capsys.readouterr().out, False
        else:
            wrong = differing(block, printed)
            if trained:  # it did not train the ninth, which is the answer there
                wrong = [line for line in wrong if not re.match(r"configuration +\d|expected|gain|.* trained ", line)]
            assert wrong == [], printed
            compared += 1
    assert compared == 8
    assert (here / "page.html").stat().st_size > 500_000
    assert {path.name for path in (here / "mine").iterdir()} == {
        "backbone.safetensors", "classifier.safetensors", "README.md",
    }  # fmt: skip


def test_lines_that_differ_are_found() -> None:
    shown = "configuration  01101111\nexpected       93.45 % (92.15 to 94.87)\n01101111  95.00  kept  0.18\n"
    assert differing(shown, shown.replace("93.45", "93.60").replace("0.18", "9")) == []
    assert differing(shown, shown.replace("93.45", "91.45")) == ["expected 93.45 % (92.15 to 94.87)"]
    assert differing(shown, shown.replace("01101111", "01101110")) == ["01101111 95.00", "configuration 01101111"]
