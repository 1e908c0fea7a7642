"""Scaling: planted slopes are found again, and a partial store says what it lacks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from t2s_offline.analysis.intervals import paired
from t2s_offline.analysis.ladders import ladders
from t2s_offline.errors import BadInput
from t2s_offline.recipe import Recipe
from t2s_offline.report.scaling import NO, UNKNOWN, YES, Curve, ladders_of, middle, read_curve, trend
from t2s_offline.store.reward_store import RewardStore
from tests.report.scaled import BASE, CHOSEN, EVERYTHING, IDS, RECIPES, planted_rewards, scaled_store


def curves(store: RewardStore) -> dict[str, Curve]:
    read = {ladder.field: read_curve(store, ladder) for ladder in ladders_of(store)}
    return {field: curve for field, curve in read.items() if curve is not None}


def test_ladders_of_the_specifications_share_their_base() -> None:
    """The ten recipes of figure6, 7 and 8: three ladders of four, and the one with 192 images in each of them."""
    found = {ladder.field: ladder for ladder in ladders(RECIPES)}
    assert set(found) == {"classes", "objects", "images"}
    assert [found[name].counts for name in ("classes", "objects", "images")] == [
        (8, 16, 32, 64), (2, 5, 10, 20), (48, 96, 192, 384),
    ]  # fmt: skip
    assert all(("images192",) in ladder.recipes for ladder in found.values())
    assert found["images"].pictures == (1536, 3072, 6144, 12288)
    assert found["objects"].pictures == (608, 1536, 3072, 6144)


def test_ladders_go_by_contents_not_by_name() -> None:
    two = {"x": BASE, "y": replace(BASE, images=96), "z": BASE}
    (ladder,) = ladders(two)
    assert (ladder.field, ladder.recipes) == ("images", (("y",), ("x", "z")))
    assert ladders({"x": BASE, "y": replace(BASE, images=96, epochs=7)}) == [], "two things differ"
    assert ladders({"x": BASE, "y": replace(BASE, objects=10)}) == [], "pictures are not in proportion"
    assert ladders({"x": BASE, "y": replace(BASE, images=96)}, {"x": "a:2", "y": "b:2"}) == [], "other spaces"


def test_planted_slopes_are_found(tmp_path: Path) -> None:
    """Chosen rises 2 points a doubling, everything 3: slopes and their difference are in their intervals."""
    store = scaled_store(tmp_path / "s.duckdb", planted_rewards(rise=2.0, gap=3.0, closing=1.0))
    found = {field: trend(curve) for field, curve in curves(store).items()}
    for field in ("classes", "objects", "images"):
        assert found[field].chosen.mean == pytest.approx(2.0, abs=0.12)
        assert found[field].everything.mean == pytest.approx(3.0, abs=0.12)
        assert found[field].difference.low <= -1.0 <= found[field].difference.high
        assert found[field].difference.high < 0
    gaps = [point.difference for point in found["images"].points]
    for gap, wanted in zip(gaps, (3.0, 2.0, 1.0, 0.0), strict=True):
        assert gap.mean == pytest.approx(wanted, abs=0.2)
    assert [point.seeds for point in found["images"].points] == [2, 2, 2, 2]


def test_one_that_catches_up(tmp_path: Path) -> None:
    store = scaled_store(tmp_path / "s.duckdb", planted_rewards(rise=2.0, gap=3.0, closing=1.1))
    assert trend(curves(store)["images"]).catches_up == YES


def test_one_that_does_not(tmp_path: Path) -> None:
    store = scaled_store(tmp_path / "s.duckdb", planted_rewards(rise=2.0, gap=3.0, closing=0.0))
    found = trend(curves(store)["images"])
    assert (found.catches_up, "not seen to shrink" in found.why) == (NO, True)


def test_one_that_comes_nearer(tmp_path: Path) -> None:
    store = scaled_store(tmp_path / "s.duckdb", planted_rewards(rise=2.0, gap=4.0, closing=0.5))
    found = trend(curves(store)["images"])
    assert found.catches_up == NO
    assert "some 5 more doublings" in found.why


def test_one_that_loses_ground() -> None:
    """Level at the smallest number, hardly apart at the largest; but every task and seed loses a little a doubling."""
    rng = np.random.default_rng(2)
    task_T = rng.normal(0, 4, (20, 2))
    steps = [np.stack([np.full((20, 2), 50.0), 50 + task_T - 0.3 * step]) for step in range(4)]
    curve = Curve("images", (48, 96, 192, 384), ("a", "b", "c", "d"), (1, 2, 3, 4), "1", "0",
                  tuple(map(str, range(20))), tuple(steps))  # fmt: skip
    found = trend(curve)
    assert found.points[-1].difference.low <= 0 < found.difference.low
    assert (found.catches_up, "loses ground" in found.why) == (UNKNOWN, True)


def test_what_cannot_be_told(tmp_path: Path) -> None:
    ahead = scaled_store(tmp_path / "a.duckdb", planted_rewards(rise=1.0, gap=-2.0, closing=0.5))
    told = trend(curves(ahead)["images"])
    assert (told.catches_up, "nothing to catch up" in told.why) == (UNKNOWN, True)
    level = scaled_store(tmp_path / "b.duckdb", planted_rewards(rise=1.0, gap=0.0, closing=0.0, noise=3.0))
    assert trend(curves(level)["images"]).catches_up == UNKNOWN


def test_differences_are_paired(tmp_path: Path) -> None:
    """Tasks differ by 50 points, configurations by 3: the difference's interval is that of `paired`, far narrower."""
    store = scaled_store(tmp_path / "s.duckdb", planted_rewards(rise=2.0, gap=3.0, closing=0.0))
    curve = curves(store)["images"]
    point = trend(curve).points[0]
    matrix = store.matrix(IDS["images48"])
    chosen, everything = (
        matrix.accuracy_TCS[:, matrix.space.index(configuration)] for configuration in (CHOSEN, EVERYTHING)
    )
    assert vars(point.difference) == pytest.approx(vars(paired(chosen, everything)))
    assert point.difference.high - point.difference.low < (point.chosen.high - point.chosen.low) / 10


def test_partial_stores(tmp_path: Path) -> None:
    """Two points are a curve, what is absent is named; a seed or a configuration that is missing costs no more."""
    rows = planted_rewards(rise=2.0, gap=3.0, closing=0.0)
    short = [row for row in rows if row["recipe"] in (IDS["images48"], IDS["images192"])]
    short += [row for row in rows if row["recipe"] == IDS["images96"] and row["configuration"] == CHOSEN]
    short = [row for row in short if (row["recipe"], row["seed"]) != (IDS["images192"], 1)]
    store = scaled_store(tmp_path / "s.duckdb", short)
    (curve,) = curves(store).values()
    assert (curve.field, curve.counts, curve.absent, curve.seeds) == ("images", (48, 192), (96, 384), 1)
    assert trend(curve).difference.mean == pytest.approx(0, abs=0.2)
    lacking = [row for row in rows if (row["recipe"], row["task"]) != (IDS["images96"], "task03")]
    curve = curves(scaled_store(tmp_path / "t.duckdb", lacking))["images"]
    assert (curve.partial, len(curve.tasks)) == (("task03",), 23)


def test_a_store_without_ladders_has_no_curve(tiny_store: RewardStore, tmp_path: Path) -> None:
    assert ladders_of(tiny_store) == []
    assert middle(tiny_store) is None
    one = [row for row in planted_rewards(rise=1, gap=1, closing=0) if row["recipe"] == IDS["images192"]]
    store = scaled_store(tmp_path / "s.duckdb", one)
    assert curves(store) == {}
    assert middle(store) == IDS["images192"]


def test_the_middle_is_in_most_ladders(tmp_path: Path) -> None:
    assert middle(scaled_store(tmp_path / "s.duckdb", planted_rewards(rise=1, gap=1, closing=0))) == IDS["images192"]


def test_the_chosen_one_of_several(tmp_path: Path) -> None:
    """With a third configuration the better one by val accuracy stands beside Domain Randomization, whatever its test
    accuracy is."""
    rows = [{**row, "val_accuracy": row["accuracy"]} for row in planted_rewards(rise=2.0, gap=3.0, closing=0.0)]
    more = [
        {**row, "configuration": "00000001", "accuracy": 5.0, "val_accuracy": 99.0}
        for row in rows
        if row["configuration"] == CHOSEN
    ]
    curve = curves(scaled_store(tmp_path / "s.duckdb", [*rows, *more]))["classes"]
    assert (curve.chosen, curve.everything, curve.rivals) == ("00000001", EVERYTHING, 2)


def test_tasks_can_be_left_out(tmp_path: Path) -> None:
    curve = curves(scaled_store(tmp_path / "s.duckdb", planted_rewards(rise=2.0, gap=3.0, closing=0.0)))["images"]
    fewer = curve.without({"task00", "elsewhere"})
    assert fewer.tasks == curve.tasks[1:]
    assert np.array_equal(fewer.accuracy_K[0], curve.accuracy_K[0][:, 1:])
    with pytest.raises(BadInput, match="no task is left"):
        curve.without(curve.tasks)


def test_recipes_of_others_are_passed_over(tmp_path: Path) -> None:
    assert Recipe.from_contents(BASE.contents()) == BASE
    store = scaled_store(tmp_path / "s.duckdb", planted_rewards(rise=1, gap=1, closing=0))
    with store.writer() as con:
        con.execute("UPDATE recipes SET contents = NULL WHERE recipe = $1", [IDS["classes8"]])
    (ladder,) = [ladder for ladder in ladders_of(store) if ladder.field == "classes"]
    assert ladder.counts == (16, 32, 64)
