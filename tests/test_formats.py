"""Tables that fit, JSON and CSV that parse."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal

from t2s_offline.formats import render

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
