"""The caveats that are shown with figures of the authors' table."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from t2s_offline.cli import cli
from t2s_offline.report.page import page
from t2s_offline.report.write import make_report
from t2s_offline.store.published import CAVEATS, FORM_CHOSEN, RECIPE, REPOSITORY, is_published
from t2s_offline.store.reward_store import RewardStore
from tests.report.reported import Read

COMPARE = ["compare", "--leave-one-out", "--jobs", "1", "--learners"]


def under(frames: dict[str, pl.DataFrame], name: str, source: str | None = None) -> dict[str, pl.DataFrame]:
    """The same table under another recipe's name, its row from another source."""
    renamed = {
        table: frame.with_columns(recipe=pl.lit(name)) if "recipe" in frame.columns else frame
        for table, frame in frames.items()
    }
    if source is not None:
        renamed["recipes"] = renamed["recipes"].with_columns(source=pl.lit(source))
    return renamed


def made(path: Path, frames: dict[str, pl.DataFrame]) -> RewardStore:
    store = RewardStore(path)
    store.add(frames)
    return store


@pytest.fixture
def theirs(tmp_path: Path, tiny_frames: dict[str, pl.DataFrame]) -> RewardStore:
    return made(tmp_path / "theirs.duckdb", under(tiny_frames, RECIPE))


def test_the_table_is_known_by_its_recipe_or_its_source(
    tmp_path: Path, tiny_frames: dict[str, pl.DataFrame], theirs: RewardStore, tiny_store: RewardStore
) -> None:
    copied = made(tmp_path / "copy.duckdb", under(tiny_frames, "copied", f"{REPOSITORY}@1712475"))
    assert is_published(theirs, RECIPE)
    assert is_published(copied, "copied")
    assert not is_published(tiny_store, "tiny")
    assert not is_published(tiny_store, "none")


def test_fetch_stores_what_is_known(published_store: RewardStore) -> None:
    assert is_published(published_store, published_store.matrix().recipe)
    source = published_store.frame("recipes")["source"][0]
    assert source.startswith(REPOSITORY)


def test_compare_says_what_the_table_is_and_where_the_surrogate_was_chosen(
    theirs: RewardStore, tiny_store: RewardStore
) -> None:
    told = CliRunner().invoke(cli, [*COMPARE, "surrogate,random", "--store", str(theirs.path)])
    assert told.exit_code == 0, told.output
    assert all(line in told.stderr for line in (*CAVEATS, FORM_CHOSEN))
    plain = CliRunner().invoke(cli, [*COMPARE, "best_fixed", "--store", str(theirs.path)])
    assert FORM_CHOSEN not in plain.stderr
    assert FORM_CHOSEN in CliRunner().invoke(
        cli, [*COMPARE, "best_fixed", "--measure", "0,1", "--store", str(theirs.path)]
    ).stderr, "a shortlist is the surrogate's"  # fmt: skip
    ours = CliRunner().invoke(cli, [*COMPARE, "surrogate,random", "--store", str(tiny_store.path)])
    assert not any(line in ours.stderr for line in (*CAVEATS, FORM_CHOSEN))


def test_compare_says_what_its_intervals_hold(tiny_store: RewardStore) -> None:
    one = CliRunner().invoke(cli, [*COMPARE, "exact", "--store", str(tiny_store.path)]).stderr
    assert "95 % interval over tasks\n" in one
    assert "one seed" in one
    two = CliRunner().invoke(cli, [*COMPARE, "exact", "--seeds", "2", "--store", str(tiny_store.path)]).stderr
    assert "95 % interval over tasks and seeds" in two
    assert "one seed" not in two
    none = CliRunner().invoke(cli, [*COMPARE, "nearest", "--store", str(tiny_store.path)]).stderr
    assert "one seed" not in none, "nothing random about it"


def test_the_report_says_what_the_table_is(theirs: RewardStore, tiny_store: RewardStore) -> None:
    told = Read(page(make_report(theirs))).whole
    assert all(line in told for line in (*CAVEATS, FORM_CHOSEN[1:]))
    plain = Read(page(make_report(tiny_store))).whole
    assert not any(line in plain for line in (*CAVEATS, FORM_CHOSEN[1:]))
