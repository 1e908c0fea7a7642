"""The section on sizes: its numbers are those of `scaling`, its sentence answers, and it is quiet elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from t2s_offline.errors import BadInput, EmptyStore
from t2s_offline.report.page import page
from t2s_offline.report.scaling import ladders_of, read_curve, shared_tasks, trend
from t2s_offline.report.theme import COLOURS
from t2s_offline.report.write import make_report, size_figures
from t2s_offline.store import schema
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.rows import typed
from tests.cli.test_commands import failed, run
from tests.report.scaled import CHOSEN, EVERYTHING, IDS, RECIPES, planted_rewards, scaled_store
from tests.report.test_write import rows_of


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RewardStore:
    rows = planted_rewards(rise=2.0, gap=3.0, closing=1.0)
    return scaled_store(tmp_path_factory.mktemp("scaled") / "s.duckdb", rows, RECIPES, backbones=True)


@pytest.fixture(scope="module")
def looked(store: RewardStore, tmp_path_factory: pytest.TempPathFactory) -> RewardStore:
    """Where the configuration was chosen: on task00 to task08."""
    path = tmp_path_factory.mktemp("looked") / "looked.duckdb"
    rows = [row for row in planted_rewards(rise=1, gap=1, closing=0) if str(row["task"]) < "task09"]
    return scaled_store(
        path, [row for row in rows if row["recipe"] == IDS["images192"]], {"images192": RECIPES["images192"]}
    )


def test_figures_6_to_8_are_the_trends(store: RewardStore, looked: RewardStore) -> None:
    made = size_figures(store, chosen_on=shared_tasks(store, looked))
    assert [figure.key for figure in made.figures] == ["figure6", "figure7", "figure8"]
    assert made.missing == ()
    for ladder, key in zip(ladders_of(store), ("figure6", "figure7", "figure8"), strict=True):
        curve = read_curve(store, ladder)
        assert curve is not None
        fresh = trend(curve.without(shared_tasks(store, looked)))
        for row, point, all_tasks in zip(rows_of(made, key), fresh.points, trend(curve).points, strict=True):
            assert row["chosen"] == point.chosen.mean
            assert (row["everything"], row["everything_low"]) == (point.everything.mean, point.everything.low)
            assert [row[name] for name in ("chosen_minus_everything", "low", "high")] == [
                point.difference.mean, point.difference.low, point.difference.high,
            ]  # fmt: skip
            assert row["all_tasks"] == all_tasks.difference.mean
            assert (row["pictures"], row["seeds"]) == (point.pictures, 2)
            assert (row["chosen_train"], row["everything_val"]) == (90.5, 40.5)
    slopes = made.sections[0].tables[0][1]
    assert set(slopes.column("tasks")) == {15, 24}
    page(made)


def test_the_answer_says_what_decides(store: RewardStore, looked: RewardStore) -> None:
    told = dict(size_figures(store, chosen_on=shared_tasks(store, looked)).summary)[
        "Varying everything, with more pictures"
    ]
    assert told.startswith("Does varying everything catch up with more pictures? Yes: ")
    assert f"On 15 tasks (9 that it was chosen on left out) {CHOSEN} minus {EVERYTHING} is +" in told
    assert "On all 24: yes, too" in told
    assert "Not measured yet" not in told


def test_it_stands_in_the_whole_report(store: RewardStore) -> None:
    """Without a recipe, the one that the others differ from; with one, the curves that hold it."""
    made = make_report(store)
    assert made.title.endswith(IDS["images192"])
    assert "sizes" in [section.key for section in made.sections]
    assert "Varying everything, with more classes" in dict(made.summary)
    one = make_report(store, recipe=IDS["classes8"])
    assert [figure.key for figure in one.figures if figure.key.startswith("figure")] == ["figure6"]


def test_a_partial_store_says_what_is_missing(tmp_path: Path) -> None:
    rows = [
        row
        for row in planted_rewards(rise=2.0, gap=3.0, closing=0.0)
        if row["recipe"] in (IDS["images48"], IDS["images96"])
    ]
    made = size_figures(scaled_store(tmp_path / "s.duckdb", rows))
    (figure,) = made.figures
    assert figure.key == "figure8"
    assert len(figure.table.rows) == 2
    assert "Not measured yet: 192, 384 pictures a class." in figure.summary
    assert "No: it is behind at the largest number, and the gap is not seen to shrink" in figure.summary
    assert any("Figure 8 (accuracy against pictures): not measured" in line for line in made.missing)


def test_every_task_was_looked_at(store: RewardStore) -> None:
    made = size_figures(store, chosen_on=shared_tasks(store, store))
    assert any("every task is one that the configuration was chosen on" in line for line in made.missing)


def test_the_same_pictures_under_another_name_were_looked_at(tmp_path: Path) -> None:
    rows = planted_rewards(rise=2.0, gap=3.0, closing=0.0, tasks=3)
    store, other = (scaled_store(tmp_path / f"{name}.duckdb", rows) for name in ("s", "other"))
    with other.writer() as con:
        con.execute("UPDATE rewards SET task = 'zoo' WHERE task = 'task01'")
        con.execute("UPDATE rewards SET task = 'park' WHERE task = 'task02'")
    digest = pl.DataFrame([{"task": "task01", "digest": "d"}])
    store.add({"tasks": typed(digest, schema.TASKS, "planted")})
    other.add({"tasks": typed(digest.with_columns(task=pl.lit("zoo")), schema.TASKS, "planted")})
    assert shared_tasks(store, other) == {"task00", "task01"}


def test_a_store_of_one_recipe_has_none(tiny_store: RewardStore) -> None:
    with pytest.raises(EmptyStore, match=r"no recipes of .* differ in classes, objects or images alone"):
        size_figures(tiny_store)
    assert "sizes" not in [section.key for section in make_report(tiny_store).sections]


def test_several_recipes_that_are_no_ladder_must_be_named(tmp_path: Path) -> None:
    recipes = {name: RECIPES[name] for name in ("images48", "classes8")}
    rows = [
        row for row in planted_rewards(rise=1, gap=1, closing=0) if row["recipe"] in (IDS["images48"], IDS["classes8"])
    ]
    with pytest.raises(BadInput, match="choose one with --recipe"):
        make_report(scaled_store(tmp_path / "s.duckdb", rows, recipes))


def test_command(store: RewardStore, looked: RewardStore, tmp_path: Path) -> None:
    figures = tmp_path / "figures"
    done = run(
        "report", "--store", str(store.path), "--sizes", "--chosen-on", str(looked.path), "--out",
        str(tmp_path / "sizes.html"), "--figures", str(figures), "--format", "json",
    )  # fmt: skip
    assert json.loads(done.stdout)[0]["figures"] == 3
    assert done.stderr.count("Does varying everything catch up with more ") == 3
    assert {path.name for path in figures.iterdir()} == {
        f"figure{number}.{kind}" for number in (6, 7, 8) for kind in ("png", "svg", "csv")
    }
    with Image.open(figures / "figure8.png") as image:
        assert image.width > 1200
        assert len(image.convert("RGB").getcolors(1 << 20) or []) > 50
    drawn = (figures / "figure7.svg").read_text()
    for number in ("2", "5", "10", "20"):
        assert drawn.count(f">{number}<") >= 2, number
    for colour in (COLOURS["policy"][0], COLOURS["ink"][0]):  # of each panel
        assert drawn.count(f'stroke="{colour}"') >= 5, colour
    assert sum((figures / f"figure{number}.png").stat().st_size for number in (6, 7, 8)) < 300_000
    assert "--sizes is of no policy" in failed(
        "report", "--store", str(store.path), "--sizes", "--images", "--out", str(tmp_path / "x.html")
    )


def test_tasks_can_be_named(store: RewardStore, tmp_path: Path) -> None:
    """Figures of a table that has been replaced since: the tasks that a configuration was chosen on are named."""
    out = str(tmp_path / "sizes.html")
    done = run("report", "--store", store.path, "--sizes", "--chosen-on", "task00,task01", "--out", out)
    assert "On 22 tasks (2 that it was chosen on left out)" in " ".join(done.stderr.split())
    wrong = failed("report", "--store", str(store.path), "--sizes", "--chosen-on", "task00,tusk", "--out", out)
    assert "tusk" in wrong
