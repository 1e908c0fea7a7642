"""Tables fit their width; JSON and CSV can be parsed."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal

from t2s_offline.text_tables import bar, render

COLUMNS = ["task", "configuration", "accuracy", "note"]
ROWS = [["CUB", "00000001", 12.3456, None], ["Flowers102", "11111111", float("nan"), "a\tb\nc\x1b[31m"]]


def test_a_table_fits_its_width_and_stays_in_its_lines() -> None:
    text = render(["long name of a column" * 3, "x"], [["y" * 200, 1], [None, -2]], "table", 40)
    assert all(len(line) <= 40 for line in text.splitlines())
    text = render(COLUMNS, ROWS, "table")
    assert len(text.splitlines()) == 4
    assert "\x1b" not in text
    assert "12.346" not in text
    assert "00000001" in text


def test_numbers_of_a_column_share_their_digits() -> None:
    text = render(["p"], [[None], [0.5], [0.03125]], "table")
    assert [line.strip() for line in text.splitlines()[2:]] == ["", "0.500", "0.031"]


def test_json_has_no_nan_and_keeps_text() -> None:
    rows = json.loads(render(COLUMNS, ROWS, "json"))
    assert rows[0] == {"task": "CUB", "configuration": "00000001", "accuracy": 12.3456, "note": None}
    assert rows[1]["accuracy"] is None
    odd = json.loads(
        render(["a", "b", "c"], [[datetime(2026, 1, 2, tzinfo=UTC), Decimal("1.5"), [1.0, {"k": "🙂"}]]], "json")
    )
    assert odd == [{"a": "2026-01-02T00:00:00+00:00", "b": 1.5, "c": [1.0, {"k": "🙂"}]}]


def test_csv_reads_back() -> None:
    rows = list(csv.reader(io.StringIO(render(COLUMNS, [["a,b", '"', 0.1, "x\ny"]], "csv"))))
    assert rows == [COLUMNS, ["a,b", '"', "0.1", "x\ny"]]


def test_no_rows() -> None:
    assert render(["a"], [], "table") == "a\n-"
    assert json.loads(render(["a"], [], "json")) == []
    assert render(["a"], [], "csv") == "a"


def test_headings_give_way_before_what_stands_under_them() -> None:
    columns = ["task", "mean_accuracy", "configurations", "configuration"]
    rows = [["CactusAerial", 73.69, 256, "00001010"]]
    assert "mean_accuracy  configurations" in render(columns, rows, "table", 80), "nothing gives way where all fits"
    for width in (44, 40, 38):
        text = render(columns, rows, "table", width)
        assert all(len(line) <= width for line in text.splitlines())
        assert text.splitlines()[-1].split() == ["CactusAerial", "73.69", "256", "00001010"], width
    assert [line.split()[0] for line in render(columns, rows, "table", 48).splitlines()[:2]] == ["mean_", "task"]
    assert json.loads(render(columns, rows, "json", 36)) == [dict(zip(columns, rows[0], strict=True))]


def test_bars_are_as_long_as_their_values() -> None:
    assert [bar(value, 1.0, 4) for value in (0.0, 0.25, 0.5, 1.0, 2.0)] == ["", "█", "██", "████", "████"]
    assert bar(1 / 32, 1.0, 4) == "▏"
    assert bar(-1.0, 1.0, 4) == bar(None, 1.0) == bar(float("nan"), 1.0) == bar(0.5, 0.0) == ""
    assert [bar(value, -2.0, 5) for value in (-2.0, -1.0, 0.0, 2.0)] == ["██│", " █│", "  │", "  │██"]


def test_colours_do_not_count_as_width() -> None:
    plain = render(COLUMNS, ROWS, "table", 40)
    painted = render(COLUMNS, ROWS, "table", 40, heading=lambda line: f"<{line}>", body=lambda line: f"[{line}]")
    assert painted.translate(str.maketrans("", "", "<>")).replace("[", "").replace("]", "") == plain.replace(
        "[", ""
    ).replace("]", "")
    assert [line[0] for line in painted.splitlines()] == ["<", "<", "[", "["]
    assert "<" not in render(COLUMNS, ROWS, "csv", heading=lambda line: f"<{line}>")
