"""The figures in docs/paper.md about Figures 6 to 8 are those of the rows of tables/figures."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from t2s_offline.recipe import Recipe, read_spec
from t2s_offline.report.write import Report, size_figures
from t2s_offline.store.reward_store import RewardStore
from t2s_offline.store.table_folders import describe
from t2s_offline.sweep.worker import pin
from tests.bench.figures import CHOSEN_ON

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "tables" / "figures"
SPECS = tuple(ROOT / "sweeps" / f"figure{number}.toml" for number in (6, 7, 8))


@pytest.fixture(scope="module")
def made() -> Report:
    return size_figures(RewardStore(TABLE), chosen_on=CHOSEN_ON.split())


def test_the_table_is_whole() -> None:
    table = describe(TABLE)
    assert table.problem == ""
    assert table.bytes < 200_000


def test_its_recipes_are_those_of_the_specifications() -> None:
    rows = RewardStore(TABLE).frame("recipes").select("recipe", "contents").iter_rows()
    planned = {name: recipe for path in SPECS for name, recipe in pin(read_spec(path)).recipes.items()}
    for name, contents in rows:
        assert planned[name] == Recipe.from_contents(contents)


def test_the_answers_in_the_docs_are_the_reports(made: Report) -> None:
    """docs/paper.md holds the sentences of `report --sizes`, word for word."""
    told = " ".join((ROOT / "docs" / "paper.md").read_text().split())
    assert made.summary
    for _, answer in made.summary:
        assert answer in told


def test_the_pictures_in_the_docs(made: Report) -> None:
    pictures = [ROOT / "docs" / f"{figure.key}.png" for figure in made.figures]
    assert sum(path.stat().st_size for path in pictures) < 300_000
    for path in pictures:
        with Image.open(path) as image:
            assert image.width > 1200
    assert not [path for path in (ROOT / "docs").glob("figure?.png") if path not in pictures]
